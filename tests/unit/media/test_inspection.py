"""Inspection: what a picture is told by its content, and what is refused before it can do harm."""

import io
import struct
import subprocess
import sys
import textwrap
import zlib
from datetime import datetime

import pytest
from PIL import Image, ImageCms, PngImagePlugin

from socialflow.media import inspection, rendering
from socialflow.media.model import UnfitFile
from tests.pictures import encoded, photo, scene


def looked_at(data: bytes, declared: str = "image/jpeg") -> inspection.Picture:
    """Open and decode, as the task does."""
    with inspection.opened(io.BytesIO(data), declared) as picture:
        rendering.render(picture)
        return picture


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *extra: bytes, rows: bytes = b"") -> bytes:
    """Write a PNG by hand: one that an encoder would not write."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(extra) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def jpeg_header_of(width: int, height: int) -> bytes:
    """Return a small JPEG whose header says that it is another size."""
    data = bytearray(encoded(scene(64, 64)))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def text_bomb() -> bytes:
    return png(1, 1, chunk(b"zTXt", b"Comment\x00\x00" + zlib.compress(b"a" * 200_000_000)), rows=b"\x00\x01\x02\x03")


def profile_bomb() -> bytes:
    return png(1, 1, chunk(b"iCCP", b"icc\x00\x00" + zlib.compress(b"a" * 200_000_000)), rows=b"\x00\x01\x02\x03")


def animated(kind: str) -> bytes:
    frames = [scene(60, 40), scene(60, 40, sky="white")]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:])


HOSTILE: dict[str, tuple[bytes, str, str]] = {
    "nothing": (b"", "image/jpeg", "not-a-picture"),
    "text": (b"hello", "image/jpeg", "not-a-picture"),
    "a page": (b"<!doctype html><script>alert(1)</script>", "image/png", "not-a-picture"),
    "an SVG": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "image/png", "not-a-picture"),
    "PostScript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "image/jpeg", "not-a-picture"),
    "a TIFF": (encoded(scene(), "TIFF"), "image/jpeg", "not-a-picture"),
    "a BMP": (encoded(scene(), "BMP"), "image/jpeg", "not-a-picture"),
    "a GIF": (encoded(scene(), "GIF"), "image/jpeg", "not-a-picture"),
    "a PNG called JPEG": (encoded(scene(), "PNG"), "image/jpeg", "type-differs"),
    "a JPEG called WebP": (photo(), "image/webp", "type-differs"),
    "a WebP called PNG": (encoded(scene(), "WEBP"), "image/png", "type-differs"),
    "half a JPEG": (photo()[:9_000], "image/jpeg", "damaged"),
    "a JPEG of markers": (b"\xff\xd8" + b"\xff\xe0\x00\x02" * 50 + b"\xff\xd9", "image/jpeg", "not-a-picture"),
    "half a PNG": (encoded(scene(), "PNG")[:600], "image/png", "damaged"),
    "half a WebP": (encoded(scene(), "WEBP")[:400], "image/webp", "damaged"),
    "one bit, 177 megapixels": (encoded(Image.new("1", (13_300, 13_300)), "PNG"), "image/png", "too-many-pixels"),
    "a header of a gigapixel": (png(40_000, 30_000), "image/png", "too-many-pixels"),
    "a header of 2^62 pixels": (png(2**31 - 1, 2**31 - 1), "image/png", "too-many-pixels"),
    "60 megapixels of PNG": (png(10_000, 6_000), "image/png", "too-many-pixels"),
    "120 megapixels of JPEG": (jpeg_header_of(12_000, 10_000), "image/jpeg", "too-many-pixels"),
    "300 megapixels of JPEG": (jpeg_header_of(20_000, 15_000), "image/jpeg", "too-many-pixels"),
    "a thread": (encoded(Image.new("L", (1, 40_000)), "PNG"), "image/png", "too-long"),
    "a bomb of text": (text_bomb(), "image/png", "damaged"),
    "a bomb of a profile": (profile_bomb(), "image/png", "damaged"),
    "an animated WebP": (animated("WEBP"), "image/webp", "animated"),
    "an animated PNG": (animated("PNG"), "image/png", "animated"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_with_a_code_and_a_sentence(name: str) -> None:
    data, declared, code = HOSTILE[name]
    with pytest.raises(UnfitFile) as refused:
        looked_at(data, declared)
    assert refused.value.code == code
    assert refused.value.detail.endswith(".")


def test_a_hostile_file_stays_within_bounded_memory() -> None:
    """Every hostile file, one after another, in a process that may not have more than 1.2 GB of addresses."""
    script = textwrap.dedent(
        """
        import resource
        from tests.unit.media.test_inspection import HOSTILE, looked_at
        from socialflow.media.model import UnfitFile
        resource.setrlimit(resource.RLIMIT_AS, (1_200_000_000, 1_200_000_000))
        for data, declared, _code in HOSTILE.values():
            try:
                looked_at(data, declared)
            except UnfitFile:
                pass
        print("survived")
        """
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.strip() == "survived", done.stderr


def test_the_camera_is_kept_and_the_place_is_not() -> None:
    picture = looked_at(photo())
    assert (picture.width, picture.height, picture.turned) == (600, 900, True)
    assert picture.captured_at == datetime(2024, 5, 6, 7, 8, 9)  # noqa: DTZ001 # a camera's clock has no zone
    assert picture.camera == "ACME Snap 3"


@pytest.mark.parametrize("wrong", ["0000:00:00 00:00:00", "yesterday", "2024:13:41 99:00:00", ""])
def test_a_date_that_is_none_is_no_date(wrong: str) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = wrong
    assert looked_at(encoded(scene(), exif=exif)).captured_at is None


def test_a_cameras_name_has_no_control_characters_and_an_end() -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Ev\x1b[31mil\x00", "x" * 500
    camera = looked_at(encoded(scene(), exif=exif)).camera
    assert camera == ("Ev[31mil " + "x" * 500)[:100]


@pytest.mark.parametrize("wrong", [0, 9, 65535])
def test_an_orientation_that_is_none_turns_nothing(wrong: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = wrong
    picture = looked_at(encoded(scene(), exif=exif))
    assert (picture.width, picture.height, picture.orientation) == (900, 600, 1)


def test_damaged_metadata_is_no_reason_to_refuse_a_picture() -> None:
    data = encoded(scene(), exif=b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\xff\xff" + b"\xff" * 40)
    assert looked_at(data).width == 900


def test_what_newer_phones_write_is_a_jpeg() -> None:
    """Behind their first picture stand a preview and a depth map: Pillow calls that MPO."""
    data = encoded(scene(), "MPO", save_all=True, append_images=[scene(90, 60)])
    assert looked_at(data).content_type == "image/jpeg"


def test_a_picture_with_a_file_behind_it_is_a_picture() -> None:
    """A JPEG+ZIP polyglot decodes; its original is only ever served as an attachment."""
    assert looked_at(photo() + b"PK\x03\x04" + b"\x00" * 100).width == 600


def test_a_cameras_secrets_are_not_served() -> None:
    data = photo()
    assert all(secret in data for secret in (b"for my eyes only", b"SERIAL-4711", b"Exif"))
    with inspection.opened(io.BytesIO(data), "image/jpeg") as picture:
        for made in rendering.render(picture):
            assert not any(secret in made.data for secret in (b"for my eyes only", b"SERIAL-4711", b"Exif"))


def test_text_in_a_picture_is_not_served() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "secret")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = encoded(scene(), "PNG", pnginfo=info, icc_profile=profile)
    with inspection.opened(io.BytesIO(data), "image/png") as picture:
        for made in rendering.render(picture):
            assert b"secret" not in made.data
            assert b"ICC_PROFILE" not in made.data
