"""The audit is read, exported and verified here; nothing here writes it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from socialflow.audit import repository
from socialflow.audit.model import Anchor, Filters, Finding, Head, Row, Walk
from socialflow.audit.repository import Ledger

BATCH = 500
"""Rows that are read at once: one that holds the longest values of all its fields has some hundred kilobytes."""


@dataclass(frozen=True)
class Verdict:
    """What a walk through a chain has found; `head` is worth keeping elsewhere, as an anchor."""

    rows: int
    head: Head | None
    finding: Finding | None


def newest(ledger: Ledger, filters: Filters, *, after: tuple[datetime, UUID] | None, limit: int) -> list[Row]:
    """Return a chain's rows, the newest first."""
    return repository.newest(ledger, filters, after=after, limit=limit)


def merged(chains: Sequence[Sequence[Row]], *, limit: int) -> list[Row]:
    """Return the newest rows of several chains in one order."""
    rows = [row for chain in chains for row in chain]
    return sorted(rows, key=lambda row: (row.at, row.id), reverse=True)[:limit]


def exported(ledger: Ledger, filters: Filters, *, after: datetime | None, limit: int) -> Iterator[Row]:
    """Yield a chain's rows, the oldest first, read in batches."""
    left = limit
    while left:
        rows = repository.oldest(ledger, filters, after=after, limit=min(left, BATCH))
        yield from rows
        left -= len(rows)
        if not rows or len(rows) < BATCH:
            return
        after = rows[-1].at


def head(ledger: Ledger) -> Head | None:
    """Return where a chain ends now."""
    return repository.head(ledger)


def verify(begun: Head | None, read: Callable[[int, int], Sequence[Row]], anchor: Anchor | None = None) -> Verdict:
    """Walk a chain up to the head that it had; `read(after, until)` returns the next rows in their order.

    A row is never changed and the head is written with its rows: what is appended meanwhile is no finding.
    """
    walk = Walk(begun, anchor)
    until = begun.seq if begun else 1
    while rows := read(walk.rows, until):
        if not walk.take(rows):
            break
    return Verdict(walk.rows, begun, walk.end())
