"""Makes the derivatives of a picture: one decode, then each size from the one above it.

JPEG is decoded in YCbCr at 1.5 times the largest size or more, shrunk, and only then turned and brought to sRGB: at
equal quality that costs half of what four separate resizes cost, and a fraction of their memory.
"""

import hashlib
import io
from dataclasses import dataclass

from PIL import Image, ImageCms

from socialflow.media.inspection import Picture, refusing_damage

CONTENT_TYPE = "image/jpeg"
WIDTHS = (("large", 2400, 90), ("medium", 1200, 85), ("small", 600, 85))
"""Variant, width in pixels, JPEG quality; the height follows, and nothing is enlarged."""
SQUARES = (("square", 512, 85), ("thumb", 300, 80))
"""The same of squares cut from the middle: one for models that look at pictures, one for people."""

_HEADROOM = 1.5
_MAX_PROFILE = 4 * 1024 * 1024
_RGB_COMPONENTS = [ord(letter) for letter in "RGB"]
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


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
    with refusing_damage():
        images = [_narrowed(decoded(picture, WIDTHS[0][1]), WIDTHS[0][1])]
        for _, width, _ in WIDTHS[1:]:
            images.append(_narrowed(images[-1], width))  # each is made from the one before
        rendered = [_encoded(name, image, quality) for (name, _, quality), image in zip(WIDTHS, images, strict=True)]
        for name, side, quality in SQUARES:
            source = next((image for image in reversed(images) if min(image.size) >= side), images[0])
            rendered.append(_encoded(name, _square(source, side), quality))
        return rendered


def decoded(picture: Picture, most: int) -> Image.Image:
    """Decode, shrink to `most` pixels of width as a person sees it, turn upright, flatten on white, bring to sRGB."""
    image = picture.image
    profile = image.info.get("icc_profile") or b""
    width, height = _fitting(picture.width, picture.height, most)
    if picture.turned:
        width, height = height, width
    box = None
    if picture.content_type == "image/jpeg":
        wanted = (round(width * _HEADROOM), round(height * _HEADROOM))
        drafted = image.draft(None if profile or _stored_as_rgb(image) else "YCbCr", wanted)
        box = drafted[1] if drafted else None
    image.load()
    image = _plain(image)
    if image.size != (width, height):
        image = image.resize((width, height), Image.Resampling.LANCZOS, box=box)
    image = _on_white(image)
    if picture.orientation in _TURNS:
        image = image.transpose(_TURNS[picture.orientation])
    return _in_srgb(image, profile)


def _stored_as_rgb(image: Image.Image) -> bool:
    """Tell whether a JPEG holds RGB itself: the decoder cannot give that out as YCbCr."""
    components = [layer[0] for layer in getattr(image, "layer", [])]
    return image.info.get("adobe_transform") == 0 or components == _RGB_COMPONENTS


def _plain(image: Image.Image) -> Image.Image:
    """Return the picture in a mode that can be resized: no palette, no single bits, eight bits a channel."""
    if image.mode in ("I;16", "I;16B", "I;16L", "I"):
        return image.point(lambda value: value * (1 / 256)).convert("L")  # convert alone would clip to white
    if image.mode in ("P", "PA") or "transparency" in image.info:
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
    if image.mode == "1":
        return image.convert("L")
    return image


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode not in ("RGBA", "LA"):
        return image
    mode = image.mode[:-1]
    background = Image.new(mode, image.size, "white")
    background.paste(image.convert(mode), mask=image.getchannel("A"))
    return background


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Convert by the picture's profile; without one, or with one that cannot be read, it counts as sRGB."""
    if profile and len(profile) <= _MAX_PROFILE:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (OSError, ValueError, ImageCms.PyCMSError):
            converted = None
        if converted is not None:
            return converted
    return image if image.mode in ("RGB", "L", "YCbCr") else image.convert("RGB")


def _narrowed(image: Image.Image, width: int) -> Image.Image:
    size = _fitting(*image.size, width)
    return image if image.size == size else image.resize(size, Image.Resampling.LANCZOS)


def _square(image: Image.Image, side: int) -> Image.Image:
    edge = min(image.size)
    left, top = (image.width - edge) / 2, (image.height - edge) / 2
    wanted = min(side, edge)
    return image.resize((wanted, wanted), Image.Resampling.LANCZOS, box=(left, top, left + edge, top + edge))


def _fitting(width: int, height: int, most: int) -> tuple[int, int]:
    if width <= most:
        return width, height
    return most, max(1, round(height * most / width))


def jpeg(image: Image.Image, quality: int) -> bytes:
    """Return a picture as a JPEG that tells nothing of its origin."""
    image.info = {}  # comments, profiles and EXIF would be written with it
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality, subsampling="4:2:0")
    return buffer.getvalue()


def _encoded(variant: str, image: Image.Image, quality: int) -> Rendered:
    return Rendered(variant, jpeg(image, quality), image.width, image.height)
