"""What the benchmark of videos does in a process of its own: `python -m tests.benchmarks.videos <what> <file>`."""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from socialflow.media import fingerprint, rendering
from socialflow.media.video import previews, probing
from socialflow.media.video.model import VideoWanted
from socialflow.media.video.opening import Deadline, opened
from socialflow.media.video.source import Source
from socialflow.media.video.transcoding import transcode


def look(source: Source) -> None:
    """Do what Process Video does with a video, but for the bucket and the database."""
    deadline = Deadline.within(600)
    with opened(source) as video:
        probing.probe(video, deadline)
        still = previews.still(video, deadline)
        pictures = rendering.render(still.picture())
        fingerprint.take(next(one.data for one in pictures if one.variant == "small"))
        previews.moving(video, still.seconds, deadline)


def show_still(source: Source) -> None:
    """Make the stills alone."""
    deadline = Deadline.within(600)
    with opened(source) as video:
        rendering.render(previews.still(video, deadline).picture())


def convert(source: Source) -> None:
    """Convert a video for a network that takes full HD."""
    with tempfile.TemporaryDirectory() as folder:
        wanted = VideoWanted(1920, 1080, 600, 512 * 1024 * 1024, 60)
        until = time.monotonic() + 3_600
        transcode(source, Path(folder, "converted.mp4"), wanted, progress=lambda _percent: None, deadline=until)


WHAT: Mapping[str, Callable[[Source], None]] = {"look": look, "still": show_still, "convert": convert}


def main(what: str, path: str) -> None:
    """Do it, and print what it took."""
    file = os.open(path, os.O_RDONLY)
    size = os.fstat(file).st_size
    source = Source(size, lambda start, length: os.pread(file, length, start))
    idle = _peak()
    began, cpu = time.monotonic(), time.process_time()
    WHAT[what](source)
    told = {
        "seconds": time.monotonic() - began,
        "cpu": time.process_time() - cpu,
        "rss_mb": _peak(),
        "idle_mb": idle,
        "read": source.fetched,
        "size": size,
    }
    sys.stdout.write(json.dumps(told))


def _peak() -> float:
    """Return the most memory so far, in MB: of this program, and not of the one that it was forked from."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
