"""Files that people really have, and files that mean harm, each with what becomes of it.

All are made here of the scene in tests/pictures.py (sky, ground, a red mark at the top left), but for the HEIC ones.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pyvips
from PIL import Image, PngImagePlugin

from tests.pictures import encoded, photo, scene

FILES = Path(__file__).parent / "files"
KINDS = {"jpeg": "JPEG", "png": "PNG", "webp": "WEBP", "gif": "GIF", "avif": "AVIF"}
SIDES = (900, 600)


@dataclass(frozen=True)
class Case:
    """A file, what it was announced as, and its outcome: refused by a code of these, or processed as described."""

    make: Callable[[], bytes]
    declared: str
    refused: tuple[str, ...] = ()
    size: tuple[int, int] = SIDES
    animated: bool = False
    looks: str = "scene"
    """scene, turned (by a quarter to the right), grey, or a colour."""


@cache
def plain(kind: str) -> bytes:
    """Return the scene as a file of a kind."""
    return (FILES / "plain.heic").read_bytes() if kind == "heic" else encoded(scene(), KINDS[kind])


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *extra: bytes, rows: bytes = b"", depth: int = 8, colour: int = 2) -> bytes:
    """Write a PNG by hand: one that an encoder would not write."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(extra) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def box(data: bytes, name: bytes, width: int, height: int) -> bytes:
    """Return a HEIC or AVIF whose box of this name says another size."""
    at = data.index(name) + 8
    return data[:at] + struct.pack(">II", width, height) + data[at + 8 :]


def exif(*entries: tuple[int, int, int, int], following: int = 0) -> bytes:
    """Return EXIF with one directory of entries (tag, type, count, value), as a JPEG has it."""
    body = b"".join(struct.pack(">HHII", *entry) for entry in entries)
    return b"Exif\0\0MM\0*\0\0\0\x08" + struct.pack(">H", len(entries)) + body + struct.pack(">I", following)


def frames(kind: str, *images: Image.Image) -> bytes:
    """Return an animation."""
    return encoded(images[0], kind, save_all=True, append_images=images[1:], duration=100, loop=0)


def by_vips(**options: object) -> bytes:
    """Return a PNG as libvips writes it: it knows ways that Pillow does not."""
    image = pyvips.Image.new_from_memory(scene().tobytes(), *SIDES, 3, "uchar").copy(interpretation="srgb")
    if options.pop("deep", False):
        image = (image.cast("ushort") * 257).cast("ushort").copy(interpretation="rgb16")
    if options.pop("clear", False):
        image = image.bandjoin(65535)
    written = image.pngsave_buffer(**options)
    assert isinstance(written, bytes)
    return written


