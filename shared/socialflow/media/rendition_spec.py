"""Everything that decides a rendition's bytes, settled when it is asked for and kept with its row.

The same wish is the same rendition; one that was asked for under older limits stays what it was.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any, Literal, Self
from uuid import UUID

from socialflow import limits
from socialflow.errors import FieldError, Invalid
from socialflow.limits import Pictures, Videos
from socialflow.media.model import Kind, MediaItem

RECIPE = 1
"""How cuts are made; another number makes them anew."""

Fit = Literal["crop", "pad"]

_RATIO = re.compile(r"(\d{1,4}(?:\.\d{1,3})?):(\d{1,4}(?:\.\d{1,3})?)", re.ASCII)
_WIDEST = Fraction(100)
_LENIENCE = Fraction(1, 200)
"""By how much a cut may miss the ratio that was asked for: pixels are whole."""
_GRAIN = 10_000
_MOST_PIXELS = 36_000_000
_TALLEST = 8_192
_SIDE, _SHORT_SIDE = 1_920, 1_080
_MOST_VIDEO_BYTES = 400_000_000
"""What a function can keep of a video that it writes."""


class RatioRefused(Invalid):
    """The ratio is none, or none that the network takes."""

    code, title = "ratio-refused", "The ratio cannot be used"


@dataclass(frozen=True)
class Wish:
    """What is asked for; without a point, the media item's own counts, and else what a person looks at first."""

    network: str
    ratio: str | None = None
    focal: tuple[float, float] | None = None
    fit: Fit = "crop"


