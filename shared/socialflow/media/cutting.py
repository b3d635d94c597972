"""Cuts a picture as a network takes it: within its ratios, pixels and bytes, around what is worth seeing.

No more is cut than the ratio asks for, nothing is enlarged, and all of it is one decode: the picture is decoded at the
scale of the cut, so that the cut itself moves no pixel.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, sqrt

from PIL import Image

from socialflow.media import attention
from socialflow.media.decoding import decoded, pillow
from socialflow.media.inspection import Picture, refusing_damage
from socialflow.media.model import UnfitFile
from socialflow.media.rendering import jpeg
from socialflow.media.rendition_spec import PictureSpec

CONTENT_TYPE = "image/jpeg"
QUALITIES = (90, 84, 76, 68, 60)
"""Tried one after the other while there are too many bytes; then the last two at smaller sizes."""
SHRINKING = 0.8
SIZES = 10
"""How often a picture is made smaller before it is given up: a tenth of its width is left then."""
MOST_DECODED = 40_000_000
"""Pixels that are decoded at the most: a panorama is decoded as a whole, however little of it is kept."""


@dataclass(frozen=True)
class Cut:
    """A picture's bytes as a network takes them."""

    data: bytes
    width: int
    height: int


def cut(picture: Picture, spec: PictureSpec) -> Cut:
    """Return an opened picture as the spec asks for it; raises `UnfitFile` where that cannot be made."""
    with refusing_damage():
        whole = pillow(decoded(picture, _width(picture.width, picture.height, spec)))
        image = _padded(whole, spec) if spec.fit == "pad" else _cropped(whole, spec)
        return _within_bytes(image, spec)


def within(width: int, height: int, spec: PictureSpec) -> tuple[int, int]:
    """Return the largest size inside of another that has a ratio of the spec's; at the least 1 by 1."""
    low, high = spec.ratios
    if spec.ratio is not None:
        width, height = min(width, max(1, round(height * spec.ratio))), min(height, max(1, round(width / spec.ratio)))
    while True:
        size = width, height
        if low is not None and width < low * height:
            height = max(1, floor(width / low))
        elif high is not None and width > high * height:
            width = max(1, floor(height * high))
        if (width, height) == size:
            return size


def around(width: int, height: int, spec: PictureSpec) -> tuple[int, int]:
    """Return the smallest size around another that has a ratio of the spec's."""
    low, high = spec.ratios
    if spec.ratio is not None:
        width, height = max(width, round(height * spec.ratio)), max(height, round(width / spec.ratio))
    while True:
        size = width, height
        if low is not None and width < low * height:
            width = ceil(height * low)
        elif high is not None and width > high * height:
            height = ceil(width / high)
        if (width, height) == size:
            return size


def _bounded(width: int, height: int, spec: PictureSpec) -> tuple[int, int]:
    """Return a size without the pixel by which rounding may have gone over a limit."""
    width = min(width, spec.max_width)
    return within(width, min(height, spec.max_height, spec.max_pixels // width), spec)


def _width(width: int, height: int, spec: PictureSpec) -> int:
    """Return how wide the whole picture is decoded, so that what is kept of it needs no further resizing."""
    kept = around(width, height, spec) if spec.fit == "pad" else within(width, height, spec)
    scales = [1.0, sqrt(MOST_DECODED / (width * height)), sqrt(spec.max_pixels / (kept[0] * kept[1]))]
    scales += [spec.max_width / kept[0], spec.max_height / kept[1]]
    return ceil(width * min(scales))


def _cropped(whole: Image.Image, spec: PictureSpec) -> Image.Image:
    width, height = _bounded(*within(*whole.size, spec), spec)
    left = _begin(whole, width, spec, across=True)
    top = _begin(whole, height, spec, across=False)
    return whole.crop((left, top, left + width, top + height))


def _begin(whole: Image.Image, window: int, spec: PictureSpec, *, across: bool) -> int:
    """Return where the kept part begins along one axis: around the chosen point, else where there is most to see."""
    length = whole.width if across else whole.height
    if length == window:
        return 0
    if spec.focal is None:
        return attention.offset(whole, window, across=across)
    wanted = spec.focal[0 if across else 1] * length - window / 2
    return min(max(0, round(wanted)), length - window)


def _padded(whole: Image.Image, spec: PictureSpec) -> Image.Image:
    """Put the whole picture on white, as transparency is."""
    width, height = _bounded(*around(*whole.size, spec), spec)
    if (width, height) == whole.size:
        return whole
    canvas = Image.new("RGB", (width, height), "white")
    canvas.paste(whole.convert("RGB"), ((width - whole.width) // 2, (height - whole.height) // 2))
    return canvas


def _within_bytes(image: Image.Image, spec: PictureSpec) -> Cut:
    qualities: Sequence[int] = QUALITIES
    for _ in range(SIZES):
        for quality in qualities:
            data = jpeg(image, quality)
            if len(data) <= spec.max_bytes:
                return Cut(data, image.width, image.height)
        qualities = QUALITIES[-2:]
        smaller = (max(1, round(image.width * SHRINKING)), max(1, round(image.height * SHRINKING)))
        image = image.resize(within(*smaller, spec), Image.Resampling.LANCZOS)
    raise UnfitFile(
        "too-many-bytes",
        f"The picture cannot be made smaller than {spec.max_bytes:,} bytes and still be seen. Use a simpler picture.",
    )
