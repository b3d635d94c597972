"""Cutting: what is kept, within which limits, and always the same."""

import io
import random
from fractions import Fraction

import pytest
from PIL import Image, ImageDraw

from socialflow import limits
from socialflow.limits import NETWORKS
from socialflow.media import attention, cutting, inspection
from socialflow.media.model import UnfitFile
from socialflow.media.rendition_spec import PictureSpec
from tests.pictures import encoded, photo

LOW, HIGH = Fraction(4, 5), Fraction(191, 100)


def spec(**changed: object) -> PictureSpec:
    """Return Instagram's spec with some of it changed; a `ratio` is to be met exactly."""
    ratio = changed.get("ratio")
    facts: dict[str, object] = {
        "ratio": None,
        "ratios": (ratio, ratio) if ratio else (LOW, HIGH),
        "focal": None,
        "fit": "crop",
        "max_width": 1440,
        "max_height": 8192,
        "max_pixels": 36_000_000,
        "max_bytes": 8_000_000,
    }
    return PictureSpec(**{**facts, **changed})  # type: ignore[arg-type] # facts by their names


def cut(data: bytes, wanted: PictureSpec, kind: str = "image/jpeg") -> cutting.Cut:
    with inspection.opened(io.BytesIO(data), kind) as picture:
        return cutting.cut(picture, wanted)


def image(made: cutting.Cut) -> Image.Image:
    found = Image.open(io.BytesIO(made.data)).convert("RGB")
    assert found.size == (made.width, made.height)
    return found


def marked(size: tuple[int, int], box: tuple[int, int, int, int], background: str = "#808890") -> bytes:
    """Return a picture of nothing but a mark that nobody overlooks."""
    picture = Image.new("RGB", size, background)
    draw = ImageDraw.Draw(picture)
    draw.rectangle(box, fill="crimson")
    left, top, right, bottom = box
    draw.ellipse((left + 10, top + 10, right - 10, bottom - 10), fill="gold")
    return encoded(picture, quality=95)


def reds(picture: Image.Image) -> int:
    """Return how many pixels are of the mark's colour."""
    data = picture.tobytes()
    triples = zip(data[::3], data[1::3], data[2::3], strict=True)
    return sum(red > 180 and green < 90 and blue < 110 for red, green, blue in triples)


@pytest.mark.parametrize(
    ("size", "box"),
    [
        ((1600, 800), (0, 0, 200, 200)),
        ((1600, 800), (1380, 590, 1590, 790)),
        ((1600, 800), (700, 300, 900, 500)),
        ((800, 2400), (20, 20, 220, 220)),
        ((800, 2400), (570, 2180, 770, 2380)),
    ],
    ids=["left", "right", "middle", "top", "bottom"],
)
def test_what_catches_the_eye_is_kept(size: tuple[int, int], box: tuple[int, int, int, int]) -> None:
    data = marked(size, box)
    made = image(cut(data, spec(ratio=LOW)))
    assert made.size == ((640, 800) if size[0] > size[1] else (800, 1000))
    assert reds(made) > 0.95 * reds(Image.open(io.BytesIO(data)).convert("RGB"))


def test_a_chosen_point_comes_before_what_catches_the_eye() -> None:
    data = marked((1600, 800), (0, 0, 200, 200))
    assert reds(image(cut(data, spec(ratio=LOW, focal=(1.0, 0.5))))) == 0
    assert reds(image(cut(data, spec(ratio=LOW, focal=(0.0, 0.0))))) > 0


@pytest.mark.parametrize("point", [(0.0, 0.0), (1.0, 1.0), (0.5, 0.5), (0.25, 0.9)])
def test_the_cut_is_around_the_chosen_point_as_far_as_the_picture_goes(point: tuple[float, float]) -> None:
    wide = Image.linear_gradient("L").rotate(90).resize((2000, 500)).convert("RGB")
    made = image(cut(encoded(wide, quality=95), spec(ratio=Fraction(1), focal=point)))
    middle = made.getpixel((250, 250))
    assert isinstance(middle, tuple)
    expected = 255 * min(max(point[0], 0.125), 0.875)
    assert abs(middle[0] - expected) < 4


def test_a_picture_without_anything_to_see_is_cut_in_the_middle() -> None:
    even = Image.new("RGB", (1000, 400), "teal")
    assert attention.offset(even, 400, across=True) == 300
    assert attention.offset(even, 1000, across=True) == 0


