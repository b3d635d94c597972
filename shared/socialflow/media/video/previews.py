"""What is shown of a video before anybody plays it: a representative frame, and three seconds that move.

Of a large video only keyframes are decoded for the still, and only the three seconds for the previews: both need a few
of its bytes. Nothing that the file says about its origin is in what is made.
"""

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.filter import Graph
from av.video.frame import VideoFrame
from PIL import Image, ImageStat

from socialflow.media.inspection import Picture
from socialflow.media.video.opening import Deadline, Opened
from socialflow.media.video.probing import frame_at, frames_from
from socialflow.media.video.shaping import Shaper, aspect_of, buffer_of, within

SECONDS = 3.0
SIDES = (360, 640)
"""What a preview fits into: 360 pixels wide, and for a video that stands 640 high."""
_GIF_RATE, _MP4_RATE = 10, 24
_STILL_SIDES = (2_400, 8_192)
_LEAST_DEVIATION = 12.0
"""Of luma, in 255: below it a frame is black, white or a plain colour."""
_SAMPLES_A_SECOND = 10
_MOST_SECONDS = 10.0
_LARGE = 1_920 * 1_088
"""Pixels above which keyframes alone are looked at."""
_JUMPS = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)
_SMALL = (64, 64)
_BASE = Fraction(1, 1_000)


@dataclass(frozen=True)
class Still:
    """The representative frame, upright and in sRGB, and the time at which it is seen."""

    image: Image.Image
    seconds: float

    def picture(self) -> Picture:
        """Return it as an opened picture, from which derivatives are made."""
        return Picture(self.image, "image/png", self.image.width, self.image.height, 1, None, None)


@dataclass(frozen=True)
class Preview:
    """A preview's bytes."""

    variant: str
    content_type: str
    extension: str
    data: bytes
    width: int
    height: int


def still(video: Opened, deadline: Deadline) -> Still:
    """Return the first frame that shows something; where none does, the one that shows the most."""
    with video.reading():
        best: tuple[float, VideoFrame] | None = None
        for frame in _candidates(video, deadline):
            deviation = _deviation(frame)
            if best is None or deviation > best[0]:
                best = (deviation, frame)
            if deviation >= _LEAST_DEVIATION:
                break
        frame = best[1] if best else frame_at(video, 0.0, deadline)
        shaper = Shaper(within(*_STILL_SIDES), "rgb24", aspect_of(video.video.sample_aspect_ratio))
        return Still(_image(shaper.shape(frame)), max(0.0, _time(frame) - video.start))


def moving(video: Opened, begin: float, deadline: Deadline) -> list[Preview]:
    """Return the previews, as a GIF and as an MP4 without sound, of the three seconds from a time on."""
    begin = max(0.0, min(begin, video.seconds - SECONDS))
    shaper = Shaper(within(*SIDES, even=True), "yuv420p", aspect_of(video.video.sample_aspect_ratio))
    with video.reading():
        frames = [shaper.shape(frame) for frame in _paced(video, begin, deadline)]
    assert shaper.size is not None  # a video without a frame is refused before
    width, height = shaper.size
    animation = _written(_reduced(frames, deadline), _GIF, deadline)  # first, as the MP4's times are written into them
    return [
        Preview("gif", "image/gif", "gif", animation, width, height),
        Preview("preview", "video/mp4", "mp4", _written(frames, _MP4, deadline), width, height),
    ]


def _candidates(video: Opened, deadline: Deadline) -> Iterator[VideoFrame]:
    if video.video.codec_context.width * video.video.codec_context.height > _LARGE:
        seen: set[int | None] = set()
        for seconds in (jump for jump in _JUMPS if jump < max(video.seconds, 0.1)):
            frame = frame_at(video, seconds, deadline)
            if frame.pts not in seen:
                seen.add(frame.pts)
                yield frame
        return
    due = 0.0
    for frame in frames_from(video, 0.0, deadline):
        seconds = _time(frame) - video.start
        if seconds > _MOST_SECONDS:
            return
        if seconds >= due:
            yield frame
            due = seconds + 1 / _SAMPLES_A_SECOND - 0.001


