"""Damages pictures and looks whether anything but a refusal comes out: python -m tests.fuzz [seconds].

The inspection and the rendering that the function runs are run on files of the corpus with bytes changed, cut out,
doubled and mixed. Each batch has a process of its own, so that a decoder that takes its process down is told of too.
"""

import argparse
import base64
import io
import random
import subprocess
import sys
import time
from collections import Counter
from functools import cache
from itertools import count

from socialflow.media import inspection, rendering
from socialflow.media.model import UnfitFile
from tests.corpus import REAL

BATCH = 500
TIMEOUT = 300
# A second of a processor for each file of a few kilobytes would be too many.
SLOW = 5.0
TYPES = ("image/jpeg", "image/png", "image/webp", "image/gif", "image/avif", "image/heic")
LARGEST = 200_000


@cache
def seeds() -> list[tuple[str, bytes]]:
    """Return what files are announced as, and the files, that are damaged here: the real ones of the corpus."""
    made = [(case.declared, case.make()) for case in REAL.values()]
    return [(declared, data) for declared, data in made if len(data) <= LARGEST]


def damaged(rng: random.Random, data: bytes, other: bytes) -> bytes:
    """Return the file after a few of the things that happen to files, and that people do to them."""
    found = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        at, length = rng.randrange(len(found) or 1), rng.choice((1, 1, 2, 4, 64))
        match rng.randrange(6):
            case 0:
                found[at : at + length] = rng.randbytes(length)
            case 1:
                found[at : at + length] = rng.choice((b"\0", b"\xff", b"\x7f", b"\x80")) * length
            case 2:
                del found[at : at + length * 8]
            case 3:
                found[at:at] = found[at : at + length * 8]
            case 4:
                found[at:] = other[at:]
            case _:
                del found[max(at, 20) :]
    return bytes(found)


def outcome(data: bytes, declared: str) -> str:
    """Return `processed` or the code of a refusal; whatever else is raised is a finding."""
    try:
        with inspection.opened(io.BytesIO(data), declared) as picture:
            rendering.render(picture)
    except UnfitFile as why:
        return why.code
    return "processed"


def batch(seed: int) -> Counter[str]:
    """Run one batch; raises what was found, after naming the file."""
    rng = random.Random(seed)  # noqa: S311 # damage is not a secret
    outcomes: Counter[str] = Counter()
    for _ in range(BATCH):
        (announced, whole), (_, other) = rng.choice(seeds()), rng.choice(seeds())
        data = damaged(rng, whole, other)
        declared = announced if rng.random() < 0.9 else rng.choice(TYPES)
        sys.stderr.write(f"{declared} {base64.b64encode(data).decode()}\n")  # the last line is the finding
        began = time.process_time()
        outcomes[outcome(data, declared)] += 1
        if time.process_time() - began > SLOW:
            raise TimeoutError(declared)
    return outcomes


def main() -> int:
    """Run batches for the seconds that were asked for; 1 where one of them found something."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seconds", type=int, nargs="?", default=60)
    parser.add_argument("--batch", type=int)
    asked = parser.parse_args()
    if asked.batch is not None:
        sys.stdout.write(" ".join(f"{name}={number}" for name, number in batch(asked.batch).items()))
        return 0
    outcomes: Counter[str] = Counter()
    until = time.monotonic() + asked.seconds
    for seed in count(int(time.time())):
        if time.monotonic() > until:
            break
        command = [sys.executable, "-m", "tests.fuzz", "--batch", str(seed)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
        if done.returncode:
            sys.stdout.write(f"Batch {seed} ended with {done.returncode}:\n{done.stderr[-4000:]}\n")
            return 1
        outcomes.update({name: int(number) for name, number in (each.split("=") for each in done.stdout.split())})
    told = ", ".join(f"{name} {number}" for name, number in outcomes.most_common())
    sys.stdout.write(f"{outcomes.total()} damaged files, each processed or refused: {told}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
