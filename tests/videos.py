"""Videos made for tests: as phones, screens and editors write them, and ones that mean harm."""

import io
import math
import struct
import tempfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame
from PIL import Image, ImageDraw

UPRIGHT = {0: (1, 0, 0, 1), 90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}
"""The matrix (a, b, c, d) that turns a stored picture right by so many degrees."""

Paint = Callable[[int, int, int], Image.Image]
"""Paints the picture of a number, in a width and a height."""


def arrow(number: int, width: int, height: int) -> Image.Image:
    """Return a picture that says where up is: a white arrow to the top, red at the left, something that moves."""
    image = Image.new("RGB", (width, height), "navy")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, width // 8, height), fill="red")
    middle, head = width // 2, min(width, height) // 4
    draw.polygon([(middle, height // 10), (middle - head, height // 2), (middle + head, height // 2)], fill="white")
    draw.rectangle((middle - head // 3, height // 2, middle + head // 3, height * 9 // 10), fill="white")
    left = (number * 7) % max(1, width - width // 8)
    draw.rectangle((left, height - height // 12, left + width // 8, height), fill="lime")
    return image


def black_first(count: int) -> Paint:
    """Return a painter whose first pictures are black."""
    return lambda number, width, height: (
        Image.new("RGB", (width, height)) if number < count else arrow(number, width, height)
    )


def video(  # each a way in which videos differ
    width: int = 320,
    height: int = 180,
    *,
    frames: int = 30,
    rate: int = 30,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    kind: str = "mp4",
    sound: str | None = "aac",
    paint: Paint = arrow,
    times: Callable[[int], int] = lambda number: number,
    options: dict[str, str] | None = None,
    container: dict[str, str] | None = None,
    tags: dict[str, str] | None = None,
    colours: tuple[int, int, int] | None = None,
    turned: int = 0,
) -> bytes:
    """Return a video; `turned` says by how many degrees to the right its player turns it, `colours` are by H.273."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"video.{kind}")
        with av.open(str(path), "w", format=kind, options={"use_editlist": "1", **(container or {})}) as made:
            made.metadata.update(tags or {})
            stream: Any = made.add_stream(codec, rate=rate, options=options or {})
            stream.width, stream.height, stream.pix_fmt = width, height, pixels
            stream.codec_context.thread_count = 2
            if colours:
                (
                    stream.codec_context.color_primaries,
                    stream.codec_context.color_trc,
                    stream.codec_context.colorspace,
                ) = colours
                stream.codec_context.color_range = 1
            heard: Any = made.add_stream(sound, rate=48_000, layout="stereo") if sound else None
            made.start_encoding()
            for number in range(frames):
                frame = VideoFrame.from_image(paint(number, width, height))  # type: ignore[no-untyped-call] # Pillow's
                frame = frame.reformat(format=pixels)
                frame.pts, frame.time_base = times(number), Fraction(1, rate)
                made.mux(stream.encode(frame))
            made.mux(stream.encode(None))
            if heard:
                for tone in tones(frames / rate):
                    made.mux(heard.encode(tone))
                made.mux(heard.encode(None))
        data = path.read_bytes()
    return rotated(data, turned) if turned else data


def tones(seconds: float) -> Iterator[AudioFrame]:
    """Yield a tone of 440 Hz."""
    for first in range(0, max(1024, int(seconds * 48_000)), 1024):
        samples = [math.sin(440 * 2 * math.pi * n / 48_000) * 0.3 for n in range(first, first + 1024)]
        frame = AudioFrame(format="fltp", layout="stereo", samples=1024)
        for plane in frame.planes:
            plane.update(struct.pack("<1024f", *samples))
        frame.sample_rate, frame.pts, frame.time_base = 48_000, first, Fraction(1, 48_000)
        yield frame


def rotated(data: bytes, degrees: int) -> bytes:
    """Return a video with the matrix of its picture's track written anew, as a phone does that was held otherwise."""
    a, b, c, d = (value << 16 for value in UPRIGHT[degrees])
    return with_matrix(data, (a, b, 0, c, d, 0, 0, 0, 1 << 30))


def with_matrix(data: bytes, matrix: tuple[int, ...]) -> bytes:
    """Return a video whose first track has this matrix."""
    at = data.index(b"tkhd") + 4
    start = at + (52 if data[at] == 1 else 40)
    return data[:start] + struct.pack(">9i", *matrix) + data[start + 36 :]


def box(kind: bytes, *parts: bytes) -> bytes:
    """Return a box."""
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def replaced(data: bytes, kind: bytes, change: Callable[[bytes], bytes], *, which: int = 0) -> bytes:
    """Return a file in which the body of a box is another of the same length."""
    at = -1
    for _ in range(which + 1):
        at = data.index(kind, at + 1)
    length = struct.unpack_from(">I", data, at - 4)[0] - 8
    body = change(data[at + 4 : at + 4 + length])
    assert len(body) == length
    return data[: at + 4] + body + data[at + 4 + length :]


def opened_again(data: bytes) -> Any:
    """Open a video that was made, to look at it."""
    return av.open(io.BytesIO(data))


def stills(data: bytes, *numbers: int) -> list[Image.Image]:
    """Return frames of a video by their numbers, as they are stored."""
    with opened_again(data) as made:
        frames = [frame.to_image() for frame in made.decode(video=0)]
    return [frames[number] for number in numbers]
