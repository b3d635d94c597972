"""Brings an inspected picture into memory: shrunk, upright, opaque, in sRGB.

JPEG, PNG and WebP are read by libvips in one pass from top to bottom, so that of a large picture only a band is in
memory at a time. The rest, of which there is no large one, is decoded by Pillow and shrunk in the same way.
"""

import io
from typing import BinaryIO

import pyvips
from PIL import Image, ImageCms, ImageStat

from socialflow.media.inspection import MAX_PIXELS_MOVING, Picture, refusing_damage, too_many_pixels
from socialflow.media.model import UnfitFile

HEADROOM = 1.5
"""A JPEG's decoder may shrink it to no less than this much of what is wanted: below, detail is lost."""

_SHRINKS = (8, 4, 2)
_MAX_PROFILE = 4 * 1024 * 1024
_WHITE = 255
_MODES = {1: "L", 3: "RGB", 4: "CMYK"}
# A still of an animation: the first frame that is not of one shade, of as many as this.
_FRAMES = 24
_FRAME_PIXELS = 100_000_000
_SHADES = 12

# libvips opens nothing but these three, by name, whatever a file claims to be; one thread, nothing remembered.
pyvips.block_untrusted_set(state=True)
pyvips.operation_block_set("VipsForeignLoad", state=True)
for _loader in ("VipsForeignLoadJpeg", "VipsForeignLoadPng", "VipsForeignLoadWebp"):
    pyvips.operation_block_set(_loader, state=False)
pyvips.cache_set_max(0)
pyvips.concurrency_set(1)


def decoded(picture: Picture, width: int) -> pyvips.Image:
    """Return the picture as a person sees it, at most `width` pixels wide; raises `UnfitFile` where it is damaged."""
    with refusing_damage():
        image = _read(picture, width) if picture.streams else _taken(_still(picture))
        across, down = fitting(picture.width, picture.height, width)
        if picture.turned:
            across, down = down, across
        image = _upright(resized(_opaque(image), across, down).copy_memory(), picture.orientation)
        return _in_srgb(image, picture.profile)


def resized(image: pyvips.Image, width: int, height: int) -> pyvips.Image:
    """Return the image in exactly this size, by a Lanczos filter."""
    if (image.width, image.height) == (width, height):
        return image
    return image.resize(width / image.width, vscale=height / image.height, kernel="lanczos3")


def fitting(width: int, height: int, most: int) -> tuple[int, int]:
    """Return the size of a picture that is `most` pixels wide; nothing is enlarged."""
    if width <= most:
        return width, height
    return most, max(1, round(height * most / width))


def pillow(image: pyvips.Image) -> Image.Image:
    """Return the image as Pillow's."""
    size = (image.width, image.height)
    mode = _MODES[image.bands]
    return Image.frombuffer(mode, size, image.write_to_memory(), "raw", mode, 0, 1)


def _read(picture: Picture, width: int) -> pyvips.Image:
    """Open the file for one pass; what the reader finds must be what was inspected."""
    image = _opened(picture)
    if (image.width, image.height) != picture.image.size:
        raise UnfitFile(
            "damaged", "The picture says two things about its size. Open it, save it anew, and upload that."
        )
    if picture.content_type == "image/jpeg":
        across = image.height if picture.turned else image.width
        wanted = min(width, across) * HEADROOM
        shrink = next((by for by in _SHRINKS if across / by >= wanted), 1)
        image = _opened(picture, shrink=shrink) if shrink > 1 else image
    return image if image.format == "uchar" else _of_eight_bits(image)


def _of_eight_bits(image: pyvips.Image) -> pyvips.Image:
    """Keep the upper eight of sixteen bits a channel."""
    name = "b-w" if image.bands < 3 else "srgb"
    return image.cast("uchar", shift=True).copy(interpretation=name)


def _opened(picture: Picture, **options: int) -> pyvips.Image:
    name = picture.content_type.removeprefix("image/")
    assert picture.file is not None  # it streams
    return getattr(pyvips.Image, f"{name}load_source")(
        _source(picture.file), access="sequential", fail_on="truncated", **options
    )


def _source(file: BinaryIO) -> pyvips.Source:
    """Return a source that begins at the beginning; a file on disk is opened anew, and not read into memory."""
    if isinstance(file, io.BytesIO):
        return pyvips.Source.new_from_memory(file.getbuffer())
    return pyvips.Source.new_from_file(file.name)


def _still(picture: Picture) -> Image.Image:
    """Decode by Pillow: of an animation the first frame that shows something, else the first."""
    image = picture.image
    if picture.animated:
        looked_at = max(1, min(_FRAMES, _FRAME_PIXELS // (image.width * image.height)))
        if not any(_shows_something(image, number) for number in range(looked_at)):
            image.seek(0)
    image.load()
    return image


def _shows_something(image: Image.Image, number: int) -> bool:
    try:
        image.seek(number)
        image.load()
    except EOFError:
        return False
    if image.width * image.height > MAX_PIXELS_MOVING:  # a frame may make its picture larger
        raise too_many_pixels(MAX_PIXELS_MOVING)
    grey = image.convert("RGBA").convert("LA").resize((32, 32), Image.Resampling.BOX)
    return max(ImageStat.Stat(grey).stddev) >= _SHADES


def _taken(image: Image.Image) -> pyvips.Image:
    """Return Pillow's image as libvips' one."""
    mode = "RGBA" if image.has_transparency_data else "RGB"
    plain = image if image.mode == mode else image.convert(mode)
    data = pyvips.Image.new_from_memory(plain.tobytes(), *plain.size, len(plain.mode), "uchar")
    # What is derived from it keeps the bytes alive; it itself, asked for a copy of its own, would hand out the same.
    return data.copy(interpretation="srgb")


def _opaque(image: pyvips.Image) -> pyvips.Image:
    """Put what is transparent on white: before the shrink, where it costs the least and is the same."""
    return (
        image.flatten(background=[_WHITE] * (image.bands - 1)) if image.bands in (2, 4) and image.hasalpha() else image
    )


def _upright(image: pyvips.Image, orientation: int) -> pyvips.Image:
    image = image.copy()
    image.set_type(pyvips.GValue.gint_type, "orientation", orientation)
    return image.autorot()


def _in_srgb(image: pyvips.Image, profile: bytes) -> pyvips.Image:
    """Convert by the picture's profile; without one, or with one that cannot be read, it counts as sRGB."""
    converted = None
    if profile and len(profile) <= _MAX_PROFILE:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            wanted = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(pillow(image), source, wanted, outputMode="RGB")
        except (OSError, ValueError, ImageCms.PyCMSError):
            converted = None
    if converted is None and image.bands != 3:
        converted = pillow(image).convert("RGB")
    return image if converted is None else _taken(converted)
