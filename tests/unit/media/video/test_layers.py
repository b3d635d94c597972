"""What reads a video as bytes alone starts without the libraries of pictures and films, which its layer has not."""

import subprocess
import sys

BARRED = ("av", "PIL", "blurhash", "pyvips", "pi_heif")
PROGRAM = """
import sys
sys.modules.update(dict.fromkeys({barred!r}))
import functions.task_hash_video.handler
"""


def test_hashing_a_video_needs_the_core_alone() -> None:
    subprocess.run([sys.executable, "-c", PROGRAM.format(barred=BARRED)], check=True, timeout=60)
