"""Reserve the most that a call may come to, call, settle by what it came to: so no two calls overspend together.

Neither is done in the transaction of the call's effect: money that is spent stays spent, whatever comes of the call.
"""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from socialflow.ai import events, repository
from socialflow.ai.model import (
    MICROS,
    By,
    Caps,
    KeyOwner,
    Meter,
    Purse,
    Spending,
    Used,
    Wanted,
    caps,
    cost,
    period_of,
)
from socialflow.platform.database import Connection, Transaction
from socialflow.platform.ids import new_id

SWEPT = 500
KEPT = timedelta(days=31)
"""For so long each call can be looked at by itself; what came to it after that is told by day, model and member."""
ROLLED_UP = 5_000
"""Calls in a minute: more than are made in one, on the average of a day."""


def reserve(tx: Transaction, wanted: Wanted) -> UUID | None:
    """Reserve what a call may come to; None where there is not so much left, of which the tenant is told once."""
    purse = repository.hold(tx, wanted.period, wanted.key_owner)
    meter = purse.lacks(wanted.most, _caps(tx, wanted))
    if meter is not None:
        if purse.settled.lacks(wanted.most, _caps(tx, wanted)):  # what others have reserved may come back
            _tell(tx, events.BudgetExceeded, wanted, purse, meter)
        return None
    call_id = new_id()
    repository.reserve(tx, call_id, wanted)
    return call_id


def settle(tx: Transaction, call_id: UUID, wanted: Wanted, used: Used, *, at: datetime) -> bool:
    """Settle a call by what it came to; a repetition changes nothing, and is told by False."""
    known = used.tokens_in is not None and used.tokens_out is not None
    came_to = {
        "outcome": used.outcome,
        "latency_ms": used.latency_ms,
        "micros": cost(wanted.model, used.tokens_in or 0, used.tokens_out or 0) if known else None,
        "tokens_in": used.tokens_in if known else None,
        "tokens_out": used.tokens_out if known else None,
    }
    if not repository.settle(tx, call_id, came_to, at=at):
        return False
    purse = repository.find(tx, wanted.period, wanted.key_owner)
    meter = purse.close_to(_caps(tx, wanted))
    if meter is not None:
        _tell(tx, events.BudgetWarning, wanted, purse, meter)
    return True


def sweep(connection: Connection, *, at: datetime) -> int:
    """Give up the calls of functions that were killed between reserving and settling; return how many."""
    return repository.sweep(connection, at=at, most=SWEPT)


def roll_up(connection: Connection, *, at: datetime) -> int:
    """Add calls of long ago to their day's lines, and throw them away; return how many."""
    before = (at - KEPT).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return repository.roll_up(connection, before=before, most=ROLLED_UP)


def purse(tx: Transaction, key_owner: KeyOwner, *, at: datetime) -> tuple[Purse, Caps]:
    """Return what is spent this month under an owner's keys, and what may be."""
    return repository.find(tx, period_of(at), key_owner), caps(tx.tenant.plan, tx.tenant.settings, key_owner)


def used(tx: Transaction, *, at: datetime) -> dict[str, float]:
    """Return what is used this month of what the plan includes: the tenant's own keys use none of it."""
    found = repository.find(tx, period_of(at), "platform")
    return {"ai_tokens": found.spent_tokens, "ai_budget_usd": found.spent_micros / MICROS}


def spending(tx: Transaction, by: By, *, since: datetime, until: datetime, limit: int) -> list[Spending]:
    """Return what was spent from a midnight (UTC) to another: by day, the newest first, or by model or member."""
    return repository.spending(tx, by, since=since, until=until, limit=limit)


def _caps(tx: Transaction, wanted: Wanted) -> Caps:
    return caps(tx.tenant.plan, tx.tenant.settings, wanted.key_owner)


def _tell(tx: Transaction, fact: type[events.BudgetFact], wanted: Wanted, purse: Purse, meter: Meter) -> None:
    """Tell of a step over a mark, once for each cap."""
    cap = _caps(tx, wanted).of(meter)
    mark = f"{meter} {cap}"
    warning = fact is events.BudgetWarning
    if mark == (purse.warned_for if warning else purse.exceeded_for):
        return
    repository.told(tx, wanted, what="warned" if warning else "exceeded", cap=mark)
    tx.emit(
        fact(
            subject_id=tx.tenant.id,
            meter=meter,
            used=purse.spent(meter),
            cap=cap or 0,
            period=wanted.period,
            key_owner=wanted.key_owner,
        )
    )
