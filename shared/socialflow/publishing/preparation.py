"""Preparing a target: uploads and whatever else can be done ahead of the due time and repeated freely."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from socialflow.platform.database import Transaction
from socialflow.publishing import ledger_repository as repository
from socialflow.publishing.content import Rendering, Route
from socialflow.publishing.model import HEAD_START, PREPARED_AT, RETRIES, Pace, Post, Target
from socialflow.publishing.networks.port import Later, Preparation, Prepared, Refused
from socialflow.publishing.progress import refresh
from socialflow.publishing.steps import (
    BLOCKED,
    DONE,
    LEFT,
    SUPERSEDED,
    Outcome,
    Step,
    blocked,
    locked,
    next_try,
    rendering_of,
)

PREPARING = timedelta(seconds=200)
"""How long one try with pictures may be under way; after that it is taken for dead."""
WITH_A_VIDEO = timedelta(seconds=620)
"""How long one with a video may be: more than its function's timeout."""


@dataclass(frozen=True)
class Preparing:
    """The right to prepare a target's present content. `route`: by which way that is done."""

    target: Target
    rendering: Rendering
    route: Route = "direct"


def begin_preparing(tx: Transaction, step: Step, *, pace: Pace, at: datetime) -> Preparing | Outcome:
    """Take the right to prepare, or say why not."""
    post, target = locked(tx, step)
    settled = _without(tx, target, step, pace, at)
    if settled is not None:
        return settled
    if target.tries > RETRIES:
        return _give_up(tx, post, target, "The network could not be prepared in six tries.")
    rendering = rendering_of(tx, post, target)
    if rendering is None or not repository.begin_preparing(tx, target, run=step.run, lead=pace.lead, lease=PREPARING):
        return LEFT
    return Preparing(target, rendering)


def take_time(tx: Transaction, begun: Preparing) -> None:
    """Give a try that was just begun the time that a video needs."""
    repository.prepare_longer(tx, begun.target, lease=WITH_A_VIDEO)


def _without(tx: Transaction, target: Target, step: Step, pace: Pace, at: datetime) -> Outcome | None:
    """Return the outcome where there is nothing to prepare now."""
    if target.run != step.run:
        return SUPERSEDED
    if target.due_at is None:
        return LEFT
    if target.state in ("prepared", "attempting"):
        next_at = target.next_step_at(lead=pace.lead)
        return (
            Outcome("prepared", next_at - HEAD_START) if target.state == "prepared" else Outcome("unconfirmed", next_at)
        )
    if target.state not in ("scheduled", "preparing"):
        return DONE
    if blocked(tx, target):
        return BLOCKED
    return Outcome("again", target.next_at) if target.next_at and target.next_at > at else None


def report_preparation(tx: Transaction, step: Step, begun: Preparing, answer: Preparation, *, at: datetime) -> Outcome:
    """Write what preparing came to."""
    post, target = locked(tx, step)
    match answer:
        case Prepared(document):
            dated = {**document, PREPARED_AT: at.timestamp()}
            kept = repository.prepared(tx, begun.target, run=step.run, route=begun.route, document=dated)
            assert target.due_at is not None  # begin_preparing found it so, and the claim asks again
            return Outcome("prepared", target.due_at - HEAD_START) if kept else LEFT
        case Refused(code, detail):
            repository.fail(tx, begun.target, code=code, detail=detail)
            refresh(tx, post)
            return DONE
        case Later(detail, after):
            if target.tries > RETRIES:
                return _give_up(tx, post, begun.target, detail)
            next_at = next_try(at, target.tries, after)
            kept = repository.prepare_again(tx, step.target_id, run=step.run, next_at=next_at, detail=detail)
            return Outcome("again", next_at) if kept else LEFT


def _give_up(tx: Transaction, post: Post, target: Target, detail: str) -> Outcome:
    repository.fail(tx, target, code="network-unavailable", detail=detail)
    refresh(tx, post)
    return DONE
