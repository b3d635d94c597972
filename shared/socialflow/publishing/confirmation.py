"""After an ambiguous outcome: the network's own evidence, and where that decides nothing, a person."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from socialflow.platform.database import Transaction
from socialflow.publishing import ledger_repository as repository
from socialflow.publishing.content import Destination
from socialflow.publishing.ledger import accepted, ended, received
from socialflow.publishing.ledger_repository import Verdict
from socialflow.publishing.model import DUPLICATE, KEY_WINDOW, LOOKS, Attempt, Pace, Post, Target
from socialflow.publishing.networks.port import (
    Accepted,
    Answer,
    Failed,
    Later,
    NotSeen,
    Receipt,
    Refused,
    Search,
    Sighting,
    Unknown,
)
from socialflow.publishing.progress import refresh
from socialflow.publishing.steps import (
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

_UNKNOWN = "outcome-unknown"


@dataclass(frozen=True)
class Confirming:
    """The right to find out what became of an attempt; `may_repeat`: where it is not to be seen, send it again."""

    attempt: Attempt
    search: Search
    tries: int
    may_repeat: bool


def begin_confirming(
    tx: Transaction, step: Step, destination: Destination | None, *, pace: Pace, at: datetime
) -> Confirming | Outcome:
    """Take the right to find out what became of an attempt, once its lease is over."""
    post, target = locked(tx, step)
    if target.run != step.run:
        return SUPERSEDED
    if target.state == "prepared":
        return Outcome("wait", max(target.next_step_at(lead=pace.lead), at + timedelta(seconds=1)))
    if target.state != "attempting":
        return LEFT if target.state in ("scheduled", "preparing") else DONE
    made = repository.last_attempt(tx, target.id)
    assert made is not None
    if not repository.begin_confirming(tx, target.id, run=step.run, lease=pace.lease):
        return Outcome("unconfirmed", target.lease)
    if destination is None or target.tries >= LOOKS:
        why = "The account is not connected any more." if destination is None else target.error_detail or ""
        return _hand_over(tx, post, made, f"{why} Look there whether the post is out.".strip())
    search = Search(
        key=made.key,
        rendering=rendering_of(tx, post, target) or target.rendering(post.content),
        prepared=target.prepared or {},
        since=repository.key_since(tx, made),
        taken=repository.taken(tx, made),
        handle=made.evidence.get("handle", {}),
    )
    return Confirming(made, search, target.tries + 1, _may_repeat(tx, target, made, destination, at))


def _may_repeat(tx: Transaction, target: Target, made: Attempt, destination: Destination, at: datetime) -> bool:
    """Tell whether sending it again under its key is safe, and still wanted."""
    return (
        (destination.keys_records or (destination.honours_keys and at < repository.key_since(tx, made) + KEY_WINDOW))
        and made.evidence.get("code") != DUPLICATE
        and made.content_hash == target.content_hash
        and target.approved
        and target.request is None
        and target.remote_account == destination.remote_account
        and not blocked(tx, target)
    )


def report_confirmation(
    tx: Transaction, step: Step, begun: Confirming, answer: Sighting | Answer, *, at: datetime
) -> Outcome:
    """Write what the network's evidence says. Where there is none, a person decides."""
    post, made = attempted(tx, step.post_id, begun.attempt.id)
    match answer:
        case Receipt():
            outcome = received(tx, made, answer)
        case Accepted():
            outcome = accepted(tx, made, answer, at=at)
        case Failed(code, detail):
            repository.finish_attempt(tx, made.id, "failed", {"code": code, "detail": detail})
            outcome = ended(tx, post, made, Verdict("failed", code, detail))
        case NotSeen(looked_at):
            return _hand_over(tx, post, made, *_unseen(made, looked_at))
        case Refused("content-refused" as code, detail):
            # A server looks at the key before the content: refusing the content says that it has not made the status.
            repository.finish_attempt(tx, made.id, "failed", {"code": code, "detail": detail})
            outcome = ended(tx, post, made, Verdict("failed", code, detail))
        case Refused(code, detail):
            return _hand_over(tx, post, made, f"{detail} It was sent before that: look there and decide.", code)
        case Later(detail, after):
            again = next_try(at, begun.tries, after)
            repository.confirm_again(tx, made, again, detail)
            outcome = Outcome("unconfirmed", again)
        case Unknown():
            outcome = Outcome("unconfirmed", target_of(tx, post, made).lease)
    refresh(tx, post)
    return outcome


def _unseen(made: Attempt, looked_at: int) -> tuple[str, str]:
    """Return what a person is told of what was looked for in vain, and the code of it."""
    if made.evidence.get("code") == DUPLICATE:
        return str(made.evidence["detail"]), DUPLICATE
    where = f"among the account's {looked_at} newest posts" if looked_at else "to be seen there"
    return f"It was sent and is not {where}: look there and decide.", _UNKNOWN


def _hand_over(tx: Transaction, post: Post, made: Attempt, detail: str, code: str = _UNKNOWN) -> Outcome:
    """Leave it to a person: "it is there" or "post again", and of a duplicate other content as well."""
    repository.finish_attempt(tx, made.id, "unconfirmed", {"detail": detail})
    repository.decided(tx, made, Verdict("unconfirmed", code if code == DUPLICATE else _UNKNOWN, detail))
    refresh(tx, post)
    return DONE
