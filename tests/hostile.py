"""The files that are refused, each with the codes that it may be refused by."""

import gzip
import io
import struct
import zlib
from collections.abc import Callable
from functools import partial
from itertools import product

from PIL import Image

from tests.corpus import PAGE, Case, box, chunk, frame_beyond, frames, many_scans, plain, png, zipped
from tests.pictures import encoded, scene

TYPES = ("jpeg", "png", "webp", "gif", "avif", "heic")
# What is cut off may take a picture's head, without which nobody can tell what it was.
CUT = ("damaged", "not-a-picture")


def _jpeg_header_of(width: int, height: int) -> bytes:
    """Return a small JPEG whose header says that it is another size."""
    data = bytearray(plain("jpeg"))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def _webp_header_of(width: int, height: int) -> bytes:
    """Return a WebP whose canvas says that it is another size."""
    data = bytearray(encoded(scene().convert("RGBA"), "WEBP", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"))
    at = data.index(b"VP8X") + 12
    data[at : at + 6] = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return bytes(data)


def _gif_header_of(width: int, height: int, *, moving: bool = False) -> bytes:
    """Return a GIF whose screen says that it is another size."""
    data = bytearray(frames("GIF", scene(40, 40), scene(40, 40, sky="red")) if moving else plain("gif"))
    data[6:10] = struct.pack("<HH", width, height)
    return bytes(data)


def _squeezed(name: bytes, prefix: bytes) -> bytes:
    """Return a PNG with 200 MB of text or profile in some kilobytes."""
    return png(1, 1, chunk(name, prefix + zlib.compress(b"a" * 200_000_000)), rows=b"\0\1\2\3")


def _given(data: bytes) -> Callable[[], bytes]:
    return lambda: data


def _cut(kind: str, part: float) -> Callable[[], bytes]:
    return lambda: plain(kind)[: int(len(plain(kind)) * part)]


def _format(kind: str) -> bytes:
    return encoded(scene(90, 60), kind)


OTHERS: dict[str, bytes] = {
    "nothing": b"",
    "one byte": b"\xff",
    "zeros": b"\0" * 4096,
    "words": b"just words, and more of them",
    "a page": PAGE,
    "an SVG": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "an SVG that reads a file": b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    b'<svg xmlns="http://www.w3.org/2000/svg"><text>&x;</text></svg>',
    "a squeezed SVG": gzip.compress(b'<svg xmlns="http://www.w3.org/2000/svg"/>' * 1000),
    "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) (r) file\n",
    "a PDF": b"%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert\\(1\\))>>>>endobj\n%%EOF",
    "a script of ImageMagick's": b"push graphic-context\nfill 'url(https://a.test/\"|id\")'\npop graphic-context",
    "a picture by caption": b"caption:@/etc/passwd",
    "a playlist": b"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:10.0,\nfile:///etc/passwd\n#EXT-X-ENDLIST",
    "a concat script": b"ffconcat version 1.0\nfile '/etc/passwd'\n",
    "an archive": zipped(),
    "a program": b"\x7fELF\x02\x01\x01" + b"\0" * 200,
    "a sound": b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0",
    "a video": b"\0\0\0\x18ftypisom\0\0\2\0isomiso2\0\0\0\x08free",
    "a box of nothing": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    "a TIFF": _format("TIFF"),
    "a BMP": _format("BMP"),
    "an icon": _format("ICO"),
    "a bitmap of text": _format("PPM"),
    "a JPEG 2000": _format("JPEG2000"),
    "a TGA": _format("TGA"),
    "a PCX": _format("PCX"),
    "a Photoshop file": b"8BPS\0\1\0\0\0\0\0\0\0\3\0\0\0\1\0\0\0\1\0\x08\0\3" + b"\0" * 20,
}
"""Files that are no picture of a type that is taken, whatever their name says."""

HOSTILE: dict[str, Case] = {
    **{
        f"{name}, as {declared}": Case(_given(data), f"image/{declared}", CUT)
        for (name, data), declared in product(OTHERS.items(), ("jpeg", "heic"))
    },
    **{
        f"{kind} as {declared}": Case(partial(plain, kind), f"image/{declared}", ("type-differs",))
        for kind, declared in product(TYPES, TYPES)
        if kind != declared
    },
    **{
        f"{kind}, {part:.0%} of it": Case(_cut(kind, part), f"image/{kind}", CUT)
        for kind, part in product(TYPES, (0.02, 0.3, 0.6, 0.9))
    },
    "a JPEG of markers": Case(lambda: b"\xff\xd8" + b"\xff\xe0\0\2" * 50 + b"\xff\xd9", "image/jpeg", CUT),
    "120 megapixels of JPEG": Case(lambda: _jpeg_header_of(12_000, 10_000), "image/jpeg", ("too-many-pixels",)),
    "4 gigapixels of JPEG": Case(lambda: _jpeg_header_of(65_535, 65_535), "image/jpeg", ("too-many-pixels",)),
    "a JPEG told 3,000 times": Case(many_scans, "image/jpeg", ("damaged",)),
    "one bit, 177 megapixels": Case(
        lambda: encoded(Image.new("1", (13_300, 13_300)), "PNG"), "image/png", ("too-many-pixels",)
    ),
    "60 megapixels of PNG": Case(lambda: png(10_000, 6_000), "image/png", ("too-many-pixels",)),
    "2^62 pixels of PNG": Case(lambda: png(2**31 - 1, 2**31 - 1), "image/png", ("too-many-pixels",)),
    "a PNG of no pixels": Case(lambda: png(0, 0), "image/png", CUT),
    "a thread": Case(lambda: encoded(Image.new("L", (1, 40_000)), "PNG"), "image/png", ("too-long",)),
    "a PNG without rows": Case(lambda: png(40, 40), "image/png", ("damaged",)),
    "a PNG of no depth": Case(lambda: png(40, 40, rows=b"\0" * 9999, depth=7), "image/png", CUT),
    "a bomb of text": Case(lambda: _squeezed(b"zTXt", b"Comment\0\0"), "image/png", ("damaged",)),
    "a bomb of international text": Case(lambda: _squeezed(b"iTXt", b"Comment\0\1\0\0\0"), "image/png", ("damaged",)),
    "a bomb of a profile": Case(lambda: _squeezed(b"iCCP", b"icc\0\0"), "image/png", ("damaged",)),
    "268 megapixels of WebP": Case(lambda: _webp_header_of(16_384, 16_384), "image/webp", ("too-many-pixels", *CUT)),
    "2^48 pixels of WebP": Case(lambda: _webp_header_of(2**24, 2**24), "image/webp", ("too-many-pixels", *CUT)),
    "4 gigapixels of GIF": Case(lambda: _gif_header_of(65_535, 65_535), "image/gif", ("too-many-pixels",)),
    "20 megapixels that move": Case(
        lambda: _gif_header_of(5_000, 4_000, moving=True), "image/gif", ("too-many-pixels",)
    ),
    "a GIF of which a frame has 3.6 gigapixels": Case(
        lambda: frame_beyond("black"), "image/gif", ("too-many-pixels", *CUT)
    ),
    "a GIF without a frame": Case(lambda: plain("gif")[:13] + b";", "image/gif", CUT),
    "4 gigapixels of AVIF": Case(
        lambda: box(plain("avif"), b"ispe", 65_535, 65_535), "image/avif", ("too-many-pixels", *CUT)
    ),
    "4 gigapixels of HEIC": Case(
        lambda: box(plain("heic"), b"ispe", 65_535, 65_535), "image/heic", ("too-many-pixels", *CUT)
    ),
    "a HEIC that says more than it has": Case(
        lambda: box(plain("heic"), b"ispe", 6_000, 4_000), "image/heic", ("damaged",)
    ),
    "a JPEG without its last marker": Case(lambda: plain("jpeg")[:-2], "image/jpeg", ("damaged",)),
}
"""Wrong names for each pair of types, cuts at several places for each type, bombs, and all that is no picture."""


def as_file(case: Case) -> io.BytesIO:
    """Return a case's file."""
    return io.BytesIO(case.make())
