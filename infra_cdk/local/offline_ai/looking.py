"""What can be measured in a picture without recognising anything in it."""

import io
import warnings
from collections import Counter
from dataclasses import dataclass

from PIL import Image, ImageOps, ImageStat

MAX_PIXELS = 20_000_000
_GRID = 64
_NOTABLE = 0.12
_MOST_COLOURS = 3
# Upper ends of the hues, in 256ths of the circle as Pillow counts them.
_HUES = (
    (10, "red"),
    (32, "orange"),
    (48, "yellow"),
    (118, "green"),
    (138, "turquoise"),
    (182, "blue"),
    (206, "purple"),
    (244, "pink"),
    (256, "red"),
)


@dataclass(frozen=True)
class Look:
    """How a picture looks. Colours are the notable ones, the largest share first."""

    colours: tuple[str, ...]
    light: str
    contrast: str
    format: str
    lighter_half: str


def look(data: bytes) -> Look:
    """Measure a picture; raises `ValueError` where the bytes are none that can be read."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP")) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise ValueError("The picture has too many pixels")
                upright = ImageOps.exif_transpose(image).convert("RGB")
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError("The picture cannot be read") from error
    small = upright.resize((_GRID, _GRID), Image.Resampling.BOX)
    grey = small.convert("L")
    statistics = ImageStat.Stat(grey)
    return Look(
        colours=_colours(small),
        light=_light(statistics.mean[0]),
        contrast=_contrast(statistics.stddev[0]),
        format=_format(*upright.size),
        lighter_half=_lighter_half(grey),
    )


def _colours(image: Image.Image) -> tuple[str, ...]:
    raw = image.convert("HSV").tobytes()
    counted = Counter(_colour(*raw[at : at + 3]) for at in range(0, len(raw), 3))
    # Equal shares stand in the order of their names: the same picture is always told the same way.
    ordered = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    notable = [name for name, count in ordered if count >= _NOTABLE * _GRID * _GRID]
    return tuple(notable[:_MOST_COLOURS] or [ordered[0][0]])


def _colour(hue: int, saturation: int, value: int) -> str:
    if value < 45:
        return "black"
    if saturation < 38:
        return "white" if value > 215 else "light grey" if value > 150 else "grey"
    name = next(name for end, name in _HUES if hue < end)
    if name == "orange" and value < 170:
        return "brown"
    if value < 110:
        return f"dark {name}"
    return f"pale {name}" if saturation < 95 and value > 190 else name


def _light(mean: float) -> str:
    return "dark" if mean < 60 else "dim" if mean < 105 else "balanced" if mean < 165 else "bright"


def _contrast(deviation: float) -> str:
    return "soft" if deviation < 30 else "moderate" if deviation < 60 else "strong"


def _format(width: int, height: int) -> str:
    ratio = width / height
    if ratio > 2:
        return "panorama"
    return "landscape" if ratio > 1.05 else "square" if ratio > 0.95 else "portrait"


def _lighter_half(grey: Image.Image) -> str:
    upper, lower = (ImageStat.Stat(grey.crop((0, top, _GRID, top + _GRID // 2))).mean[0] for top in (0, _GRID // 2))
    if abs(upper - lower) < 20:
        return ""
    return "upper" if upper > lower else "lower"
