"""The states of Publish Post that concern the whole post: opening it, waiting for an approval, settling it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from socialflow.platform import work
from socialflow.platform.database import Transaction
from socialflow.publishing import ledger_repository as ledger
from socialflow.publishing import repository
from socialflow.publishing.model import PLANNED, Pace, Post, under_way
from socialflow.publishing.progress import KIND, refresh
from socialflow.publishing.refusals import UnknownPost
from socialflow.publishing.steps import SUPERSEDED, Outcome, blocked, stamp

PATIENCE = timedelta(seconds=30)
"""How late a step may be before its execution is taken for dead."""
BLOCKED_FOR = timedelta(minutes=5)
"""How often a post that somebody has stopped is looked at again."""
LONGEST_WAIT = timedelta(minutes=15)
"""A longer wait for the next step ends the execution; the work row starts another."""


@dataclass(frozen=True)
class Opened:
    """Where a run begins. `targets` and `prepare_at` where it goes on to publish."""

    outcome: str
    prepare_at: datetime | None = None
    targets: tuple[UUID, ...] = ()

    def document(self, at: datetime) -> dict[str, Any]:
        """Return it as a state's result; `at` is the present."""
        return {
            "outcome": self.outcome,
            "prepare_at": stamp(self.prepare_at or at),
            "targets": [str(target) for target in self.targets],
        }


def open_post(tx: Transaction, post_id: UUID, *, run: int, pace: Pace, at: datetime) -> Opened:
    """Take the post for a run, and say from the rows where it stands."""
    post = _current(tx, post_id, run)
    if post is None:
        return Opened("superseded")
    ledger.adopt(tx, post_id, run)
    waiting = under_way(repository.targets(tx, [post_id]))
    if not waiting or post.due_at is None:
        return Opened("settle")
    if not post.approved and any(target.state in PLANNED for target in waiting):
        return _unapproved(tx, post, run, at)
    if post.due_at - at > pace.horizon:
        work.postpone(tx, KIND, post_id, run=run, wake_at=post.due_at - pace.horizon)
        return Opened("later")
    first = min(target.next_step_at(lead=pace.lead) for target in waiting)
    work.postpone(tx, KIND, post_id, run=run, wake_at=max(first, at) + PATIENCE)
    return Opened("publish", max(first, at), tuple(target.id for target in waiting))


def _unapproved(tx: Transaction, post: Post, run: int, at: datetime) -> Opened:
    """Wait for the approval until the due time; after that the post has missed it."""
    assert post.due_at is not None
    if post.due_at > at:
        work.postpone(tx, KIND, post.id, run=run, wake_at=post.due_at)
        return Opened("await_approval")
    reason = "It was not approved before its time. Give it another time."
    for target in repository.targets(tx, [post.id]):
        ledger.fail(tx, target, code="approval-missed", detail=reason)
    ledger.set_reason(tx, post.id, reason)
    refresh(tx, post)
    return Opened("settle")


def await_approval(tx: Transaction, post_id: UUID, *, run: int, token: str, at: datetime) -> bool:
    """Park the token of a run that waits for an approval; False where nothing is left to wait for."""
    post = _current(tx, post_id, run)
    if post is None or post.state != "awaiting_approval" or post.due_at is None or post.due_at <= at:
        return False
    return work.park(tx, KIND, post_id, run=run, token=token)


def keep_alive(tx: Transaction, post_id: UUID, *, run: int, pace: Pace, at: datetime) -> None:
    """Promise to be heard of again when the next of the post's targets needs a step."""
    waiting = under_way(repository.targets(tx, [post_id]))
    if waiting:
        next_at = min(target.next_step_at(lead=pace.lead) for target in waiting)
        work.postpone(tx, KIND, post_id, run=run, wake_at=max(next_at, at) + PATIENCE)


def settle(tx: Transaction, post_id: UUID, *, run: int, pace: Pace, at: datetime) -> Outcome:
    """Say from the rows how the post stands: settled, or to be opened again at a time."""
    post = _current(tx, post_id, run)
    if post is None:
        return SUPERSEDED
    post, targets = refresh(tx, post)
    waiting = under_way(targets)
    if not waiting:
        # For good, or until a person reschedules, retries or resolves.
        work.finish(tx, KIND, post.id, run=run)
        return Outcome("settled")
    going = [target for target in waiting if target.state == "attempting" or not blocked(tx, target)]
    if not going:
        work.postpone(tx, KIND, post_id, run=run, wake_at=at + BLOCKED_FOR)
        return Outcome("settled")
    again = max(min(target.next_step_at(lead=pace.lead) for target in going), at + timedelta(seconds=1))
    if again - at > LONGEST_WAIT:
        work.postpone(tx, KIND, post_id, run=run, wake_at=max(again - PATIENCE, at + timedelta(minutes=1)))
        return Outcome("settled")
    work.postpone(tx, KIND, post_id, run=run, wake_at=again + PATIENCE)
    return Outcome("again", again)


def _current(tx: Transaction, post_id: UUID, run: int) -> Post | None:
    """Return the post, locked, if the run is its newest."""
    post = repository.lock(tx, post_id)
    if post is None:
        raise UnknownPost("There is no such post.")
    return post if work.is_current(tx, KIND, post_id, run=run) else None