def test_the_same_wish_makes_the_same_bytes() -> None:
    noise = Image.effect_noise((900, 500), 90).convert("RGB")
    data = encoded(noise)
    assert len({cut(data, spec(ratio=LOW)).data for _ in range(3)}) == 1


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((4000, 3000), (1440, 1080)),
        ((3000, 4000), (1440, 1800)),
        ((900, 600), (900, 600)),
        ((1000, 100), (191, 100)),
        ((100, 1000), (100, 125)),
        ((5000, 100), (191, 100)),
        ((100, 5000), (100, 125)),
        ((1, 1), (1, 1)),
        ((1, 50), (1, 1)),
        ((50, 1), (1, 1)),
        ((3, 2), (3, 2)),
    ],
    ids=str,
)
def test_no_more_is_cut_than_the_ratio_asks_for_and_nothing_is_enlarged(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    made = cut(encoded(Image.new("RGB", size, "teal")), spec())
    assert (made.width, made.height) == expected
    assert image(made).size == expected


@pytest.mark.parametrize("ratio", [Fraction(4, 5), Fraction(1), Fraction(191, 100), Fraction(9, 16)], ids=str)
def test_a_ratio_is_met_to_the_pixel(ratio: Fraction) -> None:
    made = cut(
        encoded(Image.new("RGB", (3001, 2003), "teal")),
        spec(ratio=ratio, ratios=(ratio * 199 / 200, ratio * 201 / 200)),
    )
    assert abs(made.width - made.height * ratio) <= 1


def test_what_is_made_is_within_each_networks_limits_whatever_comes() -> None:
    chance = random.Random(4)  # noqa: S311 # sizes to try, no secret
    sizes = [(1, 1), (1, 900), (900, 1), (3000, 60), (60, 3000), (1441, 1801), (2049, 2049)]
    sizes += [(chance.randint(1, 2600), chance.randint(1, 2600)) for _ in range(12)]
    for network in NETWORKS:
        taken = limits.pictures(network)
        for width, height in sizes:
            wanted = spec(
                ratios=(taken.min_ratio, taken.max_ratio),
                max_width=taken.widths[-1],
                max_height=taken.max_height or 8192,
                max_pixels=taken.max_pixels or 36_000_000,
                max_bytes=taken.max_bytes,
            )
            made = cut(encoded(Image.new("RGB", (width, height), "teal")), wanted)
            where = f"{network} {width}x{height}"
            assert made.width <= min(width, taken.widths[-1]), where
            assert made.height <= min(height, taken.max_height or height), where
            assert made.width * made.height <= (taken.max_pixels or 10**9), where
            if taken.min_ratio and taken.max_ratio:
                assert taken.min_ratio * made.height <= made.width <= taken.max_ratio * made.height, where


def test_padding_keeps_the_whole_picture_and_adds_white() -> None:
    made = image(cut(encoded(Image.new("RGB", (1600, 400), "navy"), quality=95), spec(ratio=LOW, fit="pad")))
    assert made.size == (1440, 1800)
    for y, expected in ((5, (255, 255, 255)), (900, (0, 0, 128)), (1795, (255, 255, 255))):
        found = made.getpixel((720, y))
        assert isinstance(found, tuple)
        assert max(abs(one - other) for one, other in zip(found, expected, strict=True)) < 8
    assert image(cut(encoded(Image.new("RGB", (1600, 1000))), spec(fit="pad"))).size == (1440, 900)
    assert image(cut(encoded(Image.new("RGB", (1, 1))), spec(ratio=LOW, fit="pad"))).size == (4, 5)


def test_bytes_come_down_by_quality_first_and_by_size_then() -> None:
    data = encoded(Image.effect_noise((1000, 1000), 120).convert("RGB"), quality=95)
    free = cut(data, spec())
    lighter = cut(data, spec(max_bytes=len(free.data) * 3 // 4))
    assert (lighter.width, lighter.height) == (1000, 1000)
    assert len(lighter.data) <= len(free.data) * 3 // 4
    small = cut(data, spec(max_bytes=60_000))
    assert len(small.data) <= 60_000
    assert small.width < 1000
    assert LOW <= Fraction(small.width, small.height) <= HIGH


def test_bytes_that_cannot_be_met_are_refused_after_a_few_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []

    def heavy(_image: Image.Image, quality: int) -> bytes:
        tried.append(quality)
        return b"x" * 1000

    monkeypatch.setattr(cutting, "jpeg", heavy)
    with pytest.raises(UnfitFile) as refused:
        cut(encoded(Image.new("RGB", (300, 300))), spec(max_bytes=999))
    assert refused.value.code == "too-many-bytes"
    assert refused.value.detail.endswith(".")
    assert len(tried) == len(cutting.QUALITIES) + 2 * (cutting.SIZES - 1)


def test_a_cut_is_upright_and_tells_nothing_of_its_origin() -> None:
    made = cut(photo(900, 600), spec(ratio=LOW, focal=(0.9, 0.1)))
    found = Image.open(io.BytesIO(made.data))
    assert set(found.info) - {"jfif", "jfif_version", "jfif_unit", "jfif_density"} == set()
    assert not found.getexif()
    assert b"for my eyes only" not in made.data
    corner = found.convert("RGB").getpixel((made.width - 10, 10))
    assert isinstance(corner, tuple)
    assert corner[0] > 200  # the mark of the stored top left is seen at the top right
    assert max(corner[1:]) < 60


def test_a_damaged_picture_is_refused_here_too() -> None:
    with pytest.raises(UnfitFile) as refused:
        cut(photo()[:9000], spec())
    assert refused.value.code == "damaged"


def test_a_transparent_picture_is_cut_on_white() -> None:
    clear = Image.new("RGBA", (400, 100), (0, 0, 0, 0))
    made = image(cut(encoded(clear, "PNG"), spec(), "image/png"))
    assert made.getpixel((90, 50)) == (255, 255, 255)
