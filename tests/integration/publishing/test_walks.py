"""Random walks through faults, deaths, restarts and cancels: whatever happens, in whatever order, nothing is out twice.

Each walk is told by its seed; the faults are those of the other tests, met at random. At the end everything works again
and the post is taken to its end, as the reconciler would.
"""

import random
from collections.abc import Callable

import pytest

from tests.integration.publishing.conftest import Desk
from tests.wire import Fault

STATUSES = "/api/v1/statuses"
FAULTS: tuple[Fault | None, ...] = (None, "answer lost", "question lost", "garbage", "bad gateway", "redirect")
STEPS = 12


class Walk:
    """One post of one account, and what happens to it."""

    def __init__(self, desk: Desk, seed: int, *, keeps_keys: bool) -> None:
        self.desk = desk
        self.dice = random.Random(seed)  # noqa: S311 # a walk is to be walked again, not to be a secret
        self.text = f"Walk {seed}"
        desk.mastodon.wire.strips_keys = not keeps_keys
        self.post = desk.post(self.text, accounts=[desk.account(keeps_keys=keeps_keys)])["id"]
        self.cancelled = False
        self.run = 0
        self.restart()

    def step(self) -> None:
        """Let something happen."""
        happenings: tuple[tuple[int, Callable[[], object]], ...] = (
            (3, lambda: self.desk.prepare(self.post, self.run)),
            (4, self.publish),
            (3, self.die),
            (3, lambda: self.desk.confirm(self.post, self.run)),
            (2, lambda: self.desk.confirm_now(self.post, self.run)),
            (2, lambda: self.desk.settle(self.post, self.run)),
            (3, self.restart),
            (1, self.cancel),
        )
        weights = [weight for weight, _ in happenings]
        self.dice.choices([happening for _, happening in happenings], weights)[0]()

    def publish(self) -> None:
        """Publish, and perhaps meet a fault."""
        fault = self.dice.choice(FAULTS)
        if fault is not None:
            self.desk.mastodon.wire.fail("POST", STATUSES, fault)
        self.desk.publish(self.post, self.run)
        self.desk.mastodon.wire.faults.clear()

    def die(self) -> None:
        """Claim and die: before the call, or after the network has accepted it."""
        attempt = self.desk.try_to_claim(self.post, self.run)
        if attempt is not None and self.dice.random() < 0.5:
            self.desk.mastodon.post(self.text, key=attempt.key)

    def restart(self) -> None:
        """Begin the next run, if the work row is not at rest."""
        if self.desk.value("SELECT count(*) FROM cell.work WHERE wake_at IS NOT NULL"):
            self.run = self.desk.start(self.post)
            self.desk.open(self.post, self.run)

    def cancel(self) -> None:
        """Cancel, which may come too late."""
        self.cancelled = True
        self.desk.editor.post(f"/v1/posts/{self.post}/cancel")

    def finish(self) -> str:
        """Take the post to its end, without faults; return its target's state."""
        for _ in range(3):
            self.restart()
            for step in (self.desk.prepare, self.desk.publish, self.desk.confirm):
                self.desk.let_pause_pass(self.post)
                step(self.post, self.run)
            self.desk.settle(self.post, self.run)
        return str(self.desk.target(self.post)["state"])


@pytest.mark.parametrize("keeps_keys", [True, False])
@pytest.mark.parametrize("seed", range(12))
def test_a_walk_ends_with_one_status_at_the_most(desk: Desk, seed: int, keeps_keys: bool) -> None:
    walk = Walk(desk, seed, keeps_keys=keeps_keys)
    for _ in range(STEPS):
        walk.step()
    state, statuses = walk.finish(), desk.mastodon.statuses()
    assert len(statuses) <= 1
    assert state in ("published", "unconfirmed", "cancelled")
    if state == "published":
        assert desk.target(walk.post)["receipt"]["remote_id"] == statuses[0]["id"]
    if state == "cancelled":
        assert walk.cancelled
        assert statuses == []
    if keeps_keys and not walk.cancelled:
        assert state == "published", "with keys nothing is left to a person"