@dataclass(frozen=True)
class PictureSpec:
    """Everything that decides the bytes of a picture's rendition; ratios are width by height, None is no limit."""

    ratio: Fraction | None
    ratios: tuple[Fraction | None, Fraction | None]
    focal: tuple[float, float] | None
    fit: Fit
    max_width: int
    max_height: int
    max_pixels: int
    max_bytes: int

    kind: Kind = "image"

    def document(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "recipe": RECIPE,
            "kind": self.kind,
            "ratio": _written(self.ratio),
            "ratios": [_written(one) for one in self.ratios],
            "focal": list(self.focal) if self.focal else None,
            "fit": self.fit,
            "max_width": self.max_width,
            "max_height": self.max_height,
            "max_pixels": self.max_pixels,
            "max_bytes": self.max_bytes,
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Read what `document` gave."""
        low, high = document["ratios"]
        focal = document["focal"]
        return cls(
            ratio=_read(document["ratio"]),
            ratios=(_read(low), _read(high)),
            focal=(focal[0], focal[1]) if focal else None,
            fit=document["fit"],
            max_width=document["max_width"],
            max_height=document["max_height"],
            max_pixels=document["max_pixels"],
            max_bytes=document["max_bytes"],
        )


@dataclass(frozen=True)
class VideoSpec:
    """Everything that decides the bytes of a video's rendition: a video is never cut, only made to fit."""

    max_side: int
    max_short_side: int
    max_seconds: float | None
    max_bytes: int
    max_frame_rate: float | None

    kind: Kind = "video"

    def document(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "recipe": RECIPE,
            "kind": self.kind,
            "max_side": self.max_side,
            "max_short_side": self.max_short_side,
            "max_seconds": self.max_seconds,
            "max_bytes": self.max_bytes,
            "max_frame_rate": self.max_frame_rate,
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Read what `document` gave."""
        return cls(
            max_side=document["max_side"],
            max_short_side=document["max_short_side"],
            max_seconds=document["max_seconds"],
            max_bytes=document["max_bytes"],
            max_frame_rate=document["max_frame_rate"],
        )


Spec = PictureSpec | VideoSpec


@dataclass(frozen=True)
class Order:
    """A wish that is new: what is to be made of a media item, for whom."""

    id: UUID
    media_id: UUID
    network: str
    spec: Spec
    requested_by: UUID
    requested_at: datetime

    @property
    def digest(self) -> bytes:
        """The SHA-256 by which the same wish is known."""
        text = json.dumps([self.network, self.spec.document()], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).digest()


def settled_by(item: MediaItem, wish: Wish) -> Spec:
    """Return what decides the bytes of a wish; raises the refusal that it meets."""
    network = limits.known(wish.network)
    if item.kind == "video":
        return _video(limits.videos(network), wish)
    return _picture(limits.pictures(network), network, wish, _focal(item, wish))


def _picture(taken: Pictures, network: str, wish: Wish, focal: tuple[float, float] | None) -> PictureSpec:
    ratio, ratios = None, (taken.min_ratio, taken.max_ratio)
    if wish.ratio is not None:
        ratio = _asked(wish.ratio)
        ratios = _near(ratio, taken, network)
    return PictureSpec(
        ratio=ratio,
        ratios=ratios,
        focal=None if wish.fit == "pad" else focal,
        fit=wish.fit,
        max_width=min(taken.widths[-1], taken.max_width or taken.widths[-1]),
        max_height=taken.max_height or _TALLEST,
        max_pixels=min(taken.max_pixels or _MOST_PIXELS, _MOST_PIXELS),
        max_bytes=taken.max_bytes,
    )


def _video(taken: Videos, wish: Wish) -> VideoSpec:
    if wish.ratio is not None or wish.focal is not None or wish.fit != "crop":
        detail = "A video is made to fit without being cut: ask without ratio, focal_point and fit."
        raise RatioRefused(detail, errors=[FieldError("/ratio", "not-of-a-video", detail)])
    return VideoSpec(
        max_side=min(taken.max_side, _SIDE),
        max_short_side=min(taken.max_short_side or _SHORT_SIDE, _SHORT_SIDE),
        max_seconds=taken.max_seconds,
        max_bytes=min(taken.max_bytes, _MOST_VIDEO_BYTES),
        max_frame_rate=taken.max_frame_rate,
    )


def _focal(item: MediaItem, wish: Wish) -> tuple[float, float] | None:
    """Return the point that the cut keeps: the one asked for, else the media item's own."""
    point = wish.focal
    if point is None and item.focal_x is not None and item.focal_y is not None:
        point = (item.focal_x, item.focal_y)
    # What differs by less than anybody can point at is the same wish.
    return None if point is None else (round(point[0] * _GRAIN) / _GRAIN, round(point[1] * _GRAIN) / _GRAIN)


def _asked(text: str) -> Fraction:
    found = _RATIO.fullmatch(text)
    width, height = (Fraction(found[1]), Fraction(found[2])) if found else (Fraction(0), Fraction(0))
    if not (width and height and 1 / _WIDEST <= width / height <= _WIDEST):
        detail = 'A ratio is width by height, as in "4:5" or "1.91:1".'
        raise RatioRefused(detail, errors=[FieldError("/ratio", "no-ratio", detail)])
    return width / height


def _near(ratio: Fraction, taken: Pictures, network: str) -> tuple[Fraction, Fraction]:
    """Return the ratios that pass for the one that was asked for, all of them the network's."""
    low, high = taken.min_ratio or ratio, taken.max_ratio or ratio
    if not low <= ratio <= high:
        detail = f"{network} takes pictures from {shown(low)} to {shown(high)}. Ask for a ratio between."
        raise RatioRefused(detail, errors=[FieldError("/ratio", "not-taken", detail)])
    least = ratio * (1 - _LENIENCE) if taken.min_ratio is None else max(taken.min_ratio, ratio * (1 - _LENIENCE))
    most = ratio * (1 + _LENIENCE) if taken.max_ratio is None else min(taken.max_ratio, ratio * (1 + _LENIENCE))
    return least, most


def shown(ratio: Fraction) -> str:
    """Return a ratio as people write it."""
    if ratio.numerator <= 100 and ratio.denominator <= 100:
        return f"{ratio.numerator}:{ratio.denominator}"
    return f"{float(ratio):.4g}:1" if ratio >= 1 else f"1:{float(1 / ratio):.4g}"


def _written(ratio: Fraction | None) -> list[int] | None:
    return None if ratio is None else [ratio.numerator, ratio.denominator]


def _read(ratio: list[int] | None) -> Fraction | None:
    return None if ratio is None else Fraction(*ratio)