def many_scans() -> bytes:
    """Return a progressive JPEG whose last scan is told 3,000 times over: each is decoded anew."""
    data = encoded(scene(2000, 2000), progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * 3000 + b"\xff\xd9"


def many_frames() -> bytes:
    """Return a GIF of 20,000 frames of one pixel, black first, the scene last."""
    small = encoded(Image.new("P", (1, 1)), "GIF")
    start = small.index(b",")
    return small[:start] + small[start:-1] * 20_000 + b";"


def frame_beyond(first: str) -> bytes:
    """Return a GIF of a first frame, of which the second says that it is 60,000 pixels wide and high."""
    shown = Image.new("RGB", (40, 40), first)
    if first != "black":
        shown.paste("white", (20, 20, 40, 40))
    data = bytearray(frames("GIF", shown, scene(40, 40)))
    second = data.rindex(b",\0\0\0\0")
    data[second + 5 : second + 9] = struct.pack("<HH", 60_000, 60_000)
    return bytes(data)


def zipped() -> bytes:
    """Return an archive with a page in it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as opened:
        opened.writestr("index.html", "<script>alert(1)</script>")
    return buffer.getvalue()


def saved(kind: str, **options: object) -> Callable[[], bytes]:
    """Return how the scene is saved with options."""
    return lambda: encoded(scene(), kind, **options)


def as_mode(mode: str, kind: str = "PNG", **options: object) -> Callable[[], bytes]:
    """Return how the scene is saved in a mode."""
    return lambda: encoded(scene().convert(mode), kind, **options)


def oriented(orientation: int, kind: str = "JPEG") -> bytes:
    """Return the scene, stored otherwise and told to be turned back."""
    marks = Image.Exif()
    marks[0x0112] = orientation
    stored = {1: scene(), 3: scene().rotate(180), 6: scene().transpose(Image.Transpose.ROTATE_90)}[orientation]
    return encoded(stored, kind, exif=marks)


def _clear() -> Image.Image:
    image = scene().convert("RGBA")
    image.putalpha(0)
    return image


def _behind(data: bytes, more: bytes) -> Callable[[], bytes]:
    return lambda: data + more


def _of_text(text: str) -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", text)
    return encoded(scene(), "PNG", pnginfo=info)


def _heic(name: str) -> Callable[[], bytes]:
    return (FILES / f"{name}.heic").read_bytes


PAGE = b"<!doctype html><html><body><script>alert(document.domain)</script></body></html>"

REAL: dict[str, Case] = {
    "a JPEG": Case(lambda: plain("jpeg"), "image/jpeg"),
    "a camera's JPEG": Case(photo, "image/jpeg", size=(600, 900), looks="turned"),
    "a progressive JPEG": Case(saved("JPEG", progressive=True), "image/jpeg"),
    "a JPEG of the least quality": Case(saved("JPEG", quality=5), "image/jpeg"),
    "a JPEG with all its colour": Case(saved("JPEG", subsampling="4:4:4"), "image/jpeg"),
    "a JPEG that restarts": Case(saved("JPEG", restart_marker_blocks=1), "image/jpeg"),
    "a grey JPEG": Case(as_mode("L", "JPEG"), "image/jpeg", looks="grey"),
    "a JPEG for print": Case(as_mode("CMYK", "JPEG"), "image/jpeg"),
    "a JPEG of RGB": Case(saved("JPEG", keep_rgb=True), "image/jpeg"),
    "a JPEG with a depth map": Case(
        lambda: encoded(scene(), "MPO", save_all=True, append_images=[scene(90, 60)]), "image/jpeg"
    ),
    "a JPEG upside down": Case(lambda: oriented(3), "image/jpeg"),
    "a JPEG on its side": Case(lambda: oriented(6), "image/jpeg"),
    "a JPEG with a comment of 60 kB": Case(saved("JPEG", comment=b"x" * 60_000), "image/jpeg"),
    "a JPEG with a profile that is none": Case(saved("JPEG", icc_profile=b"garbage" * 100), "image/jpeg"),
    "a JPEG of 1 pixel": Case(
        lambda: encoded(Image.new("RGB", (1, 1), "teal")), "image/jpeg", size=(1, 1), looks="teal"
    ),
    "a PNG": Case(lambda: plain("png"), "image/png"),
    "a PNG with a palette": Case(as_mode("P"), "image/png"),
    "a PNG with a palette of 4": Case(lambda: encoded(scene().quantize(4), "PNG", bits=2), "image/png"),
    "a PNG with alpha": Case(as_mode("RGBA"), "image/png"),
    "a PNG of nothing": Case(lambda: encoded(_clear(), "PNG"), "image/png", looks="white"),
    "a grey PNG": Case(as_mode("L"), "image/png", looks="grey"),
    "a grey PNG with alpha": Case(as_mode("LA"), "image/png", looks="grey"),
    "a PNG of 16 bits": Case(lambda: by_vips(deep=True, bitdepth=16), "image/png"),
    "a PNG of 16 bits with alpha": Case(lambda: by_vips(deep=True, clear=True, bitdepth=16), "image/png"),
    "an interlaced PNG": Case(lambda: by_vips(interlace=True), "image/png"),
    "a PNG on its side": Case(lambda: oriented(6, "PNG"), "image/png"),
    "a PNG with text": Case(lambda: _of_text("hello"), "image/png"),
    "a PNG that moves": Case(lambda: frames("PNG", scene(), scene(sky="red")), "image/png", animated=True),
    "a WebP": Case(lambda: plain("webp"), "image/webp"),
    "a lossless WebP": Case(saved("WEBP", lossless=True), "image/webp"),
    "a WebP with alpha": Case(as_mode("RGBA", "WEBP"), "image/webp"),
    "a WebP of nothing": Case(lambda: encoded(_clear(), "WEBP"), "image/webp", looks="white"),
    "a WebP on its side": Case(lambda: oriented(6, "WEBP"), "image/webp"),
    "a WebP that moves": Case(lambda: frames("WEBP", scene(), scene(sky="red")), "image/webp", animated=True),
    "a GIF": Case(lambda: plain("gif"), "image/gif"),
    "a GIF that moves": Case(lambda: frames("GIF", scene(), scene(sky="red")), "image/gif", animated=True),
    "a GIF that begins in black": Case(
        lambda: frames("GIF", Image.new("RGB", SIDES), scene(), scene(sky="red")), "image/gif", animated=True
    ),
    "a GIF of 20,000 frames": Case(many_frames, "image/gif", size=(1, 1), animated=True, looks="black"),
    "a transparent GIF": Case(lambda: encoded(_clear(), "GIF"), "image/gif", looks="white"),
    "an AVIF": Case(lambda: plain("avif"), "image/avif"),
    "an AVIF with alpha": Case(as_mode("RGBA", "AVIF"), "image/avif"),
    "an AVIF on its side": Case(lambda: oriented(6, "AVIF"), "image/avif"),
    "an AVIF that moves": Case(lambda: frames("AVIF", scene(), scene(sky="red")), "image/avif", animated=True),
    "a HEIC": Case(_heic("plain"), "image/heic"),
    "a HEIC that was announced as HEIF": Case(_heic("plain"), "image/heif"),
    "a phone's HEIC": Case(_heic("photo"), "image/heic", size=(600, 900), looks="turned"),
    "a HEIC of nothing": Case(_heic("clear"), "image/heic", looks="white"),
    "a HEIC of a burst": Case(_heic("burst"), "image/heic"),
    "an AVIF that says more than it has": Case(
        lambda: box(plain("avif"), b"ispe", 6_000, 4_000), "image/avif", size=(6_000, 4_000)
    ),
    "a GIF of which a frame is wrong, and not looked at": Case(
        lambda: frame_beyond("red"), "image/gif", size=(40, 40), animated=True, looks="red"
    ),
    # What is behind a picture, or written into it, is not in what is made of it.
    "a JPEG and an archive": Case(_behind(plain("jpeg"), zipped()), "image/jpeg"),
    "a GIF and a script": Case(_behind(plain("gif"), b"/*=alert(1)//*/"), "image/gif"),
    "a PNG and a page": Case(lambda: _of_text(PAGE.decode()) + PAGE, "image/png"),
    "a JPEG whose EXIF goes round in a circle": Case(saved("JPEG", exif=exif(following=8)), "image/jpeg"),
    "a JPEG whose EXIF is inside itself": Case(saved("JPEG", exif=exif((0x8769, 4, 1, 8))), "image/jpeg"),
    "a JPEG whose EXIF says that it has 4 GB": Case(saved("JPEG", exif=exif((0x010F, 2, 2**32 - 1, 8))), "image/jpeg"),
}
