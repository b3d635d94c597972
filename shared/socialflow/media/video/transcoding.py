"""Converts a video to what networks take: H.264 and AAC in an MP4 that begins to play at once, upright, in a size.

One pass over the source. Too large a result is made once more at a lower rate; what will not be ready in time is given
up within seconds, in words that say what would be.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av.error
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame

from socialflow.media.model import UnfitFile
from socialflow.media.video.encoding import Mp4, Rates, TooLarge
from socialflow.media.video.foresight import Foresight, Progress, words
from socialflow.media.video.limits import MAX_PIXELS
from socialflow.media.video.model import Transcoded, VideoWanted
from socialflow.media.video.opening import Deadline, Opened, opened
from socialflow.media.video.probing import frame_at
from socialflow.media.video.shaping import Shaper, Size, aspect_of, check_frame, within
from socialflow.media.video.source import Readable

_SOUND = 128_000
_LEAST_SOUND = 48_000
_SOUNDS_PART = 0.15
_BITS_A_PIXEL = 0.12
"""At the most, for a picture that moves much: 7.5 Mbit/s at 1080p and 30 frames a second."""
_LEAST_BITS_A_PIXEL = 0.03
"""With less, a smaller picture is better than a smeared one."""
_MOST_RATE, _LEAST_RATE = 12_000_000, 100_000
_LEAST_SIDE = 240
_HEADROOM = 0.96
"""The part of the bytes that is planned for: the rest is the index."""
_SECOND_TRY = 0.75
_SLACK = 0.5
"""Seconds that a length may be over, as the sound outlasts the picture."""
_EARLY = 0.001
_DAMAGES = 100
"""Packets that may be unreadable."""


def transcode(  # noqa: PLR0913 # the contract: from where, to where, what, and whom to tell until when
    source: Readable, target: Path, wanted: VideoWanted, *, progress: Progress, deadline: float, threads: int = 2
) -> Transcoded:
    """Convert a video into the file `target`; `deadline` is by the monotonic clock.

    Raises `UnfitFile` with a reason for people: too long, too much work for the time, too many bytes whatever is done.
    `progress` is told each percent, 100 at the end. Nothing is enlarged and no frame is made up; `target` is there
    only where all went well, and never larger than `max_bytes`.
    """
    foresight = Foresight(progress, deadline)
    for share in (1.0, _SECOND_TRY):
        try:
            with opened(source, threads=threads) as video, video.reading():
                return _Conversion(video, wanted, foresight, share).run(target, threads)
        except TooLarge:
            target.unlink(missing_ok=True)
            foresight.begin_again()
        except BaseException:
            target.unlink(missing_ok=True)
            if foresight.failure:
                raise foresight.failure from None  # and not what a decoder would have meant by it
            raise
    raise _no_room(wanted)


@dataclass
class _Conversion:
    video: Opened
    wanted: VideoWanted
    foresight: Foresight
    share: float
    """The part of the bytes that is planned for."""
    due: float = 0.0
    """When the next frame is taken at the earliest."""
    ends: float = 0.0

    def run(self, target: Path, threads: int) -> Transcoded:
        """Do it; raises `TooLarge` where the plan did not hold."""
        if self.video.seconds > self.wanted.max_seconds + _SLACK:
            raise _too_long(self.video.seconds, self.wanted.max_seconds)
        shaper = Shaper(self._fit, "yuv420p", aspect_of(self.video.video.sample_aspect_ratio))
        like = shaper.shape(frame_at(self.video, 0.0, Deadline(self.foresight.deadline)))
        rates = self._planned(like.width, like.height)[1]
        with Mp4(target, like, rates, most_bytes=self.wanted.max_bytes, threads=threads) as made:
            for frame in self._frames():
                if isinstance(frame, AudioFrame):
                    made.hear(frame, self.video.start)
                elif (at := self._taken_at(frame)) is not None:
                    made.show(shaper.shape(frame), at)
            shown = made.shown
        size = target.stat().st_size
        if size > self.wanted.max_bytes:
            raise TooLarge
        self.foresight.tell(100)
        rate = round(min(self._frame_rate(), shown / self.ends), 3) if self.ends > 0 else self._frame_rate()
        return Transcoded(like.width, like.height, round(self.ends * 1000), size, rate, rates.sound > 0)

    def _fit(self, width: int, height: int) -> Size:
        return self._planned(width, height)[0]

    def _planned(self, width: int, height: int) -> tuple[Size, Rates]:
        return plan(
            (width, height), self._frame_rate(), self.video.seconds, self.wanted, self.share, has_sound=self._has_sound
        )

    @property
    def _has_sound(self) -> bool:
        return self.wanted.audio and self.video.audio is not None

    def _frame_rate(self) -> float:
        told = self.video.video.average_rate
        return max(1.0, min(float(told) if told else 30.0, self.wanted.max_frame_rate))

    def _frames(self) -> Iterator[VideoFrame | AudioFrame]:
        """Yield pictures and sound from the beginning, as they lie in the file."""
        base = self.video.video.time_base
        assert base is not None
        self.video.container.seek(round(self.video.start / base), stream=self.video.video)
        streams = [self.video.video, *([self.video.audio] if self._has_sound else [])]
        damages = 0
        for packet in self.video.container.demux(streams):
            try:
                frames = packet.decode()
            except av.error.InvalidDataError:
                damages += 1
                if damages > _DAMAGES:
                    raise
                continue
            for frame in frames:
                if isinstance(frame, VideoFrame):
                    check_frame(frame, MAX_PIXELS)
                    yield frame
                elif isinstance(frame, AudioFrame):
                    yield frame

    def _taken_at(self, frame: VideoFrame) -> float | None:
        """Return when a frame is seen, None where it is one more than there may be in a second."""
        at = max(0.0, float(frame.time) - self.video.start) if frame.pts is not None else self.ends
        if at > self.wanted.max_seconds + 2 * _SLACK:
            raise _too_long(at, self.wanted.max_seconds)
        self.foresight.look(at / self.video.seconds, self.video.seconds)
        self.ends = max(self.ends, at + 1 / self._frame_rate())
        if at < self.due - _EARLY:
            return None
        step = 1 / self.wanted.max_frame_rate
        self.due = max(self.due, at - step / 2) + step
        return at


def plan(  # noqa: PLR0913 # what decides a size and a rate
    shown: Size,
    frames: float,
    seconds: float,
    wanted: VideoWanted,
    share: float,
    *,
    has_sound: bool,
) -> tuple[Size, Rates]:
    """Return size and rates for a picture of a size, so that the bytes suffice; raises `UnfitFile` where none do.

    The picture's rate is a bound that the encoder keeps over each second, so that the sum is bounded too.
    """
    room = wanted.max_bytes * 8 * _HEADROOM * share / (seconds + 1.0)
    sound = round(max(_LEAST_SOUND, min(_SOUND, room * _SOUNDS_PART))) if has_sound else 0
    room -= sound
    if room < _LEAST_RATE:
        raise _no_room(wanted)
    most = (wanted.max_width, wanted.max_height)
    size = within(*(most if shown[0] >= shown[1] else reversed(most)), even=True)(*shown)
    while size[0] * size[1] * frames * _LEAST_BITS_A_PIXEL > room and min(size) > _LEAST_SIDE:
        size = within(round(size[0] * 0.85), round(size[1] * 0.85), even=True)(*shown)
    rate = min(room, _MOST_RATE, max(_LEAST_RATE, size[0] * size[1] * frames * _BITS_A_PIXEL))
    return size, Rates(int(rate), frames, sound)


def _too_long(seconds: float, most: float) -> UnfitFile:
    return UnfitFile(
        "too-long", f"The video is {words(seconds)} long, and {words(most)} are taken. Shorten it, and try again."
    )


def _no_room(wanted: VideoWanted) -> UnfitFile:
    return UnfitFile(
        "too-large",
        f"The video cannot be made to fit {wanted.max_bytes / 1024**2:.0f} MB and still be watched. Shorten it.",
    )
