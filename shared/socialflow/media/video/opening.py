"""Opens a video for decoding: one container format, no address but the file itself, bounded threads and frames."""

import errno
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import av
import av.error
from av.container import InputContainer
from av.video.stream import VideoStream

from socialflow.media.model import UnfitFile
from socialflow.media.video import boxes
from socialflow.media.video.limits import (
    MAX_PIXELS,
    MAX_SECONDS,
    MAX_SIDE,
    MAX_STREAMS,
    VIDEO_CODECS,
    is_heard,
)
from socialflow.media.video.source import Readable, size_of

_OPTIONS = {
    "enable_drefs": "0",  # data in other files, named by their paths
    "protocol_whitelist": "none",  # there is no protocol of that name
    "max_pixels": str(MAX_PIXELS),
    "max_streams": str(MAX_STREAMS + 8),  # cover pictures have streams of their own
    "probesize": str(2 * 1024 * 1024),
    "analyzeduration": "2000000",
}
_BUFFER = 64 * 1024
# What the decoder raises over a damaged or hostile file; OSError also stands for much of it.
_DAMAGED = (av.error.FFmpegError, ValueError, OSError, EOFError, OverflowError, ZeroDivisionError, LookupError)


class TooSlow(UnfitFile):
    """The time that a video may take is over."""


@dataclass(frozen=True)
class Deadline:
    """When work on a video ends, by the monotonic clock; looked at between packets and frames."""

    at: float

    @classmethod
    def within(cls, seconds: float) -> "Deadline":
        """Return the deadline in so many seconds."""
        return cls(time.monotonic() + seconds)

    def check(self) -> None:
        """Raise `TooSlow` where it has passed."""
        if time.monotonic() > self.at:
            raise TooSlow("too-slow", "The video takes too long to read. Save it in a smaller size and upload that.")


@dataclass(frozen=True)
class Opened:
    """A video whose index was read, and whose picture can be decoded. Nothing was decoded for us yet."""

    file: Readable
    container: InputContainer
    layout: boxes.Layout
    video: VideoStream
    audio: Any | None
    """The stream of sound, where there is one that can be decoded."""
    seconds: float
    """How long it is, by its index."""
    start: float
    """The time of its first frame, on the clock of the frames."""

    def reading(self) -> AbstractContextManager[None]:
        """Guard what decodes: damage that it finds is a refusal."""
        return refusing_damage(self.file)

    @property
    def video_codec(self) -> str:
        """The codec of the picture, by its own name and not by the decoder's."""
        return _codec(self.video)

    @property
    def audio_codec(self) -> str | None:
        """The codec of the sound."""
        return _codec(self.audio) if self.audio else None


@contextmanager
def opened(file: Readable, *, threads: int = 1) -> Iterator[Opened]:
    """Open a video to decode it with so many threads; raises `UnfitFile`. Decoding it may still find damage."""
    with refusing_damage(file):
        layout = boxes.inspect(file, size_of(file))
        file.seek(0)
        container = av.open(
            file, "r", format="mov", options=_OPTIONS, metadata_errors="replace", buffer_size=_BUFFER, io_open=_refuse
        )
    with container:
        with refusing_damage(file):
            video = _checked(file, container, layout, threads)
        yield video


@contextmanager
def refusing_damage(file: Readable) -> Iterator[None]:
    """Turn what a decoder raises over a file into `UnfitFile`, but not what went wrong while it was fetched."""
    try:
        yield
    except UnfitFile:
        _raise_failure(file)
        raise
    except MemoryError:
        _raise_failure(file)
        raise UnfitFile("too-complex", "The video needs too much memory. Save it smaller and try again.") from None
    except _DAMAGED as error:
        _raise_failure(file)
        if getattr(error, "errno", None) == errno.ENOSPC:
            raise  # our own disk
        raise UnfitFile("damaged", "The video is damaged. Open it, save it anew, and upload that.") from error
    _raise_failure(file)


def _raise_failure(file: Readable) -> None:
    failure = getattr(file, "failure", None)
    if failure is not None:
        raise failure


def _refuse(_url: str, _flags: int, _options: dict[str, str]) -> Any:
    raise UnfitFile("refers-elsewhere", "The video refers to another file. Export it as a movie of its own.")


def _checked(file: Readable, container: InputContainer, layout: boxes.Layout, threads: int) -> Opened:
    video = _picture(container)
    _check_size(video.codec_context.width, video.codec_context.height)
    seconds = _seconds(container, video)
    if seconds > MAX_SECONDS:
        raise UnfitFile(
            "too-long", f"The video is longer than {MAX_SECONDS // 60} minutes. Shorten it and upload that."
        )
    video.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
    video.codec_context.thread_count = threads
    audio = next((one for one in container.streams.audio if is_heard(_codec(one))), None)
    start = float(video.start_time * video.time_base) if video.start_time and video.time_base else 0.0
    return Opened(file, container, layout, video, audio, seconds, start)


def _picture(container: InputContainer) -> VideoStream:
    """Return the stream that a player would show; covers and pictures of chapters are none."""
    shown = [one for one in container.streams.video if not _is_cover(one)]
    if not shown:
        raise UnfitFile("no-picture", "The file has no moving picture in it. Upload a video.")
    video = shown[0]
    name = _codec(video)
    if name not in VIDEO_CODECS:
        raise UnfitFile(
            "unsupported-codec",
            f"The video is of a kind that is not read{f' ({name})' if name else ''}."
            " Export it as H.264 or HEVC and upload that.",
        )
    return video


def _codec(stream: Any) -> str:
    """Return the codec's name; a stream that no decoder is known for has no context, whatever the stubs say."""
    name = stream.codec_context.name if stream.codec_context else ""
    return {"libdav1d": "av1"}.get(name, name)


def _is_cover(stream: VideoStream) -> bool:
    kinds = av.stream.Disposition
    return bool(stream.disposition & (kinds.attached_pic | kinds.timed_thumbnails | kinds.still_image))


def _check_size(width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise UnfitFile("damaged", "The video does not say how large its picture is. Save it anew, and upload that.")
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise UnfitFile(
            "too-many-pixels", f"The picture of the video has {width} by {height} pixels. Save it in 4K or smaller."
        )


def _seconds(container: InputContainer, video: VideoStream) -> float:
    known = float(video.duration * video.time_base) if video.duration and video.time_base else 0.0
    if known <= 0 and container.duration:
        known = container.duration / 1_000_000
    if known <= 0:
        raise UnfitFile("no-duration", "The video does not say how long it is. Save it anew, and upload that.")
    return known
