"""Pictures made for tests: ordinary ones, and ones that mean harm."""

import io
from typing import Any

from PIL import Image, ImageDraw


def encoded(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    """Return an image as a file of a kind."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def scene(width: int = 900, height: int = 600, *, sky: str = "skyblue", ground: str = "saddlebrown") -> Image.Image:
    """Return a picture of which every corner is another: a sky, a ground, a red mark at the top left."""
    image = Image.new("RGB", (width, height), sky)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, height // 2, width, height), fill=ground)
    draw.rectangle((0, 0, width // 6, height // 6), fill="red")
    return image


def photo(width: int = 900, height: int = 600, **colours: str) -> bytes:
    """Return a JPEG as a camera writes it: turned, dated, with a place and a comment that nobody else should see."""
    exif = Image.Exif()
    exif[0x0112] = 6  # Orientation: turn it right by 90 degrees
    exif[0x010F], exif[0x0110] = "ACME", "ACME Snap 3"
    exif.get_ifd(0x8769)[0x9003] = "2024:05:06 07:08:09"
    exif.get_ifd(0x8769)[0xA431] = "SERIAL-4711"
    exif.get_ifd(0x8825)[0x0001] = "N"
    exif.get_ifd(0x8825)[0x0002] = (52.0, 31.0, 12.0)
    return encoded(scene(width, height, **colours), exif=exif, comment=b"for my eyes only", quality=90)
