"""Tells what a video is, and whether it is whole: its index is read, and a frame near its end is decoded."""

from collections.abc import Iterator
from datetime import UTC, datetime

import av
import av.error
from av.video.frame import VideoFrame

from socialflow.media.model import UnfitFile
from socialflow.media.video.limits import MAX_PIXELS
from socialflow.media.video.model import Clip
from socialflow.media.video.opening import Deadline, Opened
from socialflow.media.video.shaping import aspect_of, check_frame, shown_size, turn_of

_MAX_CAMERA = 100
_EARLIEST = datetime(1990, 1, 1)  # noqa: DTZ001 # a wall clock's; before it, clocks were not set
_TRIES = 200
"""Packets in which a frame comes to light, or none does: the longest that a decoder holds frames back is 16."""


def probe(video: Opened, deadline: Deadline) -> Clip:
    """Return what an opened video is; raises `UnfitFile` where its beginning or its end cannot be decoded."""
    with video.reading():
        first = frame_at(video, 0.0, deadline)
        turn = turn_of(first)
        _check_end(video, deadline)
    aspect = aspect_of(video.video.sample_aspect_ratio)
    width, height = shown_size(first.width, first.height, turn, aspect)
    rate = video.video.average_rate
    tags = {**video.video.metadata, **video.container.metadata}
    return Clip(
        content_type="video/quicktime" if video.layout.is_quicktime else "video/mp4",
        width=width,
        height=height,
        duration_ms=round(video.seconds * 1000),
        frame_rate=round(float(rate), 3) if rate and 0 < rate < 1000 else None,
        video_codec=video.video_codec,
        audio_codec=video.audio_codec,
        captured_at=_captured_at(tags),
        camera=_camera(tags),
    )


def frame_at(video: Opened, seconds: float, deadline: Deadline) -> VideoFrame:
    """Return the first frame from the last keyframe at or before a time on; raises `UnfitFile` where there is none."""
    frame = next(frames_from(video, seconds, deadline), None)
    if frame is None:
        raise UnfitFile("damaged", "The video has no picture that can be read. Open it, save it anew, upload that.")
    return frame


def frames_from(video: Opened, seconds: float, deadline: Deadline) -> Iterator[VideoFrame]:
    """Yield frames from the last keyframe at or before a time on; packets that cannot be decoded are passed over."""
    base = video.video.time_base
    assert base is not None
    video.container.seek(round((seconds + video.start) / base), stream=video.video)
    in_vain = 0
    for packet in video.container.demux(video.video):
        deadline.check()
        try:
            frames = video.video.codec_context.decode(packet)
        except av.error.InvalidDataError:
            frames = []
        in_vain = 0 if frames else in_vain + 1
        if in_vain > _TRIES:
            return
        for frame in frames:
            check_frame(frame, MAX_PIXELS)
            yield frame


def _check_end(video: Opened, deadline: Deadline) -> None:
    """Decode the last keyframe: an index may be whole whose data are not."""
    frame = next(frames_from(video, video.seconds, deadline), None)
    if frame is None or frame.is_corrupt:
        raise UnfitFile("incomplete", "The video breaks off before its end. Save it anew, and upload that.")


def _captured_at(tags: dict[str, str]) -> datetime | None:
    """Return the camera's wall clock, which Apple's write; others write UTC only, which is the best that is known."""
    for name in ("com.apple.quicktime.creationdate", "creation_time"):
        try:
            found = datetime.fromisoformat(tags.get(name, "")).replace(tzinfo=None)
        except ValueError:
            continue
        if _EARLIEST < found < datetime.now(UTC).replace(tzinfo=None):
            return found
    return None


def _camera(tags: dict[str, str]) -> str | None:
    make = _plain(tags.get("com.apple.quicktime.make") or tags.get("make"))
    model = _plain(tags.get("com.apple.quicktime.model") or tags.get("model"))
    name = model if model.lower().startswith(make.lower()) else f"{make} {model}"
    return name.strip()[:_MAX_CAMERA] or None


def _plain(text: str | None) -> str:
    return "".join(letter for letter in " ".join((text or "").split()) if letter.isprintable())
