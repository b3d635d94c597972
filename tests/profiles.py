"""Colour profiles for tests, written by hand: what cameras and printers put into pictures."""

import struct
from itertools import product

# Display P3's primaries, adapted to D50 as profiles have them, and D50 itself.
_P3 = {
    b"rXYZ": (0.51512, 0.24120, -0.00105),
    b"gXYZ": (0.29198, 0.69225, 0.04189),
    b"bXYZ": (0.15710, 0.06657, 0.78407),
    b"wtpt": (0.96420, 1.0, 0.82491),
}
_SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_INTO_SRGB = (
    (3.1338561, -1.6168667, -0.4906146),
    (-0.9787684, 1.9161415, 0.0334540),
    (0.0719453, -0.2289914, 1.4052427),
)


def display_p3() -> bytes:
    """Return the profile of a phone's display and camera."""
    tags = {name: b"XYZ \0\0\0\0" + struct.pack(">3i", *(_fixed(part) for part in xyz)) for name, xyz in _P3.items()}
    curve = b"para\0\0\0\0\0\3\0\0" + struct.pack(">5i", *(_fixed(part) for part in _SRGB_CURVE))
    return _profile(b"mntrRGB XYZ ", tags | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve))


def odd_press() -> bytes:
    """Return the profile of a press on which magenta ink is green, and all other inks print as white paper."""
    nodes = bytes(
        part for inks in product((0, 1), repeat=4) for part in ((118, 48, 202) if inks[1] else (255, 128, 128))
    )
    identity = struct.pack(">9i", *(65_536 if at % 4 == 0 else 0 for at in range(9)))
    ramp = bytes(range(256))
    table = b"mft1\0\0\0\0" + bytes((4, 3, 2, 0)) + identity + ramp * 4 + nodes + ramp * 3
    return _profile(b"prtrCMYKLab ", {b"A2B0": table})


def p3_in_srgb(colour: tuple[int, ...]) -> tuple[float, ...]:
    """Return a colour of Display P3 in sRGB, computed in floating point; what sRGB does not have is cut off."""
    linear = [_decoded(part / 255) for part in colour[:3]]
    rows = zip(_P3[b"rXYZ"], _P3[b"gXYZ"], _P3[b"bXYZ"], strict=True)
    xyz = [sum(a * b for a, b in zip(row, linear, strict=True)) for row in rows]
    return tuple(255 * _encoded(sum(a * b for a, b in zip(row, xyz, strict=True))) for row in _INTO_SRGB)


def _decoded(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _encoded(part: float) -> float:
    part = min(max(part, 0.0), 1.0)
    return 12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055


def _fixed(number: float) -> int:
    return round(number * 65_536)


def _profile(what: bytes, tags: dict[bytes, bytes]) -> bytes:
    at, table, data = 128 + 4 + 12 * len(tags), b"", b""
    for name, content in tags.items():
        padded = content + b"\0" * (-len(content) % 4)
        table += name + struct.pack(">II", at + len(data), len(content))
        data += padded
    head = b"lcms" + struct.pack(">I", 0x04300000) + what + bytes(12) + b"acsp" + bytes(28)
    head += struct.pack(">3i", *(_fixed(part) for part in _P3[b"wtpt"])) + bytes(48)
    body = struct.pack(">I", len(tags)) + table + data
    return struct.pack(">I", 4 + len(head) + len(body)) + head + body
