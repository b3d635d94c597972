"""Writes an H.264 MP4 that begins to play at once: pictures and sound as they come, no word of where they are from."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.video.frame import VideoFrame

SAMPLE_RATE = 48_000
_PACKET = 1_024
_BASE = Fraction(1, 90_000)
_CONTAINER = {"movflags": "+faststart", "fflags": "+bitexact"}
_UNKNOWN = 2
"""What colours are called, by H.273, where nobody has said."""


class TooLarge(Exception):
    """More bytes were written than may be."""


@dataclass(frozen=True)
class Rates:
    """What an encoder is given: bits a second at the most, frames a second on average; `sound` 0: silent."""

    picture: int
    frames: float
    sound: int = 0
    quality: int = 21
    """x264's factor: lower is better and larger."""


class Mp4:
    """A file that is being written. Times are in seconds from its beginning, and rise."""

    def __init__(self, path: Path, like: VideoFrame, rates: Rates, *, most_bytes: int, threads: int) -> None:
        """Pictures have the size and the colours of `like`."""
        self.written = self.shown = 0
        self._most_bytes = most_bytes
        self._shown_at = self._heard_to = -1
        self._made = av.open(str(path), "w", format="mp4", options=_CONTAINER)
        try:
            self._picture = self._with_picture(like, rates, threads)
            self._sound: Any = None
            if rates.sound:
                self._sound = self._made.add_stream("aac", rate=SAMPLE_RATE, layout="stereo")
                self._sound.bit_rate = rates.sound
            self._resampler, self._heard_as = self._new_resampler(), ""
            self._made.start_encoding()
        except BaseException:
            self._made.close()  # nobody has it yet
            raise

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End: the file is whole only after an ordinary end."""
        try:
            if kind is None:
                self._mux(self._picture.encode(None))
                if self._sound:
                    self._encode(self._resampler.resample(None) if self._heard_as else [], 0.0)
                    self._mux(self._sound.encode(None))
        finally:
            self._made.close()

    def show(self, frame: VideoFrame, at: float) -> None:
        """Add a picture; raises `TooLarge`."""
        self._shown_at = max(self._shown_at + 1, round(at / _BASE))
        frame.pts, frame.time_base = self._shown_at, _BASE
        frame.pict_type = 0  # the encoder decides which are keyframes
        self._mux(self._picture.encode(frame))
        self.shown += 1

    def hear(self, frame: AudioFrame, since: float) -> None:
        """Add sound; `since` is when, on the frame's clock, the file begins. Raises `TooLarge`."""
        kind = f"{frame.format.name} {frame.layout.name} {frame.sample_rate}"
        if kind != self._heard_as:
            if self._heard_as:
                self._encode(self._resampler.resample(None), since)
            self._resampler, self._heard_as = self._new_resampler(), kind
        self._encode(self._resampler.resample(frame), since)

    def _encode(self, frames: Sequence[AudioFrame], since: float) -> None:
        for frame in frames:
            at = round((frame.time - since) * SAMPLE_RATE) if frame.time is not None else self._heard_to
            if at + frame.samples <= 0:
                continue  # before the first picture
            frame.pts, frame.time_base = max(at, self._heard_to, 0), Fraction(1, SAMPLE_RATE)
            self._heard_to = frame.pts + frame.samples
            self._mux(self._sound.encode(frame))

    def _with_picture(self, like: VideoFrame, rates: Rates, threads: int) -> Any:
        options = {
            "preset": "veryfast",
            "profile": "high",
            "crf": str(rates.quality),
            "maxrate": str(rates.picture),
            "bufsize": str(rates.picture),
        }
        frames = Fraction(rates.frames).limit_denominator(1_001)
        stream: Any = self._made.add_stream("libx264", rate=frames, options=options)
        stream.width, stream.height, stream.pix_fmt = like.width, like.height, "yuv420p"
        encoder = stream.codec_context
        encoder.thread_count, encoder.time_base = threads, _BASE
        encoder.gop_size = max(12, round(rates.frames * 2))
        for name in ("color_primaries", "color_trc", "colorspace"):
            if getattr(like, name) not in (0, _UNKNOWN):
                setattr(encoder, name, getattr(like, name))
        encoder.color_range = 1  # as televisions have it: what every player expects of H.264
        return stream

    @staticmethod
    def _new_resampler() -> AudioResampler:
        return AudioResampler("fltp", "stereo", SAMPLE_RATE, frame_size=_PACKET)

    def _mux(self, packets: Sequence[Any]) -> None:
        for packet in packets:
            self.written += packet.size
            if self.written > self._most_bytes:
                raise TooLarge
            self._made.mux(packet)