def _paced(video: Opened, begin: float, deadline: Deadline) -> Iterator[VideoFrame]:
    """Yield the frames of the three seconds, as many a second as the MP4 has; one at the least."""
    due, none_yet = begin, True
    last = None
    for frame in frames_from(video, begin, deadline):
        seconds = _time(frame) - video.start
        if seconds >= begin + SECONDS and not none_yet:
            return
        last = frame
        if seconds >= due - 0.001:
            yield frame
            none_yet = False
            due = max(due + 1 / _MP4_RATE, seconds)
    if none_yet:
        yield last or frame_at(video, 0.0, deadline)


def _deviation(frame: VideoFrame) -> float:
    return ImageStat.Stat(frame.reformat(*_SMALL, format="gray8").to_image()).stddev[0]  # type: ignore[no-untyped-call] # Pillow's


def _image(frame: VideoFrame) -> Image.Image:
    image: Image.Image = frame.to_image()  # type: ignore[no-untyped-call] # Pillow's
    return image


def _time(frame: VideoFrame) -> float:
    return float(frame.time) if frame.pts is not None else 0.0


@dataclass(frozen=True)
class _Format:
    extension: str
    codec: str
    pixels: str
    encoder: Mapping[str, str] = field(default_factory=dict)
    container: Mapping[str, str] = field(default_factory=dict)


_GIF = _Format("gif", "gif", "pal8")
_MP4 = _Format(
    "mp4",
    "libx264",
    "yuv420p",
    {"preset": "veryfast", "crf": "28", "profile": "high"},
    {"fflags": "+bitexact", "movflags": "+faststart"},
)


def _reduced(frames: list[VideoFrame], deadline: Deadline) -> list[VideoFrame]:
    """Return frames for a GIF: fewer, in one palette of their own."""
    due = 0.0
    chosen: list[VideoFrame] = []
    for frame in frames:
        if not chosen or _time(frame) >= due - 0.001:
            chosen.append(frame)
            due = _time(frame) + 1 / _GIF_RATE
    graph = _palette_graph(chosen[0])
    for frame in chosen:
        deadline.check()
        graph.vpush(frame)
    graph.vpush(None)
    reduced = []
    for frame in chosen:
        made = graph.vpull()
        made.pts, made.time_base = frame.pts, frame.time_base
        reduced.append(made)
    return reduced


def _palette_graph(like: VideoFrame) -> Graph:
    graph = Graph()
    graph.threads = 1
    buffer = graph.add("buffer", buffer_of(like))
    split = graph.add("split")
    palette = graph.add("palettegen", "max_colors=128:stats_mode=diff")
    use = graph.add("paletteuse", "dither=bayer:bayer_scale=4:diff_mode=rectangle")
    sink = graph.add("buffersink")
    buffer.link_to(split)
    split.link_to(use, 0, 0)
    split.link_to(palette, 1, 0)
    palette.link_to(use, 0, 1)
    use.link_to(sink)
    graph.configure()
    return graph


def _written(frames: list[VideoFrame], kind: _Format, deadline: Deadline) -> bytes:
    """Return a file of the frames, whose time begins at nought; nothing is taken over from where they come from."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"preview.{kind.extension}")
        with av.open(str(path), "w", format=kind.extension, options=dict(kind.container)) as made:
            stream: Any = made.add_stream(kind.codec, rate=Fraction(_MP4_RATE), options=dict(kind.encoder))
            stream.width, stream.height, stream.pix_fmt = frames[0].width, frames[0].height, kind.pixels
            stream.codec_context.thread_count, stream.codec_context.time_base = 1, _BASE
            begin, at = _time(frames[0]), -1
            for frame in frames:
                deadline.check()
                at = max(at + 1, round((_time(frame) - begin) / _BASE))
                frame.pts, frame.time_base = at, _BASE
                frame.pict_type = 0  # the encoder decides which are keyframes
                made.mux(stream.encode(frame))
            made.mux(stream.encode(None))
        return path.read_bytes()
