"""Every network under drawn faults: twenty here, and three hundred over a thousand posts by `make faults`."""

import json
import os
import random
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from socialflow.publishing.networks.mastodon import Mastodon
from tests.integration.conftest import Member
from tests.integration.publishing.conftest import Desk
from tests.integration.publishing.everywhere import EVERYWHERE
from tests.integration.publishing.harness import FAULTS, Run

KILLED_FOR_REAL = ("bluesky", "late", "mastodon", "mastodon without keys")
REPORT = Path(__file__).parents[3] / "build" / "faults.json"


def drawn(seed: str) -> random.Random:
    """Return what draws the faults: the same ones for the same seed."""
    return random.Random(seed)  # noqa: S311 # nothing is kept secret by it


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socialflow.publishing.networks.containers.POLL", 0.01)


@pytest.mark.parametrize("network", sorted(EVERYWHERE))
def test_twenty_faults(desk: Desk, member: Member, network: str) -> None:
    seed = int(os.environ.get("SEED") or 1)
    with EVERYWHERE[network](desk) as place:
        run = Run(place, drawn(f"{seed} {network}"), partial(member, "editor"), kills=network in KILLED_FOR_REAL)
        run.many(24, 20)
        states = run.judged()
    assert sum(run.faults.values()) == 20
    assert states["published"] >= 4


def test_the_harness_notices_a_second_post(desk: Desk, member: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Mastodon.publish

    def twice(self: Mastodon, *args: Any, **more: Any) -> Any:
        real(self, *args, **more)
        return real(self, *args, **more)

    monkeypatch.setattr(Mastodon, "publish", twice)
    with EVERYWHERE["mastodon without keys"](desk) as place:
        run = Run(place, drawn("1"), partial(member, "editor"), kills=False)
        run.many(2, 0)
        with pytest.raises(AssertionError, match="out twice"):
            run.judged()


def test_the_harness_notices_a_lost_post(desk: Desk, member: Member) -> None:
    with EVERYWHERE["mastodon"](desk) as place:
        run = Run(place, drawn("1"), partial(member, "editor"), kills=False)
        run.many(2, 0)
        desk.mastodon.wire.client.delete(
            f"/api/v1/statuses/{desk.mastodon.statuses()[0]['id']}", headers={"Authorization": "Bearer mock_token"}
        )
        with pytest.raises(AssertionError, match="not out"):
            run.judged()


@pytest.mark.faults
@pytest.mark.parametrize("network", sorted(EVERYWHERE))
def test_three_hundred_faults_over_a_thousand_posts(
    desk: Desk, member: Member, network: str, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(1_000_000))
    posts, faults = int(os.environ.get("POSTS") or 1000), int(os.environ.get("FAULTS") or 300)

    def tell(line: str) -> None:
        with capsys.disabled():
            sys.stderr.write(f"{line}\n")

    tell(f"\n{network}: {posts} posts, {faults} faults, SEED={seed}")
    with EVERYWHERE[network](desk) as place:
        run = Run(place, drawn(f"{seed} {network}"), partial(member, "editor"), kills=network in KILLED_FOR_REAL)
        run.many(posts, faults, tell)
        states = run.judged()
    tell(f"{network}: 0 twice, 0 lost; {states}; {len(run.faults)} of {len(FAULTS)} kinds of faults")
    REPORT.parent.mkdir(exist_ok=True)
    told = json.loads(REPORT.read_text()) if REPORT.exists() else {}
    told[network] = {"seed": seed, "posts": posts, "states": states, "faults": dict(sorted(run.faults.items()))}
    REPORT.write_text(json.dumps(told, indent=1))
