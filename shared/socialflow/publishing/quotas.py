"""How much room an account has: the posts that its network gives it for any 24 hours, and those that are planned."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from socialflow.platform.database import Transaction

SPAN = timedelta(hours=24)
"""What networks count over."""

_OURS = """
SELECT count(*) FILTER (WHERE coalesce(published_at, due_at) > %(begin)s) AS within,
       count(*) FILTER (WHERE coalesce(published_at, due_at) > %(since)s) AS since
  FROM {s}.targets
 WHERE account_id = %(account)s AND position = 0 AND deleted_at IS NULL
   AND state IN ('scheduled', 'preparing', 'prepared', 'attempting', 'published', 'unconfirmed')
   AND due_at > least(%(begin)s, %(since)s) AND due_at < %(at)s
"""


@dataclass(frozen=True)
class Told:
    """What a network has said of an account: posts of the 24 hours before, and how many it gives."""

    used: int
    most: int
    at: datetime


@dataclass(frozen=True)
class Day:
    """The 24 hours before a moment: how many posts there will be, by what is known now, of how many."""

    posts: int
    told: Told


@dataclass(frozen=True)
class _Ours:
    within: int
    since: int


def days(tx: Transaction, told: Mapping[UUID, Told], *, at: datetime) -> dict[UUID, Day]:
    """Return what accounts will have had of their 24 hours at a moment; of a few accounts, one question each."""
    return {account: _day(tx, account, one, at) for account, one in told.items()}


def _day(tx: Transaction, account: UUID, told: Told, at: datetime) -> Day:
    values = {"account": account, "begin": at - SPAN, "since": told.at, "at": at}
    ours = tx.one(_Ours, _OURS, values) or _Ours(0, 0)
    # What the network has counted holds for a day; others may post there too.
    known = told.used + ours.since if told.at <= at < told.at + SPAN else 0
    return Day(max(ours.within, known), told)
