"""Counting within a plan, in the transaction of what is counted: a use case that fails has counted nothing.

Call it after the subject's row is locked or written, and before a fact is emitted: one order of locks everywhere.
"""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from socialflow.entitlements import repository
from socialflow.entitlements.events import PlanWarning
from socialflow.entitlements.model import COUNTED, LimitReached, Meter, check, limit, period_of, warns
from socialflow.platform.database import Connection, Transaction


def take(tx: Transaction, meter: Meter, n: int = 1, *, at: datetime) -> None:
    """Count `n` more of a meter; raises `LimitReached`, also where sixteen requests come at once."""
    most, period = limit(tx.tenant.plan, meter), period_of(meter, at)
    used = repository.take(tx, meter, period, n, most=most)
    if used is None:
        present = repository.used(tx, [period]).get(meter, 0)
        raise LimitReached(tx.tenant.plan, meter, used=present, limit=most or 0, asked=n)
    _warn(tx, meter, period, used=used, before=used - n)


def add(tx: Transaction, meter: Meter, n: int, *, at: datetime) -> None:
    """Count `n` more whatever the limit says: they are there, and were let in before."""
    repository.take(tx, meter, period_of(meter, at), n, most=None)


def give_back(tx: Transaction, meter: Meter, n: int = 1, *, at: datetime) -> None:
    """Count `n` less: they are gone."""
    repository.give_back(tx, meter, period_of(meter, at), n)


def make_room(tx: Transaction, meter: Meter, n: int, announced: Callable[[], int], *, at: datetime) -> None:
    """Let in `n` that are announced and not here yet; raises `LimitReached`.

    What is announced is not counted here but where it is kept, so that what never comes takes no room for ever:
    `announced` tells all of it, the `n` included, and is asked while nobody else counts.
    """
    period, most = period_of(meter, at), limit(tx.tenant.plan, meter)
    kept = repository.hold(tx, meter, period)
    used = kept + announced()
    if most is not None and used > most:
        raise LimitReached(tx.tenant.plan, meter, used=used - n, limit=most, asked=n)
    _warn(tx, meter, period, used=used, before=used - n)


def check_room(tx: Transaction, meter: Meter, n: int, *, at: datetime) -> None:
    """Raise `LimitReached` where there is no room for `n` more now; nothing is counted, and nothing is held."""
    period = period_of(meter, at)
    check(tx.tenant.plan, meter, used=repository.used(tx, [period]).get(meter, 0), asked=n)


def check_size(tx: Transaction, meter: Meter, size: int) -> None:
    """Raise `LimitReached` where one thing by itself is larger than the plan includes."""
    check(tx.tenant.plan, meter, used=0, asked=size)


def used(tx: Transaction, *, at: datetime) -> dict[str, int]:
    """Return what is used of each meter that is counted in the tenant's cell, now or this month."""
    periods = sorted({period_of(meter, at) for meter in COUNTED})
    return dict.fromkeys(COUNTED, 0) | repository.used(tx, periods)


def registered(connection: Connection, tenant_id: UUID, *, at: datetime) -> dict[str, int]:
    """Return what is used of each meter that the registry's own rows count."""
    return repository.registered(connection, tenant_id, at=at)


def _warn(tx: Transaction, meter: Meter, period: str, *, used: int, before: int) -> None:
    """Tell of the step over the warning's mark, and of no other."""
    most = limit(tx.tenant.plan, meter)
    if most is not None and warns(used, most) and not warns(before, most):
        tx.emit(PlanWarning(subject_id=tx.tenant.id, meter=meter, used=used, limit=most, period=period))
