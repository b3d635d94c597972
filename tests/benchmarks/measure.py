"""Makes the derivatives of one picture over and over, and says what it took: test_images runs it.

python -m tests.benchmarks.measure <content type> <picture> <repetitions> <where to write them>
"""

import json
import re
import sys
import time
from pathlib import Path

from socialflow.media import fingerprint, inspection, rendering


def made(path: Path, content_type: str) -> list[rendering.Rendered]:
    """Do what the function does with a file that is here: inspect, five derivatives, hashes, colours."""
    with path.open("rb") as file, inspection.opened(file, content_type) as picture:
        derivatives = rendering.render(picture)
    fingerprint.take(next(each.data for each in derivatives if each.variant == "small"))
    return derivatives


def main() -> None:
    """Print a line of JSON: milliseconds of processor and of the clock each time, and megabytes at the most."""
    content_type, path, repetitions, into = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])
    derivatives = made(path, content_type)  # the first call is not measured: it loads code
    used, began = time.process_time(), time.perf_counter()
    for _ in range(repetitions):
        derivatives = made(path, content_type)
    cpu, wall = time.process_time() - used, time.perf_counter() - began
    for each in derivatives:
        (into / f"{each.variant}.jpg").write_bytes(each.data)
    (peak,) = re.findall(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    told = {"cpu": cpu * 1000 / repetitions, "wall": wall * 1000 / repetitions, "memory": int(peak) / 1024}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
