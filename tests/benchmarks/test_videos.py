"""A minute of 4K: what it costs to look at it, and how fast a video is converted. Each in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import psutil
import pytest
from av.packet import Packet
from av.video.frame import VideoFrame

from infra_cdk.local.state import ROOT

pytestmark = pytest.mark.benchmark

RATE = 30
SHIFT = 8


def filmed(path: Path, size: tuple[int, int], seconds: int, bits: int, codec: str = "libx264") -> Path:
    """Write a video of a texture that moves, with a keyframe each second, at about a number of bits a second.

    Two seconds are encoded, and written again and again: a decoder has the same work with each.
    """
    with av.open(str(path), "w", format="mp4") as made:
        options = {"preset": "ultrafast", "g": str(RATE), "bf": "0", "maxrate": str(bits), "bufsize": str(bits)}
        options |= {"x265-params": "log-level=none:bframes=0:repeat-headers=1"} if codec == "libx265" else {}
        stream: Any = made.add_stream(codec, rate=RATE, options=options)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = *size, "yuv420p", bits
        made.start_encoding()
        packets = [packet for frame in textures(size, 2 * RATE) for packet in stream.encode(frame)]
        packets += stream.encode(None)
        for turn in range(seconds // 2):
            for packet in packets:
                again = Packet(bytes(packet))
                again.stream, again.is_keyframe, again.time_base = stream, packet.is_keyframe, packet.time_base
                later = round(2 * turn / packet.time_base)
                again.pts, again.dts = packet.pts + later, packet.dts + later
                made.mux(again)
    return path


def textures(size: tuple[int, int], count: int) -> Iterator[VideoFrame]:
    """Yield frames of which each is the one before, a little to the left: stripes under noise."""
    width, pixels = size[0], size[0] * size[1]
    noise, stripes = os.urandom(width), os.urandom(64)
    eight_rows = bytes((noise[at // 8] + stripes[at % width * 64 // width]) // 2 for at in range(8 * width))
    plane = (eight_rows * (pixels // len(eight_rows) + 2))[: pixels + SHIFT * count]
    for number in range(count):
        frame = VideoFrame(*size, "yuv420p")
        frame.planes[0].update(plane[number * SHIFT : number * SHIFT + pixels])
        for colour in frame.planes[1:]:
            colour.update(bytes([128]) * (pixels // 4))
        frame.pts, frame.time_base = number, Fraction(1, RATE)
        yield frame


def measured(what: str, path: Path) -> Mapping[str, float]:
    command = [sys.executable, "-m", "tests.benchmarks.videos", what, str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=1_800)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def tell(capsys: pytest.CaptureFixture[str], name: str, found: Mapping[str, float], seconds: int) -> None:
    part = found["read"] / found["size"]
    with capsys.disabled():
        print(  # noqa: T201 - what a benchmark is for
            f"\n{name}: {found['size'] / 1e6:.0f} MB, {found['read'] / 1e6:.1f} MB read ({part:.1%});"
            f" {found['cpu']:.1f} s of CPU, {found['seconds']:.1f} s ({seconds / found['seconds']:.2f} x its length);"
            f" {found['rss_mb']:.0f} MB at most, {found['idle_mb']:.0f} before; load {psutil.getloadavg()[0]:.1f}"
        )


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_a_minute_of_4k(tmp_path: Path, capsys: pytest.CaptureFixture[str], codec: str) -> None:
    seconds = 60 if codec == "libx264" else 10
    path = filmed(tmp_path / "4k.mp4", (3840, 2160), seconds, 29_000_000, codec)
    found = measured("look", path)
    assert found["read"] < found["size"]
    tell(capsys, f"{seconds} s of 4K, {codec}: stills and previews", found, seconds)
    tell(capsys, f"{seconds} s of 4K, {codec}: stills alone", measured("still", path), seconds)


def test_converting_full_hd(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = filmed(tmp_path / "hd.mp4", (1920, 1080), 20, 12_000_000)
    tell(capsys, "20 s of full HD, converted", measured("convert", path), 20)
