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

from PIL import ExifTags, Image, UnidentifiedImageError

from socialflow.media.model import UnfitFile

MAX_PIXELS = 100_000_000
"""Pixels of a JPEG, which is decoded in a smaller size; 100 MP take about 150 MB so."""
MAX_PIXELS_UNSCALED = 50_000_000
"""Pixels of a PNG or WebP, which is decoded as it is: four bytes each, twice while alpha is resized."""
MAX_SIDE = 30_000

TYPES = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
"""Pillow's formats that are taken. MPO is a JPEG with more pictures behind it: what newer phones write."""
NAMES = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WebP"}

_SWAPPED = range(5, 9)
_MAX_CAMERA = 100
# What Pillow raises over a damaged or hostile file, by its plugins' own doing.
_DAMAGED = (OSError, ValueError, SyntaxError, EOFError, TypeError, KeyError, IndexError, OverflowError, struct.error)

Image.MAX_IMAGE_PIXELS = MAX_PIXELS


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

    @property
    def turned(self) -> bool:
        """Whether the stored rows are the columns that a person sees."""
        return self.orientation in _SWAPPED


@contextmanager
def opened(file: BinaryIO, declared_type: str) -> Iterator[Picture]:
    """Open a picture that was announced as a type; raises `UnfitFile`. Decoding it may still find damage."""
    with refusing_damage():
        try:
            image = Image.open(file, formats=("JPEG", "PNG", "WEBP"))
        except UnidentifiedImageError:
            raise UnfitFile(
                "not-a-picture", "This is not a JPEG, PNG or WebP picture, whatever its name says. Upload a picture."
            ) from None
        picture = _inspected(image, declared_type)
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
            raise _too_many_pixels(MAX_PIXELS) from None
        except MemoryError:
            raise UnfitFile(
                "too-complex", "The picture needs too much memory. Save it smaller and try again."
            ) from None
        except _DAMAGED as error:
            raise UnfitFile(
                "damaged", "The picture is damaged or incomplete. Open it, save it anew, and upload that."
            ) from error


def _inspected(image: Image.Image, declared_type: str) -> Picture:
    content_type = TYPES[image.format or ""]
    if content_type != declared_type:
        raise UnfitFile(
            "type-differs",
            f"The file was announced as {declared_type} and is a {NAMES[content_type]} picture. Upload it as that.",
        )
    width, height = image.size
    if width * height > MAX_PIXELS_UNSCALED and content_type != "image/jpeg":
        raise _too_many_pixels(MAX_PIXELS_UNSCALED)
    if max(width, height) > MAX_SIDE:
        raise UnfitFile("too-long", f"A side of the picture has more than {MAX_SIDE} pixels. Crop it.")
    # An MPO's further pictures are depth maps and previews; frames of the other formats are an animation.
    if content_type != "image/jpeg" and getattr(image, "n_frames", 1) > 1:
        raise UnfitFile("animated", "Animated pictures cannot be taken yet. Upload a still.")
    exif = _exif(image)
    orientation = _orientation(exif)
    if orientation in _SWAPPED:
        width, height = height, width
    return Picture(image, content_type, width, height, orientation, _captured_at(exif), _camera(exif))


def _too_many_pixels(limit: int) -> UnfitFile:
    return UnfitFile(
        "too-many-pixels", f"The picture has more than {limit // 1_000_000} megapixels. Save it smaller and try again."
    )


def _exif(image: Image.Image) -> dict[int, object]:
    """Return the metadata that is used; damaged metadata is none, and no reason to refuse the picture."""
    try:
        exif = image.getexif()
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
