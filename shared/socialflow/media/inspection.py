"""Looks at a picture by its content: is it what it says, can it be taken, when and with what was it made.

Nothing that a file claims is believed; what it cannot harm us with is bounded here (formats, pixels, sides, frames).
"""

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

import pi_heif
import pyvips
from PIL import ExifTags, Image, UnidentifiedImageError

from socialflow.media.model import UnfitFile

MAX_PIXELS = 100_000_000
"""Pixels of a JPEG, which is decoded in a smaller size; 100 MP take about 150 MB so."""
MAX_PIXELS_UNSCALED = 50_000_000
"""Pixels of other pictures, which are decoded as they are."""
MAX_PIXELS_MOVING = 16_000_000
"""Pixels of a picture that moves: a frame is decoded together with the one before it."""
MAX_SIDE = 30_000

TYPES = {
    "JPEG": ("image/jpeg",),
    "MPO": ("image/jpeg",),
    "PNG": ("image/png",),
    "WEBP": ("image/webp",),
    "GIF": ("image/gif",),
    "AVIF": ("image/avif",),
    "HEIF": ("image/heic", "image/heif"),
}
"""Pillow's formats that are taken, and what each may be announced as.

MPO is a JPEG with more pictures behind it: what newer phones write. HEIC is what its container, HEIF, is called with a
picture of that coding inside; phones say the one or the other of the same file.
"""
NAMES = {"MPO": "JPEG", "WEBP": "WebP", "HEIF": "HEIC"}
TAKEN = "JPEG, PNG, WebP, HEIC, AVIF or GIF"

# Read by libvips in one pass; of a PNG that moves, the picture that its maker put there for those that cannot show it.
_STREAMED = ("image/jpeg", "image/png", "image/webp")
_MOVING = ("image/gif", "image/png", "image/webp", "image/avif")
_SWAPPED = range(5, 9)
_MAX_CAMERA = 100
# What Pillow raises over a damaged or hostile file, by its plugins' own doing.
_DAMAGED = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    TypeError,
    KeyError,
    IndexError,
    OverflowError,
    struct.error,
    RuntimeError,
    pyvips.Error,
)

Image.MAX_IMAGE_PIXELS = MAX_PIXELS
pi_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)


@dataclass(frozen=True)
class Picture:
    """An opened picture, not decoded yet. `width` and `height` are as a person sees it."""

    image: Image.Image
    content_type: str
    width: int
    height: int
    orientation: int
    captured_at: datetime | None
    camera: str | None
    animated: bool = False
    profile: bytes = b""
    file: BinaryIO | None = None
    """What it is read from; None where it is in memory already."""

    @property
    def streams(self) -> bool:
        """Whether it is read from top to bottom, never whole in memory."""
        moves = self.animated and self.content_type != "image/png"
        return self.file is not None and self.content_type in _STREAMED and not moves

    @property
    def turned(self) -> bool:
        """Whether the stored rows are the columns that a person sees."""
        return self.orientation in _SWAPPED


@contextmanager
def opened(file: BinaryIO, declared_type: str) -> Iterator[Picture]:
    """Open a picture that was announced as a type; raises `UnfitFile`. Decoding it may still find damage."""
    with refusing_damage():
        try:
            image = Image.open(file, formats=("JPEG", "PNG", "WEBP", "GIF", "AVIF", "HEIF"))
        except UnidentifiedImageError:
            raise UnfitFile(
                "not-a-picture", f"This is not a {TAKEN} picture, whatever its name says. Upload a picture."
            ) from None
        picture = _inspected(file, image, declared_type)
    with image:
        yield picture


@contextmanager
def refusing_damage() -> Iterator[None]:
    """Turn what Pillow raises over a damaged or hostile file into `UnfitFile`; its bomb warning counts as an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a person cannot act on a plugin's remark about metadata
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            yield
        except (Image.DecompressionBombWarning, Image.DecompressionBombError):
            raise too_many_pixels(MAX_PIXELS) from None
        except MemoryError:
            raise UnfitFile(
                "too-complex", "The picture needs too much memory. Save it smaller and try again."
            ) from None
        except _DAMAGED as error:
            raise UnfitFile(
                "damaged", "The picture is damaged or incomplete. Open it, save it anew, and upload that."
            ) from error


def too_many_pixels(limit: int) -> UnfitFile:
    """Return the refusal of a picture that is too large to be decoded."""
    return UnfitFile(
        "too-many-pixels", f"The picture has more than {limit // 1_000_000} megapixels. Save it smaller and try again."
    )


def _inspected(file: BinaryIO, image: Image.Image, declared_type: str) -> Picture:
    found = image.format or ""
    if declared_type not in TYPES[found]:
        raise UnfitFile(
            "type-differs",
            f"The file was announced as {declared_type} and is a {NAMES.get(found, found)} picture. Upload it as that.",
        )
    width, height = image.size
    if width * height > MAX_PIXELS_UNSCALED and declared_type != "image/jpeg":
        raise too_many_pixels(MAX_PIXELS_UNSCALED)
    # The further pictures of a JPEG or a HEIC are depth maps, previews, or others of a burst.
    animated = declared_type in _MOVING and bool(getattr(image, "is_animated", False))
    if animated and width * height > MAX_PIXELS_MOVING:
        raise too_many_pixels(MAX_PIXELS_MOVING)
    if max(width, height) > MAX_SIDE:
        raise UnfitFile("too-long", f"A side of the picture has more than {MAX_SIDE} pixels. Crop it.")
    exif = _exif(image)
    orientation = _orientation(exif)
    if orientation in _SWAPPED:
        width, height = height, width
    return Picture(
        image=image,
        content_type=declared_type,
        width=width,
        height=height,
        orientation=orientation,
        captured_at=_captured_at(exif),
        camera=_camera(exif),
        animated=animated,
        profile=image.info.get("icc_profile") or b"",
        file=file,
    )


def _exif(image: Image.Image) -> dict[int, object]:
    """Return the metadata that is used; damaged metadata is none, and no reason to refuse the picture."""
    try:
        exif = Image.Image.getexif(image)  # a PNG's own would decode the picture, to find what stands behind it
        return dict(exif) | dict(exif.get_ifd(ExifTags.IFD.Exif))
    except _DAMAGED:
        return {}


def _orientation(exif: dict[int, object]) -> int:
    found = exif.get(ExifTags.Base.Orientation)
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def _captured_at(exif: dict[int, object]) -> datetime | None:
    for tag in (ExifTags.Base.DateTimeOriginal, ExifTags.Base.DateTimeDigitized):
        try:
            # No zone: it is the camera's wall clock.
            return datetime.strptime(_text(exif.get(tag)), "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007 # see above
        except ValueError:
            continue
    return None


def _camera(exif: dict[int, object]) -> str | None:
    make, model = _text(exif.get(ExifTags.Base.Make)), _text(exif.get(ExifTags.Base.Model))
    name = model if model.lower().startswith(make.lower()) else f"{make} {model}"
    return name.strip()[:_MAX_CAMERA] or None


def _text(value: object) -> str:
    text = value if isinstance(value, str) else ""
    return "".join(letter for letter in text if letter.isprintable()).strip()
