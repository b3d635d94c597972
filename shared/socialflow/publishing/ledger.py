"""The ledger: the claim to publish a target, and what came of it.

A step that calls a network has two halves. `begin_…` takes the right to it by one compare-and-set and is committed
before the call; `report_…` writes what came of it. Whoever dies between the two leaves a row that says so.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from socialflow.platform.database import Transaction
from socialflow.platform.ids import new_id
from socialflow.publishing import ledger_repository as repository
from socialflow.publishing import repository as posts
from socialflow.publishing.content import Destination, Rendering, Route
from socialflow.publishing.events import PostStarted
from socialflow.publishing.ledger_repository import Verdict
from socialflow.publishing.model import DUPLICATE, RETRIES, Attempt, Pace, Post, Target
from socialflow.publishing.networks.port import Accepted, Answer, Later, Receipt, Refused, Unknown
from socialflow.publishing.progress import refresh
from socialflow.publishing.steps import (
    BLOCKED,
    DONE,
    LEFT,
    SUPERSEDED,
    Outcome,
    Step,
    attempted,
    blocked,
    locked,
    next_try,
    rendering_of,
    target_of,
)

FIRST_QUESTION = timedelta(seconds=5)
"""How long a network that has accepted a post is left to its work before it is asked."""
LONGEST_SILENCE = 300.0
"""Seconds that it may ask for at the most."""
CLOCKS_DIFFER = timedelta(milliseconds=50)
"""The pause before a claim is tried again that was due by this clock and not yet by the database's."""


@dataclass(frozen=True)
class Publishing:
    """The right to publish, once: the attempt is on record."""

    attempt_id: UUID
    rendering: Rendering
    prepared: dict[str, Any]
    key: str


def way_to(tx: Transaction, step: Step) -> tuple[UUID, Route | None]:
    """Return the account of a step's target, needed before the claim, and the way that the target is bound to."""
    target = locked(tx, step)[1]
    return target.account_id, target.frozen_route


def give_up(tx: Transaction, step: Step, refused: Refused) -> Outcome:
    """Fail a target for which nothing was attempted."""
    post, target = locked(tx, step)
    if target.run != step.run:
        return SUPERSEDED
    repository.fail(tx, target, code=refused.code, detail=refused.detail)
    refresh(tx, post)
    return _why_not(tx, post, target, step) or DONE


def begin_publishing(
    tx: Transaction, step: Step, destination: Destination, *, pace: Pace, at: datetime
) -> Publishing | Outcome:
    """Claim the right to publish and open the attempt; or say why not. Commit before the call."""
    post, target = locked(tx, step)
    if target.run == step.run and target.is_stale(at) and not blocked(tx, target):
        return _anew(tx, post, target)
    rendering = rendering_of(tx, post, target)
    number = repository.claim(tx, target.id, destination, run=step.run, lease=pace.lease) if rendering else None
    if rendering is None or number is None:
        return _why_not(tx, post, target, step) or _not_now(tx, post, target, destination, at)
    attempt_id = new_id()
    repository.open_attempt(tx, attempt_id, target, number)
    refresh(tx, post)
    if number == 1 and post.state != "publishing":
        tx.emit(PostStarted(subject_id=post.id))
    assert target.prepared is not None
    return Publishing(attempt_id, rendering, dict(target.prepared), target.key)


def _why_not(tx: Transaction, post: Post, target: Target, step: Step) -> Outcome | None:
    """Return the outcome where the target is not at the point of being published."""
    if target.run != step.run:
        return SUPERSEDED
    if target.state == "attempting":
        return Outcome("unconfirmed", target.lease)
    if target.state != "prepared":
        return LEFT if target.state in ("scheduled", "preparing") else DONE
    if target.prepared_hash != target.content_hash:
        return _anew(tx, post, target)
    return None if target.approved else LEFT


def _not_now(tx: Transaction, post: Post, target: Target, destination: Destination, at: datetime) -> Outcome:
    """Return what stands against publishing a prepared target."""
    if target.remote_account != destination.remote_account:
        repository.fail(tx, target, code="account-changed", detail="The account belongs to somebody else now.")
        refresh(tx, post)
        return DONE
    if target.prepared_route != destination.route:
        # The network is reached by another way now, and what was prepared is nothing there.
        return _anew(tx, post, target)
    if blocked(tx, target):
        return BLOCKED
    if rendering_of(tx, post, target) is None:
        return LEFT
    assert target.due_at is not None
    return Outcome("wait", max(target.due_at, target.next_at or target.due_at, at + CLOCKS_DIFFER))


