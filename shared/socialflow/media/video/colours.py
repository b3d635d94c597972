"""From the light and the colours of a phone's HDR to those of an ordinary screen, as a table that a filter looks up.

PQ and HLG (ITU-R BT.2100) become light, the light is rolled off above paper white (203 cd/m², BT.2408) by Reinhard's
extended curve, and the primaries become those of BT.709. libswscale has a mapping of its own, which takes four seconds
of work for each graph; this table takes a tenth of one, and is made once for each process.
"""

import atexit
import math
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PQ, HLG = 16, 18
"""Transfer functions, by their numbers in ITU-T H.273."""
_BT2020, _P3 = (9, 10), (11, 12)
_SIDE = 25
_PAPER_WHITE, _PEAK = 203.0, 1_000.0
"""In cd/m². Phones master for a thousand; what is brighter is white."""
_GAMMA = 2.4

Triple = tuple[float, float, float]
_SAME = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
_FROM_BT2020 = ((1.6605, -0.5876, -0.0728), (-0.1246, 1.1329, -0.0083), (-0.0182, -0.1006, 1.1187))
_FROM_P3 = ((1.2249, -0.2247, 0.0), (-0.0420, 1.0419, 0.0), (-0.0197, -0.0786, 1.0979))


def is_ordinary(transfer: int, primaries: int) -> bool:
    """Tell whether an ordinary screen shows such a picture as it is."""
    return transfer not in (PQ, HLG) and primaries not in (*_BT2020, *_P3)


def mapped(signal: Triple, transfer: int, primaries: int) -> Triple:
    """Return what an ordinary screen is sent for a signal; all are from 0 to 1."""
    light = _rolled_off(_light(signal, transfer)) if transfer in (PQ, HLG) else _powers(signal, _GAMMA)
    rows = _FROM_BT2020 if primaries in _BT2020 else _FROM_P3 if primaries in _P3 else _SAME
    red, green, blue = light
    shown = [min(1.0, max(0.0, a * red + b * green + c * blue)) for a, b, c in rows]
    return _powers((shown[0], shown[1], shown[2]), 1 / _GAMMA)


@cache
def table(transfer: int, primaries: int) -> Path:
    """Return the file of the table, made for the lifetime of this process."""
    path = _folder() / f"{transfer}-{primaries}.cube"
    path.write_text("\n".join(_lines(transfer, primaries)), "ascii")
    return path


@cache
def _folder() -> Path:
    folder = tempfile.TemporaryDirectory(prefix="colours-")
    atexit.register(folder.cleanup)
    return Path(folder.name)


def _lines(transfer: int, primaries: int) -> Iterator[str]:
    yield f"LUT_3D_SIZE {_SIDE}"
    steps = [step / (_SIDE - 1) for step in range(_SIDE)]
    for blue in steps:
        for green in steps:
            for red in steps:
                yield "{:.5f} {:.5f} {:.5f}".format(*mapped((red, green, blue), transfer, primaries))


def _light(signal: Triple, transfer: int) -> Triple:
    """Return the light of a signal on its own screen, in paper whites."""
    if transfer == PQ:
        red, green, blue = (_pq(value) for value in signal)
        return red, green, blue
    scene = [_hlg(value) for value in signal]
    luminance = 0.2627 * scene[0] + 0.6780 * scene[1] + 0.0593 * scene[2]
    gain = _PEAK / _PAPER_WHITE * luminance**0.2 if luminance > 0 else 0.0
    return gain * scene[0], gain * scene[1], gain * scene[2]


def _pq(value: float) -> float:
    root = math.pow(value, 1 / 78.84375)
    part: float = max(0.0, root - 0.8359375) / (18.8515625 - 18.6875 * root)
    return 10_000 / _PAPER_WHITE * math.pow(part, 1 / 0.1593017578125)


def _hlg(value: float) -> float:
    if value <= 0.5:
        return value * value / 3
    return (math.exp((value - 0.55991073) / 0.17883277) + 0.28466892) / 12


def _rolled_off(light: Triple) -> Triple:
    """Take the light down by its brightest part, so that colours keep their hue."""
    brightest = max(light)
    if brightest <= 0:
        return light
    white = _PEAK / _PAPER_WHITE
    gain = min(1.0 / brightest, (1 + brightest / white**2) / (1 + brightest))
    return gain * light[0], gain * light[1], gain * light[2]


def _powers(light: Triple, power: float) -> Triple:
    return light[0] ** power, light[1] ** power, light[2] ** power
