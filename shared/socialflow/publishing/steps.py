"""What the ledger's steps have in common: their input, their outcomes, their locks."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from socialflow.platform.database import Transaction
from socialflow.publishing import ledger_repository as repository
from socialflow.publishing import repository as posts
from socialflow.publishing.content import Answered, Made, Rendering
from socialflow.publishing.model import Attempt, Post, Target, backoff
from socialflow.publishing.refusals import UnknownPost, UnknownTarget

LONGEST_WAIT = timedelta(hours=1)
"""The most that a network's Retry-After is believed."""


@dataclass(frozen=True)
class Step:
    """Which target of which post, for which run."""

    post_id: UUID
    target_id: UUID
    run: int


@dataclass(frozen=True)
class Outcome:
    """What a step came to, for the workflow to route on; `at` is when to go on, where that is later."""

    outcome: str
    at: datetime | None = None

    def document(self, at: datetime) -> dict[str, str]:
        """Return it as a state's result; `at` is the present."""
        return {"outcome": self.outcome, "at": stamp(self.at or at)}


LEFT = Outcome("left")
"""Nothing to do for this step as things are: Settle Post looks at the row and says how it goes on."""
DONE = Outcome("done")
SUPERSEDED = Outcome("superseded")
BLOCKED = Outcome("blocked")


def stamp(at: datetime) -> str:
    """Return a moment for a Wait state, which knows whole seconds: never earlier than meant."""
    up = at if at.microsecond == 0 else at.replace(microsecond=0) + timedelta(seconds=1)
    return up.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def blocked(tx: Transaction, target: Target) -> bool:
    """Tell whether somebody has stopped it: a hold, a kill switch, or the tenant's suspension."""
    return target.hold or not tx.tenant.active or repository.switched_off(tx, target.network) is not None


def next_try(at: datetime, tries: int, after: float | None) -> datetime:
    """Return when a step that is safe to repeat is repeated; `after` in seconds, as the network asks."""
    wish = timedelta(seconds=min(after or 0.0, LONGEST_WAIT.total_seconds()))
    return at + max(backoff(tries), wish)


def locked(tx: Transaction, step: Step) -> tuple[Post, Target]:
    """Return a step's post and target, both locked, the post first; raises `UnknownPost`, `UnknownTarget`."""
    post = posts.lock(tx, step.post_id)
    if post is None:
        raise UnknownPost("There is no such post.")
    target = repository.get(tx, step.post_id, step.target_id)
    if target is None:
        raise UnknownTarget("The post has no such target.")
    return post, target


def rendering_of(tx: Transaction, post: Post, target: Target) -> Rendering | None:
    """Return exactly what a target gets; None for a reply to what is not out."""
    rendering = target.rendering(post.content)
    if not target.position:
        return rendering
    here = {one.position: one for one in posts.targets(tx, [post.id]) if one.account_id == target.account_id}
    root, parent = _made(tx, here[0]), _made(tx, here[target.position - 1])
    return None if root is None or parent is None else replace(rendering, answers=Answered(root, parent))


def _made(tx: Transaction, target: Target) -> Made | None:
    if target.state != "published" or target.remote_id is None:
        return None
    receipt = repository.receipt_of(tx, target.id)
    # Where a person has said which post it is, nothing more is known of it.
    said = receipt.evidence if receipt is not None and receipt.remote_id == target.remote_id else {}
    return Made(target.remote_id, said)


def attempted(tx: Transaction, post_id: UUID, attempt_id: UUID) -> tuple[Post, Attempt]:
    """Return an attempt and its post, the post locked."""
    post = posts.lock(tx, post_id)
    made = repository.attempt(tx, attempt_id)
    if post is None or made is None:
        raise UnknownPost("There is no such attempt.")
    return post, made


def target_of(tx: Transaction, post: Post, made: Attempt) -> Target:
    """Return an attempt's target as it is now, locked."""
    target = repository.get(tx, post.id, made.target_id)
    assert target is not None
    return target
