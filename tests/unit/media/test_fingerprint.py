"""Fingerprints: what stays nearly the same is near, what is another is far; colours by the words of people."""

import hashlib
import io
import re

import blurhash
import pytest
from PIL import Image, ImageColor, ImageEnhance

from socialflow.media import colours, fingerprint
from tests.pictures import encoded, scene


def grown(seed: int) -> Image.Image:
    """Return a picture of soft shapes that only this seed has."""
    noise = hashlib.shake_256(bytes([seed])).digest(8 * 6 * 3)
    return Image.frombytes("RGB", (8, 6), noise).resize((600, 450), Image.Resampling.BICUBIC)


def apart(one: Image.Image, other: Image.Image) -> int:
    pairs = zip(fingerprint.dhash(one), fingerprint.dhash(other), strict=True)
    return sum(left != right for left, right in pairs)


def again(image: Image.Image, quality: int) -> Image.Image:
    return Image.open(io.BytesIO(encoded(image, quality=quality)))


@pytest.mark.parametrize("seed", range(8))
def test_what_was_saved_resized_or_cropped_is_near_and_another_picture_is_far(seed: int) -> None:
    image = grown(seed)
    assert apart(image, again(image, quality=30)) <= 6
    assert apart(image, image.resize((300, 225))) <= 6
    assert apart(image, image.crop((6, 6, 594, 444))) <= 8
    assert apart(image, ImageEnhance.Brightness(image).enhance(0.8)) <= 6
    assert min(apart(image, grown(other)) for other in range(8) if other != seed) > 16


def test_a_fingerprint_has_the_forms_that_the_row_takes() -> None:
    taken = fingerprint.take(encoded(scene()))
    assert re.fullmatch("[01]{64}", taken.dhash)
    assert all(re.fullmatch("#[0-9a-f]{6}", colour) for colour in taken.colours)
    assert 1 <= len(taken.colours) <= 5
    assert set(taken.colour_names) <= set(colours.COLOUR_NAMES)
    assert taken.colour_names[:2] == ["brown", "blue"]  # the ground has no red mark on it


@pytest.mark.parametrize("size", [(1, 1), (600, 1), (1, 600), (9, 8)], ids=str)
def test_the_smallest_pictures_have_fingerprints(size: tuple[int, int]) -> None:
    taken = fingerprint.take(encoded(Image.new("RGB", size, "black")))
    assert (taken.dhash, taken.colours, taken.colour_names) == ("0" * 64, ["#000000"], ["black"])


def test_the_blur_is_the_picture_without_its_detail() -> None:
    taken = fingerprint.take(encoded(scene(600, 400)))
    assert blurhash.components(taken.blurhash) == (4, 3)
    top, *_, bottom = blurhash.decode(taken.blurhash, 12, 8)
    sky, ground = ImageColor.getrgb("skyblue"), ImageColor.getrgb("saddlebrown")
    assert all(abs(a - b) < 60 for a, b in zip(top[8], sky, strict=False))
    assert all(abs(a - b) < 60 for a, b in zip(bottom[8], ground, strict=False))
    upright = fingerprint.take(encoded(scene(400, 600)))
    assert blurhash.components(upright.blurhash) == (3, 4)


@pytest.mark.parametrize(
    ("colour", "name"),
    [
        ("red", "red"),
        ("crimson", "red"),
        ("maroon", "red"),
        ("orange", "orange"),
        ("saddlebrown", "brown"),
        ("tan", "brown"),
        ("gold", "yellow"),
        ("lime", "green"),
        ("darkgreen", "green"),
        ("teal", "cyan"),
        ("skyblue", "blue"),
        ("navy", "blue"),
        ("indigo", "purple"),
        ("purple", "purple"),
        ("magenta", "pink"),
        ("hotpink", "pink"),
        ("salmon", "pink"),
        ("silver", "grey"),
        ("dimgrey", "grey"),
        ("black", "black"),
        ("ivory", "white"),
    ],
)
def test_colours_are_called_what_people_call_them(colour: str, name: str) -> None:
    red, green, blue = ImageColor.getrgb(colour)[:3]
    assert colours.name_of((red, green, blue)) == name


def test_every_colour_has_a_name_of_the_list() -> None:
    steps = range(0, 256, 15)
    found = {colours.name_of((red, green, blue)) for red in steps for green in steps for blue in steps}
    assert found == set(colours.COLOUR_NAMES)
