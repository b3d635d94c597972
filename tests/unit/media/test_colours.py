"""Colours are those that the picture's profile means, in sRGB, without the profile."""

import io
from pathlib import Path

import pytest
from PIL import Image

from socialflow.media import decoding, inspection
from tests.pictures import encoded, scene
from tests.profiles import display_p3, odd_press, p3_in_srgb

PHOTO = Path(__file__).parents[3] / "infra_cdk" / "local" / "demo" / "photos" / "coffee.jpg"


def decoded(data: bytes, declared: str = "image/jpeg") -> Image.Image:
    """Return what the derivatives are made from."""
    with inspection.opened(io.BytesIO(data), declared) as picture:
        return decoding.pillow(decoding.decoded(picture, 2_400))


def apart(image: Image.Image, wanted: list[tuple[float, ...]]) -> float:
    """Return the mean difference, in steps of 256."""
    data = image.tobytes()
    parts = [part for colour in wanted for part in colour]
    return sum(abs(a - b) for a, b in zip(data, parts, strict=True)) / len(parts)


@pytest.mark.parametrize(
    ("kind", "options"),
    [("PNG", {}), ("WEBP", {"lossless": True}), ("JPEG", {"quality": 100, "subsampling": "4:4:4"})],
    ids=["png", "webp", "jpeg"],
)
def test_a_wide_gamut_photo_is_converted_within_a_step_and_a_half(kind: str, options: dict[str, object]) -> None:
    with Image.open(PHOTO) as opened:
        photo = opened.convert("RGB").resize((160, 240))
    data = photo.tobytes()
    colours = [tuple(data[at : at + 3]) for at in range(0, len(data), 3)]
    wanted = [p3_in_srgb(colour) for colour in colours]
    file = encoded(photo, kind, icc_profile=display_p3(), **options)
    assert apart(decoded(file, f"image/{kind.lower()}"), wanted) < 1.5
    assert apart(photo, wanted) > 3  # what stripping the profile would have made


def test_inks_are_printed_as_their_profile_says() -> None:
    """Without it magenta would be pink."""
    data = encoded(Image.new("CMYK", (64, 64), (0, 255, 0, 0)), icc_profile=odd_press())
    red, green, blue = decoded(data).getpixel((32, 32)) or ()  # type: ignore[misc] # an RGB picture has three
    assert green > 90
    assert green > 2 * max(red, blue)


@pytest.mark.parametrize("adobe", [True, False], ids=["adobe", "plain"])
def test_inks_without_a_profile_are_turned_about_only_where_adobe_did(adobe: bool) -> None:
    data = encoded(scene().convert("CMYK"), quality=95)
    at = data.index(b"\xff\xee")
    assert data[at + 4 : at + 9] == b"Adobe"
    if not adobe:
        data = data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4]) :]
    with Image.open(io.BytesIO(data)) as opened:
        wanted = opened.convert("RGB")
    found = decoded(data)
    for place in ((20, 20), (800, 20), (20, 580)):
        pair = zip(found.getpixel(place) or (), wanted.getpixel(place) or (), strict=True)  # type: ignore[arg-type] # RGB
        assert max(abs(a - b) for a, b in pair) < 12, place


@pytest.mark.parametrize("profile", [display_p3(), odd_press()], ids=["of colours", "of inks"])
def test_a_profile_of_something_else_counts_as_srgb(profile: bytes) -> None:
    data = encoded(scene().convert("L"), icc_profile=profile)
    assert decoded(data).mode == "RGB"
    assert decoded(data).getpixel((20, 580)) == decoded(encoded(scene().convert("L"))).getpixel((20, 580))
