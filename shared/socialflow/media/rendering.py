"""Makes the derivatives of a picture: one decode, then each size from the one above it.

At equal quality that costs less than half of what separate resizes cost, and a fraction of their memory.
"""

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass

import pyvips
from PIL import Image

from socialflow.media.decoding import decoded, fitting, pillow, resized
from socialflow.media.inspection import Picture, refusing_damage

CONTENT_TYPE = "image/jpeg"
WIDTHS = (("large", 2400, 90), ("medium", 1200, 85), ("small", 600, 85))
"""Variant, width in pixels, JPEG quality; the height follows, and nothing is enlarged."""
SQUARES = (("square", 512, 85), ("thumb", 300, 80))
"""The same of squares cut from the middle: one for models that look at pictures, one for people."""


@dataclass(frozen=True)
class Rendered:
    """A derivative's bytes."""

    variant: str
    data: bytes
    width: int
    height: int

    @property
    def sha256(self) -> bytes:
        """The digest of the bytes."""
        return hashlib.sha256(self.data).digest()


def render(picture: Picture) -> list[Rendered]:
    """Return the derivatives of an opened picture, the largest first; raises `UnfitFile` where it cannot be decoded."""
    image = decoded(picture, WIDTHS[0][1])
    with refusing_damage():
        return list(_derivatives(picture, image))


def _derivatives(picture: Picture, image: pyvips.Image) -> Iterator[Rendered]:
    sources = []
    for variant, width, quality in WIDTHS:
        image = resized(image, *fitting(picture.width, picture.height, width)).copy_memory()
        sources.append(image)
        data = image.jpegsave_buffer(Q=quality, subsample_mode="on", keep="none")
        yield Rendered(variant, data, image.width, image.height)
    for variant, side, quality in SQUARES:
        source = next((each for each in reversed(sources) if min(each.width, each.height) >= side), sources[0])
        cut = _square(picture, pillow(source), side)
        yield Rendered(variant, jpeg(cut, quality), cut.width, cut.height)


def _square(picture: Picture, image: Image.Image, side: int) -> Image.Image:
    """Cut the middle of the picture, to parts of a pixel: an image of it has been rounded to whole ones."""
    edge = min(picture.width, picture.height)
    left, top = (picture.width - edge) / 2, (picture.height - edge) / 2
    across, down = image.width / picture.width, image.height / picture.height
    wanted = min(side, *image.size)
    box = (left * across, top * down, (left + edge) * across, (top + edge) * down)
    return image.resize((wanted, wanted), Image.Resampling.LANCZOS, box=box)


def jpeg(image: Image.Image, quality: int) -> bytes:
    """Return a picture as a JPEG that tells nothing of its origin."""
    image.info = {}  # comments, profiles and EXIF would be written with it
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality, subsampling="4:2:0")
    return buffer.getvalue()
