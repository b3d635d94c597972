"""Pace: how often somebody may ask, by the generic cell rate algorithm, in one statement and one round trip.

An allowance is so many requests a minute. A whole minute's may be used at once; then it comes back evenly, one request
at a time. So in any time t there are never more than `per_minute` and what has come back in t.
"""

import math
from dataclasses import dataclass
from typing import Literal

from socialflow.platform.database import alone, engine_room

MINUTE = 60.0
DEFAULT_CELL = "cell-1"
_STALE = "1 minute"
_SWEPT = 10_000

_TAKE = """
SELECT refused_by, caller_ahead, tenant_ahead
  FROM cell.take_turn(%(caller)s, %(caller_rate)s, %(tenant)s, %(tenant_rate)s)
"""
_BOOK = "SELECT cell.book_turn(%(key)s, %(rate)s, %(longest)s) AS seconds"
_AHEAD = """
SELECT greatest(0, max(extract(epoch FROM tat - clock_timestamp())) - 60)::float8 AS seconds
  FROM cell.rate_limit WHERE key = %(key)s
"""
_SWEEP = """
DELETE FROM cell.rate_limit WHERE key IN (
    SELECT key FROM cell.rate_limit WHERE tat < clock_timestamp() - %(stale)s::interval
     LIMIT %(most)s FOR UPDATE SKIP LOCKED)
"""

Whose = Literal["caller", "tenant"]


@dataclass(frozen=True)
class Allowance:
    """How many requests a minute are counted under a key."""

    key: str
    per_minute: int


@dataclass(frozen=True)
class Turn:
    """How a request fares: whose allowance is the nearer to its end, and by how many seconds that is ahead."""

    allowed: bool
    whose: Whose
    limit: int
    ahead: float

    @property
    def remaining(self) -> int:
        """How many requests could follow at once."""
        return max(0, math.floor((MINUTE - self.ahead) * self.limit / MINUTE + 1e-3)) if self.allowed else 0

    @property
    def reset(self) -> int:
        """Seconds until the whole allowance is there again."""
        return math.ceil(self.ahead)

    @property
    def retry_after(self) -> float:
        """Seconds until one more request is allowed."""
        return max(0.0, self.ahead + MINUTE / self.limit - MINUTE)


@dataclass(frozen=True)
class _Booked:
    seconds: float | None


@dataclass(frozen=True)
class _Taken:
    refused_by: Whose | None
    caller_ahead: float
    tenant_ahead: float | None


def take(caller: Allowance, tenant: Allowance | None = None, *, cell: str = DEFAULT_CELL) -> Turn:
    """Count a request against its caller's allowance and its tenant's: against both, or, refused, against neither."""
    asked = {"caller": caller.key, "caller_rate": caller.per_minute, "tenant": None, "tenant_rate": None}
    if tenant is not None:
        asked |= {"tenant": tenant.key, "tenant_rate": tenant.per_minute}
    taken = alone(cell, _Taken, _TAKE, asked)
    allowed = taken.refused_by is None
    turns = [Turn(allowed, "caller", caller.per_minute, taken.caller_ahead)]
    if tenant is not None and taken.tenant_ahead is not None:
        turns.append(Turn(allowed, "tenant", tenant.per_minute, taken.tenant_ahead))
    if not allowed:
        return next(turn for turn in turns if turn.whose == taken.refused_by)
    return min(turns, key=lambda turn: turn.remaining)


def book(key: str, per_minute: int, *, longest: float, cell: str = DEFAULT_CELL) -> float | None:
    """Book the next turn under a key; return the seconds until it comes, None where that would be past `longest`."""
    asked = {"key": key, "rate": per_minute, "longest": longest}
    return alone(cell, _Booked, _BOOK, asked).seconds


def ahead(key: str, *, cell: str = DEFAULT_CELL) -> float:
    """Return the seconds until the next turn that could be booked under a key."""
    return alone(cell, _Booked, _AHEAD, {"key": key}).seconds or 0.0


def sweep(*, cell: str = DEFAULT_CELL) -> int:
    """Delete what says no more than its absence would; return how many rows."""
    with engine_room(cell) as connection:
        return connection.execute(_SWEEP, {"stale": _STALE, "most": _SWEPT}).rowcount
