"""The SQL of a tenant's queue: its slots, and which times of them are taken."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from socialflow.platform.database import Transaction
from socialflow.publishing.slots import Slot

_READ = "SELECT version, slots FROM {s}.queues"
_BEGIN = "INSERT INTO {s}.queues (name, version, slots) VALUES ('queue', 0, '[]') ON CONFLICT (name) DO NOTHING"
_WRITE = "UPDATE {s}.queues SET version = %(version)s, slots = %(slots)s, updated_at = now()"
_TAKEN = """
SELECT slot, due_at FROM {s}.posts
 WHERE slot = ANY(%(slots)s) AND due_at > %(after)s AND state <> 'cancelled'
"""


@dataclass(frozen=True)
class _Row:
    version: int
    slots: list[dict[str, Any]]


@dataclass(frozen=True)
class _Taken:
    slot: str
    due_at: datetime


def read(tx: Transaction) -> tuple[int, list[Slot]]:
    """Return the queue's version and its slots; version 0 where nobody has set any."""
    return _read(tx.one(_Row, _READ))


def lock(tx: Transaction) -> tuple[int, list[Slot]]:
    """Return the same, locked until the commit: whoever takes a slot or sets them waits for the one before."""
    return _read(tx.one(_Row, _READ + " FOR UPDATE"))


def begin(tx: Transaction) -> None:
    """Make the row that is locked, where it is not there yet."""
    tx.execute(_BEGIN)


def write(tx: Transaction, version: int, slots: Sequence[Slot]) -> None:
    """Write the slots of a locked queue."""
    tx.execute(_WRITE, {"version": version, "slots": Jsonb([slot.document() for slot in slots])})


def taken(tx: Transaction, slots: Sequence[Slot], after: datetime) -> set[tuple[str, datetime]]:
    """Return which times of some slots are some post's already."""
    rows = tx.all(_Taken, _TAKEN, {"slots": [slot.name for slot in slots], "after": after})
    return {(row.slot, row.due_at) for row in rows}


def _read(row: _Row | None) -> tuple[int, list[Slot]]:
    return (row.version, [Slot.of(slot) for slot in row.slots]) if row else (0, [])
