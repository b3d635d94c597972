"""What tells a picture from others and stands in for it: its difference hash, its blur, its colours.

All of it is read from a small derivative: that is upright, in sRGB, opaque, and takes milliseconds.
"""

import io
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise

import blurhash
from PIL import Image

from socialflow.media.colours import Colour, name_of

_HASHED = (9, 8)  # each pixel is compared with the next one of its row: 64 bits
_BLURRED = 32  # pixels of the longer side; more cost time and change nothing
_COMPONENTS = (4, 3)  # along the longer and the shorter side
_COUNTED = (64, 64)
_PALETTE = 12
_SHOWN = 5
_LEAST = 0.05  # of the picture, for a colour to be told of


@dataclass(frozen=True)
class Fingerprint:
    """`dhash` is 64 digits 0 and 1; `colours` are #rrggbb, the most of it first; `colour_names` the same in words."""

    dhash: str
    blurhash: str
    colours: list[str]
    colour_names: list[str]


def take(derivative: bytes) -> Fingerprint:
    """Return the fingerprint of a derivative that we made, a few hundred pixels wide."""
    with Image.open(io.BytesIO(derivative), formats=("JPEG",)) as opened:
        image = opened.convert("RGB")
    shares = _shares(image)
    return Fingerprint(dhash(image), _blurhash(image), _hexes(shares), _names(shares))


def dhash(image: Image.Image) -> str:
    """Return 64 digits: whether each of 9 x 8 grey fields is lighter than the one to its right."""
    width, height = _HASHED
    grey = image.convert("L").resize((width, height), Image.Resampling.LANCZOS).tobytes()
    rows = [grey[start : start + width] for start in range(0, width * height, width)]
    return "".join("01"[left > right] for row in rows for left, right in pairwise(row))


def _shares(image: Image.Image) -> list[tuple[Colour, float]]:
    """Return the picture's colours and how much of it each has, the most first."""
    small = image.resize(_COUNTED, Image.Resampling.BOX).quantize(_PALETTE, Image.Quantize.MEDIANCUT)
    palette, total = small.getpalette() or [], small.width * small.height
    counted = [(int(count), int(str(index))) for count, index in small.getcolors() or []]
    return [
        ((palette[3 * index], palette[3 * index + 1], palette[3 * index + 2]), count / total)
        for count, index in sorted(counted, reverse=True)
    ]


def _hexes(shares: list[tuple[Colour, float]]) -> list[str]:
    told = [colour for colour, share in shares if share >= _LEAST] or [shares[0][0]]
    return [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in told[:_SHOWN]]


def _names(shares: list[tuple[Colour, float]]) -> list[str]:
    parts: defaultdict[str, float] = defaultdict(float)
    for colour, share in shares:
        parts[name_of(colour)] += share
    return [name for name in sorted(parts, key=lambda name: -parts[name])[:_SHOWN] if parts[name] >= _LEAST]


def _blurhash(image: Image.Image) -> str:
    across, down = _COMPONENTS if image.width >= image.height else _COMPONENTS[::-1]
    small = image.copy()
    small.thumbnail((_BLURRED, _BLURRED), Image.Resampling.BOX)
    data, width = small.tobytes(), small.width
    pixels = [tuple(data[at : at + 3]) for at in range(0, len(data), 3)]
    rows = [pixels[at : at + width] for at in range(0, len(pixels), width)]
    return str(blurhash.encode(rows, components_x=across, components_y=down))
