"""Whether a media item is taken by a network as it is, after a rendition, or not at all; each with its reason.

Of a picture the large derivative is what goes out, so that is what is held against the limits; of a video its original.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from socialflow import limits
from socialflow.limits import Pictures, Videos
from socialflow.media.model import Derivative, MediaItem
from socialflow.media.rendition_spec import shown

Verdict = Literal["fits", "needs_rendition", "cannot"]
PUBLISHED_VARIANT = "large"


@dataclass(frozen=True)
class Reason:
    """Why a network does not take something as it is; `mendable`: a rendition would be taken."""

    code: str
    detail: str
    mendable: bool


@dataclass(frozen=True)
class Fit:
    """What one network would say of a media item."""

    network: str
    as_of: str
    reasons: tuple[Reason, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of the reasons."""
        if not self.reasons:
            return "fits"
        return "needs_rendition" if all(reason.mendable for reason in self.reasons) else "cannot"


def fits(item: MediaItem, made: Sequence[Derivative], network: str) -> Fit:
    """Hold a processed media item against what a network takes."""
    if item.kind == "video":
        reasons = tuple(_of_video(item, limits.videos(network), network))
    else:
        reasons = tuple(_of_picture(made, limits.pictures(network), network))
    return Fit(network, limits.document(network)["as_of"], reasons)


def _of_picture(made: Sequence[Derivative], taken: Pictures, network: str) -> Iterator[Reason]:
    published = [one for one in made if one.variant == PUBLISHED_VARIANT]
    if not published:
        yield Reason("not-processed", "There is no picture of it that could go out. Upload it again.", mendable=False)
        return
    picture = published[0]
    if picture.content_type not in taken.types:
        yield Reason("type", f"{network} does not take {picture.content_type}.", mendable=True)
    if picture.size > taken.max_bytes:
        yield _too_many_bytes(picture.size, taken.max_bytes, network)
    if picture.width > (taken.max_width or picture.width) or picture.height > (taken.max_height or picture.height):
        detail = f"It has {picture.width} by {picture.height} pixels, {network} takes {_sides(taken)}."
        yield Reason("too-large", detail, mendable=True)
    if picture.width * picture.height > (taken.max_pixels or picture.width * picture.height):
        detail = f"It has {picture.width * picture.height:,} pixels, {network} takes {taken.max_pixels:,}."
        yield Reason("too-many-pixels", detail, mendable=True)
    yield from _ratio(picture.width, picture.height, taken, network, mendable=True)


def _of_video(item: MediaItem, taken: Videos, network: str) -> Iterator[Reason]:
    yield from _format(item, taken, network)
    if (item.size or item.declared_size) > taken.max_bytes:
        yield _too_many_bytes(item.size or item.declared_size, taken.max_bytes, network)
    if item.duration_ms is not None:
        yield from _length(item.duration_ms / 1000, taken, network)
    if item.frame_rate is not None:
        yield from _frame_rate(item.frame_rate, taken, network)
    if item.width and item.height:
        yield from _sides_of_video(item.width, item.height, taken, network)
        yield from _ratio(item.width, item.height, taken, network, mendable=False)


def _format(item: MediaItem, taken: Videos, network: str) -> Iterator[Reason]:
    content_type = item.content_type or item.declared_type
    if content_type not in taken.types:
        yield Reason("type", f"{network} does not take {content_type}.", mendable=True)
    if item.video_codec and item.video_codec not in taken.codecs:
        yield Reason("codec", f"{network} does not take video in {item.video_codec}.", mendable=True)
    if item.audio_codec and item.audio_codec not in taken.audio_codecs:
        yield Reason("audio-codec", f"{network} does not take sound in {item.audio_codec}.", mendable=True)


def _length(seconds: float, taken: Videos, network: str) -> Iterator[Reason]:
    if taken.max_seconds is not None and seconds > taken.max_seconds:
        detail = f"The video has {seconds:,.0f} seconds, {network} takes {taken.max_seconds:,}. Upload a shorter one."
        yield Reason("too-long", detail, mendable=False)
    if seconds < taken.min_seconds:
        detail = f"The video has {seconds:.2g} seconds, {network} asks for {taken.min_seconds}. Upload a longer one."
        yield Reason("too-short", detail, mendable=False)


def _frame_rate(rate: float, taken: Videos, network: str) -> Iterator[Reason]:
    # A camera's 29.97 is 30, and its 23.976 more than 23.
    if taken.max_frame_rate is not None and rate > taken.max_frame_rate + 0.5:
        detail = f"The video has {rate:.4g} frames a second, {network} takes {taken.max_frame_rate:g}."
        yield Reason("frame-rate", detail, mendable=True)
    if taken.min_frame_rate is not None and rate < taken.min_frame_rate - 0.5:
        detail = f"The video has {rate:.4g} frames a second, {network} asks for {taken.min_frame_rate:g}."
        yield Reason("too-few-frames", f"{detail} Record it with more.", mendable=False)


def _sides_of_video(width: int, height: int, taken: Videos, network: str) -> Iterator[Reason]:
    long, short = max(width, height), min(width, height)
    over = long > taken.max_side or short > (taken.max_short_side or short)
    if over or width * height > (taken.max_pixels or width * height):
        most = f"{taken.max_side} by {taken.max_short_side or taken.max_side}"
        detail = f"The video has {width} by {height} pixels, {network} takes {most} at the most."
        yield Reason("too-large", detail, mendable=True)
    if taken.min_side is not None and short < taken.min_side:
        detail = f"The video has {width} by {height} pixels, {network} asks for {taken.min_side} a side."
        yield Reason("too-small", f"{detail} Upload a larger one.", mendable=False)


def _ratio(width: int, height: int, taken: Pictures | Videos, network: str, *, mendable: bool) -> Iterator[Reason]:
    low, high = taken.min_ratio, taken.max_ratio
    if low is None or high is None or low * height <= width <= high * height:
        return
    what = f"Its ratio is {shown(Fraction(width, height))}, {network} takes {shown(low)} to {shown(high)}."
    yield Reason("ratio", what if mendable else f"{what} Upload it cut to that.", mendable=mendable)


def _too_many_bytes(size: int, most: int, network: str) -> Reason:
    return Reason("too-many-bytes", f"It has {size:,} bytes, {network} takes {most:,}.", mendable=True)


def _sides(taken: Pictures) -> str:
    if taken.max_width and taken.max_height:
        return f"{taken.max_width} by {taken.max_height}"
    return f"{taken.max_width} across" if taken.max_width else f"{taken.max_height} in height"
