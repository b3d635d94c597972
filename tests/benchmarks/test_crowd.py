"""Two hundred photos at once on one whole stack, undisturbed and with the processing function killed ten times.

That none is lost is asserted; nothing about time is.
"""

import time

import pytest

from infra_cdk.local.demo.client import Person
from socialflow.media.model import Stage
from tests.benchmarks.conftest import Tell
from tests.e2e.crowd import Arrival, killing, see_through
from tests.e2e.stack import LocalStack

pytestmark = pytest.mark.benchmark

PHOTOS, KILLS = 200, 10
LIMIT_S = 1_500.0
STAGES = (Stage.UPLOADED, Stage.INSPECTING, Stage.PROCESSING, Stage.CAPTIONING, Stage.IN_REVIEW)


@pytest.mark.parametrize("kills", [0, KILLS], ids=["undisturbed", f"killed {KILLS} times"])
def test_two_hundred_photos_at_once(stack: LocalStack, editor: Person, tell: Tell, kills: int) -> None:
    began = time.monotonic()
    with killing(stack, "task_process_media", kills, every=3.0) as killed:
        crowd, sent = see_through(editor, PHOTOS, seconds=LIMIT_S)
    took = time.monotonic() - began
    assert (len(crowd), killed()) == (PHOTOS, kills)
    title = f"{PHOTOS} photos of 12 MP at once: sent in {sent:.0f} s, the last in review after {took:.0f} s"
    title += f" ({PHOTOS / took:.1f} a second), {killed()} workers killed"
    tell(title, {f"announced → {stage}": _waits(crowd, stage) for stage in STAGES})


def _waits(crowd: list[Arrival], stage: Stage) -> list[float]:
    return [seconds * 1_000 for each in crowd if (seconds := each.seconds_to(stage.percent)) is not None]
