"""Where a person looks first in a picture, in a rough way that gives the same answer each time.

As sharp's "attention" does: edges count, those of skin and of strong colours more. It is told of a small copy, along
one axis, as a crop to another ratio moves along one axis only. All sums are of whole numbers.
"""

from collections.abc import Sequence

from PIL import Image, ImageChops, ImageFilter

_AREA = 16_384
"""Pixels of the small copy; a panorama has as many, so that it is not two pixels high."""
_MOST = 1_024
_SKIN = (0.78, 0.57, 0.44)
"""The direction in RGB that skin of every shade has."""
_SKIN_NEAR = 0.8
_SATURATED = 100
_SKIN_WEIGHT, _COLOUR_WEIGHT = 4, 2
# What is steady over its surroundings is no edge; noise of a camera is about so much.
_NOISE = 6


def offset(image: Image.Image, window: int, *, across: bool) -> int:
    """Return where a window of so many pixels begins, from the left (`across`) or from the top.

    A picture without anything to look at is cut in the middle.
    """
    length = image.width if across else image.height
    room = length - window
    if room <= 0:
        return 0
    profile = _profile(_small(image), across=across)
    if not any(profile):
        return room // 2
    width = max(1, min(len(profile) - 1, round(len(profile) * window / length)))
    places = len(profile) - width
    return round(room * _best(profile, width) / places) if places > 0 else room // 2


def _small(image: Image.Image) -> Image.Image:
    scale = min(1.0, (_AREA / (image.width * image.height)) ** 0.5, _MOST / max(image.size))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.BOX).convert("RGB")


def _profile(small: Image.Image, *, across: bool) -> list[int]:
    """Return how much there is to look at in each column, or each row."""
    luma = small.convert("L")
    # What a blur changes is detail; at the border there is nothing to compare with, and it counts for less.
    detail = ImageChops.difference(luma, luma.filter(ImageFilter.GaussianBlur(1.5))).tobytes()
    saturation = small.convert("HSV").getchannel("S").tobytes()
    pixels = small.tobytes()
    columns, rows = small.size
    sums = [0] * (columns if across else rows)
    for index, found in enumerate(detail):
        edge = found - _NOISE
        if edge <= 0:
            continue
        strength = 1 + _COLOUR_WEIGHT * (saturation[index] > _SATURATED)
        strength += _SKIN_WEIGHT * _is_skin(*pixels[3 * index : 3 * index + 3])
        sums[index % columns if across else index // columns] += edge * strength
    return sums


def _is_skin(red: int, green: int, blue: int) -> bool:
    length = (red * red + green * green + blue * blue) ** 0.5
    if not 60 < length < 430:  # too dark or too bright to tell
        return False
    distance = sum((part / length - wanted) ** 2 for part, wanted in zip((red, green, blue), _SKIN, strict=True))
    return bool(1 - distance**0.5 > _SKIN_NEAR) and red > green > blue


def _best(profile: Sequence[int], width: int) -> int:
    """Return the place whose window holds the most, what is in its middle counting more; the middle of equals."""
    places = len(profile) - width + 1
    weights = [1_000 - 600 * (2 * at + 1 - width) ** 2 // (width * width) for at in range(width)]
    held = [sum(profile[place + at] * weights[at] for at in range(width)) for place in range(places)]
    most, middle = max(held), (places - 1) / 2
    equals = [place for place in range(places) if held[place] == most]
    return min(equals, key=lambda place: abs(place - middle))
