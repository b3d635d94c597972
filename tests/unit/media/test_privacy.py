"""Of what a file tells of its origin nothing is in what is made of it: every byte of every derivative is looked at."""

import io
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from socialflow.media import inspection, rendering
from tests.pictures import encoded, scene
from tests.profiles import display_p3

SECRETS = (b"for my eyes only", b"SERIAL-4711", b"ACME", b"2024:05:06", b"Exif", b"xpacket", b"ICC_PROFILE", b"acsp")
# What a JPEG needs to be decoded, and what says that it is one.
NEEDED = {0xD8, 0xE0, 0xDB, 0xC0, 0xC4, 0xDA, 0xD9}
XMP = b'<?xpacket begin=""?><x:xmpmeta xmlns:x="adobe:ns:meta/">for my eyes only</x:xmpmeta><?xpacket end="w"?>'


def told() -> Image.Exif:
    """Return the metadata of a camera that knows its place and its owner."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x013B] = "ACME", "ACME Snap 3", "for my eyes only"
    exif.get_ifd(0x8769)[0x9003] = "2024:05:06 07:08:09"
    exif.get_ifd(0x8769)[0xA431] = "SERIAL-4711"
    exif.get_ifd(0x8825)[0x0001] = "N"
    exif.get_ifd(0x8825)[0x0002] = (52.0, 31.0, 12.0)
    return exif


def _png() -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", "for my eyes only")
    info.add_itxt("XML:com.adobe.xmp", XMP.decode(), zip=False)
    return encoded(scene(), "PNG", pnginfo=info, exif=told(), icc_profile=display_p3())


TELLING = {
    "image/jpeg": encoded(scene(), exif=told(), comment=b"for my eyes only", xmp=XMP, icc_profile=display_p3()),
    "image/png": _png(),
    "image/webp": encoded(scene(), "WEBP", exif=told(), xmp=XMP, icc_profile=display_p3()),
    "image/avif": encoded(scene(), "AVIF", exif=told(), xmp=XMP, icc_profile=display_p3()),
    "image/gif": encoded(scene(), "GIF", comment=b"for my eyes only"),
    "image/heic": (Path(__file__).parents[2] / "files" / "photo.heic").read_bytes(),
}


def segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield a JPEG's markers before its pixels, with what they hold."""
    at = 2
    yield data[1], b""
    while data[at + 1] != 0xDA:
        (length,) = struct.unpack(">H", data[at + 2 : at + 4])
        yield data[at + 1], data[at + 4 : at + 2 + length]
        at += 2 + length


@pytest.mark.parametrize("declared", TELLING)
def test_nothing_is_served_of_what_a_file_tells_of_its_origin(declared: str) -> None:
    data = TELLING[declared]
    assert any(secret in data for secret in SECRETS)
    with inspection.opened(io.BytesIO(data), declared) as picture:
        derivatives = rendering.render(picture)
    assert len(derivatives) == 5
    for made in derivatives:
        assert not [secret for secret in SECRETS if secret in made.data], made.variant
        found = dict(segments(made.data))
        assert set(found) <= NEEDED, (made.variant, found)
        # Where it says that it is a JPEG, it is without the small picture that may be there.
        assert found.get(0xE0, b"JFIF\0" + bytes(9))[:5] == b"JFIF\0"
        assert len(found.get(0xE0, bytes(14))) == 14


@pytest.mark.parametrize("declared", [each for each in TELLING if each != "image/gif"])
def test_the_camera_and_the_date_are_kept_for_the_library(declared: str) -> None:
    with inspection.opened(io.BytesIO(TELLING[declared]), declared) as picture:
        assert picture.camera == "ACME Snap 3"
        assert picture.captured_at
        assert picture.captured_at.isoformat() == "2024-05-06T07:08:09"
