"""Rendering: sizes, orientation, colours. Colours are held against the picture that a person sees."""

import io
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageCms, ImageOps, ImageStat

from socialflow.media import inspection
from socialflow.media.rendering import Rendered, render
from tests.pictures import encoded, scene

TYPES = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}


def rendered(data: bytes, kind: str = "JPEG") -> dict[str, Rendered]:
    with inspection.opened(io.BytesIO(data), TYPES[kind]) as picture:
        return {made.variant: made for made in render(picture)}


def image(made: Rendered) -> Image.Image:
    return Image.open(io.BytesIO(made.data)).convert("RGB")


def difference(one: Image.Image, other: Image.Image) -> float:
    """Return the mean difference of two pictures of one size, in steps of 256."""
    return sum(ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB"))).mean) / 3


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (
            (6000, 4000),
            {
                "large": (2400, 1600),
                "medium": (1200, 800),
                "small": (600, 400),
                "square": (512, 512),
                "thumb": (300, 300),
            },
        ),
        (
            (4000, 6000),
            {
                "large": (2400, 3600),
                "medium": (1200, 1800),
                "small": (600, 900),
                "square": (512, 512),
                "thumb": (300, 300),
            },
        ),
        (
            (900, 600),
            {"large": (900, 600), "medium": (900, 600), "small": (600, 400), "square": (512, 512), "thumb": (300, 300)},
        ),
        (
            (200, 100),
            {"large": (200, 100), "medium": (200, 100), "small": (200, 100), "square": (100, 100), "thumb": (100, 100)},
        ),
        ((1, 1), {"large": (1, 1), "medium": (1, 1), "small": (1, 1), "square": (1, 1), "thumb": (1, 1)}),
        (
            (5000, 400),
            {"large": (2400, 192), "medium": (1200, 96), "small": (600, 48), "square": (192, 192), "thumb": (192, 192)},
        ),
        ((3000, 1), {"large": (2400, 1), "medium": (1200, 1), "small": (600, 1), "square": (1, 1), "thumb": (1, 1)}),
    ],
    ids=str,
)
def test_sizes_are_the_seeds_and_nothing_is_enlarged(
    size: tuple[int, int], expected: dict[str, tuple[int, int]]
) -> None:
    made = rendered(encoded(Image.new("RGB", size, "teal")))
    assert {name: (one.width, one.height) for name, one in made.items()} == expected
    assert {name: image(one).size for name, one in made.items()} == expected


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_upright(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(scene(1300, 900), exif=exif, quality=95)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    made = rendered(data)
    for name in ("large", "small"):
        one = image(made[name])
        assert difference(one, upright.resize(one.size, Image.Resampling.LANCZOS)) < 1.5, name


def test_a_thumb_is_the_middle() -> None:
    wide = Image.new("RGB", (1200, 400), "red")
    wide.paste("lime", (400, 0, 800, 400))
    assert difference(image(rendered(encoded(wide))["thumb"]), Image.new("RGB", (300, 300), "lime")) < 3


def test_a_wide_gamut_is_brought_to_srgb_not_relabelled() -> None:
    """The same numbers under another profile are another colour."""
    swapped = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    plain = rendered(encoded(Image.new("RGB", (400, 400), (200, 80, 40))))
    same = rendered(encoded(Image.new("RGB", (400, 400), (200, 80, 40)), icc_profile=swapped))
    assert difference(image(plain["small"]), image(same["small"])) < 2
    lab = ImageCms.createProfile("LAB")
    xyz = rendered(
        encoded(Image.new("RGB", (400, 400), (200, 80, 40)), icc_profile=ImageCms.ImageCmsProfile(lab).tobytes())
    )
    assert difference(image(plain["small"]), image(xyz["small"])) < 2  # a profile that does not fit counts as sRGB


@pytest.mark.parametrize("profile", [b"garbage", b"\x00" * 128, b"acsp" * 100], ids=["text", "zeros", "magic"])
def test_a_profile_that_cannot_be_read_counts_as_srgb(profile: bytes) -> None:
    plain, marked = encoded(scene()), encoded(scene(), icc_profile=profile)
    assert difference(image(rendered(plain)["small"]), image(rendered(marked)["small"])) < 2


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_what_is_transparent_is_white(kind: str) -> None:
    clear = Image.new("RGBA", (400, 400), (255, 0, 0, 0))
    made = rendered(encoded(clear, kind, **({"lossless": True, "exact": True} if kind == "WEBP" else {})), kind)
    assert difference(image(made["small"]), Image.new("RGB", (400, 400), "white")) < 1


def test_half_transparent_is_half_white() -> None:
    half = Image.new("RGBA", (400, 400), (0, 0, 0, 128))
    assert (
        difference(image(rendered(encoded(half, "PNG"), "PNG")["small"]), Image.new("RGB", (400, 400), "#7f7f7f")) < 2
    )


PALETTE = Image.new("P", (300, 300), 1)
PALETTE.putpalette([0, 0, 0, 10, 200, 30])


@pytest.mark.parametrize(
    ("source", "options", "expected"),
    [
        (PALETTE, {}, (10, 200, 30)),
        (PALETTE, {"transparency": 1}, (255, 255, 255)),
        (Image.new("1", (300, 300), 1), {}, (255, 255, 255)),
        (Image.new("L", (300, 300), 90), {}, (90, 90, 90)),
        (Image.new("L", (300, 300), 90), {"transparency": 90}, (255, 255, 255)),
        (Image.new("LA", (300, 300), (0, 0)), {}, (255, 255, 255)),
        (Image.new("I;16", (300, 300), 40_000), {}, (156, 156, 156)),
        (Image.new("RGB", (300, 300), (1, 2, 3)), {"transparency": (1, 2, 3)}, (255, 255, 255)),
    ],
    ids=["palette", "palette-clear", "bits", "grey", "grey-clear", "grey-alpha", "16-bit", "colour-key"],
)
def test_every_mode_of_a_png_keeps_its_colour(
    source: Image.Image, options: dict[str, Any], expected: tuple[int, int, int]
) -> None:
    made = rendered(encoded(source, "PNG", **options), "PNG")
    assert difference(image(made["small"]), Image.new("RGB", (300, 300), expected)) < 2


@pytest.mark.parametrize("mode", ["CMYK", "L"])
def test_other_modes_of_a_jpeg_keep_their_colour(mode: str) -> None:
    source = scene(2600, 1800).convert(mode)
    made = image(rendered(encoded(source, quality=95))["small"])
    assert difference(made, source.convert("RGB").resize(made.size, Image.Resampling.LANCZOS)) < 3


def test_a_jpeg_that_holds_rgb_itself_keeps_its_colour() -> None:
    made = image(rendered(encoded(scene(2600, 1800), keep_rgb=True, quality=95))["small"])
    assert difference(made, scene(2600, 1800).resize(made.size, Image.Resampling.LANCZOS)) < 3


def test_a_small_decode_is_as_good_as_a_full_one() -> None:
    """Wide enough to be decoded at half its size: held against the whole picture, resized by the best filter."""
    grain = Image.effect_noise((1000, 60), 60).convert("RGB").resize((8000, 480), Image.Resampling.BICUBIC)
    data = encoded(grain, quality=95)
    full = Image.open(io.BytesIO(data)).convert("RGB").resize((2400, 144), Image.Resampling.LANCZOS)
    unavoidable = difference(Image.open(io.BytesIO(encoded(full, quality=90))), full)
    assert difference(image(rendered(data)["large"]), full) < 1.2 * unavoidable
