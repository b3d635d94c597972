"""The words that colours are called by."""

import colorsys
import re

COLOUR_NAMES = (
    "red", "orange", "yellow", "green", "cyan", "blue", "purple", "pink", "brown", "black", "grey", "white",
)  # fmt: skip
"""All the words that a colour is called by: what a library is filtered by."""

Colour = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""

# Where a hue ends, as a part of the circle that begins and ends in red.
_HUES = (
    (0.04, "red"), (0.115, "orange"), (0.19, "yellow"), (0.44, "green"), (0.53, "cyan"), (0.70, "blue"),
    (0.80, "purple"), (0.945, "pink"), (1.0, "red"),
)  # fmt: skip
_MAGENTA = 0.87

_HEX = re.compile(r"#?([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})", re.IGNORECASE)


def named(text: str) -> str | None:
    """Return the word for a colour that is given by its word or as #rrggbb; None for anything else."""
    if text.lower() in COLOUR_NAMES:
        return text.lower()
    found = _HEX.fullmatch(text)
    return name_of((int(found[1], 16), int(found[2], 16), int(found[3], 16))) if found else None


def name_of(colour: Colour) -> str:
    """Return the word that people call a colour by."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*(part / 255 for part in colour))
    chroma = (max(colour) - min(colour)) / 255
    if lightness < 0.10 or (lightness < 0.18 and chroma < 0.12):
        return "black"
    if lightness > 0.88 and chroma < 0.12:
        return "white"
    if chroma < 0.11 or saturation < 0.10:
        return "grey"
    name = next(name for end, name in _HUES if hue <= end)
    if name in ("red", "orange", "yellow"):
        return _of_warm(name, lightness, saturation)
    return "purple" if name == "pink" and hue < _MAGENTA and lightness < 0.40 else name


def _of_warm(name: str, lightness: float, saturation: float) -> str:
    """Tell brown, which is a dark or dull orange or red, and pink, which is a light red."""
    dull = saturation < 0.50
    if name == "orange" and (lightness < 0.40 or (dull and lightness < 0.72)):
        return "brown"
    if dull and lightness < 0.45:
        return "brown"
    return "pink" if name == "red" and lightness > 0.68 else name