def _anew(tx: Transaction, post: Post, target: Target) -> Outcome:
    """Have a target prepared anew, for the time that it has."""
    posts.plan(tx, target)
    refresh(tx, post)
    return LEFT


def report_attempt(tx: Transaction, post_id: UUID, attempt_id: UUID, answer: Answer, *, at: datetime) -> Outcome:
    """Write what an attempt came to. A receipt counts whatever has happened to run, lease or state since."""
    post, made = attempted(tx, post_id, attempt_id)
    match answer:
        case Receipt():
            outcome = received(tx, made, answer)
        case Refused(code, detail) if code == DUPLICATE:
            outcome = asked_for(tx, made, {"code": code, "detail": detail}, at=at + FIRST_QUESTION)
        case Refused(code, detail):
            repository.finish_attempt(tx, made.id, "failed", {"code": code, "detail": detail})
            outcome = ended(tx, post, made, Verdict("failed", code, detail))
        case Later(detail, after):
            repository.finish_attempt(tx, made.id, "failed", {"code": "not-taken", "detail": detail})
            target = target_of(tx, post, made)
            if target.tries > RETRIES:
                outcome = ended(tx, post, made, Verdict("failed", "network-unavailable", detail))
            else:
                next_at = next_try(at, target.tries, after)
                outcome = ended(tx, post, made, Verdict("prepared", "network-unavailable", detail, next_at), at=next_at)
        case Accepted():
            outcome = accepted(tx, made, answer, at=at)
        case Unknown(detail):
            repository.finish_attempt(tx, made.id, "unconfirmed", {"detail": detail})
            repository.uncertain(tx, made, detail)
            outcome = Outcome("unconfirmed", target_of(tx, post, made).lease)
    refresh(tx, post)
    return outcome


def accepted(tx: Transaction, made: Attempt, answer: Accepted, *, at: datetime) -> Outcome:
    """Keep what the network is to be asked by, and ask as soon as it has had its time."""
    ask_at = at + max(FIRST_QUESTION, timedelta(seconds=min(answer.after or 0.0, LONGEST_SILENCE)))
    return asked_for(tx, made, {"detail": answer.detail, "handle": dict(answer.handle)}, at=ask_at)


def asked_for(tx: Transaction, made: Attempt, known: dict[str, Any], *, at: datetime) -> Outcome:
    """Ask the network at a moment before the lease is over: nothing of the attempt is under way here any more."""
    repository.finish_attempt(tx, made.id, "unconfirmed", known)
    repository.uncertain(tx, made, known["detail"])
    repository.confirm_again(tx, made, at)
    return Outcome("unconfirmed", at)


def received(tx: Transaction, made: Attempt, receipt: Receipt) -> Outcome:
    """Settle by a receipt; one that belongs to another target's attempt is none."""
    owner = repository.owner_of(tx, made.account_id, receipt.remote_id)
    if owner not in (None, made.target_id):
        detail = f"The network answered with status {receipt.remote_id}, which is another post's."
        repository.finish_attempt(tx, made.id, "unconfirmed", {"detail": detail})
        repository.decided(tx, made, Verdict("unconfirmed", "outcome-unknown", detail))
        return DONE
    repository.note_receipt(tx, made.id, receipt.remote_id, receipt.remote_url)
    repository.finish_attempt(tx, made.id, "published", {"remote_id": receipt.remote_id, **receipt.evidence})
    repository.published(
        tx,
        made,
        remote_id=receipt.remote_id,
        remote_url=receipt.remote_url,
        published_at=receipt.published_at,
    )
    return DONE


def ended(tx: Transaction, post: Post, made: Attempt, verdict: Verdict, *, at: datetime | None = None) -> Outcome:
    """End an attempt that made nothing: by an earlier attempt's late receipt, by a cancel asked meanwhile, or so."""
    earlier = repository.receipt_of(tx, made.target_id)
    if earlier is not None and earlier.remote_id is not None:
        repository.decided(tx, made, Verdict("failed"))
        repository.published(
            tx, earlier, remote_id=earlier.remote_id, remote_url=earlier.remote_url, published_at=earlier.finished_at
        )
        return DONE
    if target_of(tx, post, made).request == "cancel":
        repository.decided(tx, made, Verdict("cancelled"))
        return DONE
    repository.decided(tx, made, verdict)
    return Outcome("wait", at) if at else DONE
