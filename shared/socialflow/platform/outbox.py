"""The relay: facts leave the outbox for the bus, each aggregate's in order, at least once.

A shard is locked while its facts are put on the bus: the one place where a network call stands inside a transaction,
so that two relays cannot overtake each other. A fact is gone from the outbox once the bus has it.
"""

import json
import time
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from psycopg.rows import class_row

from socialflow.platform.aws import client
from socialflow.platform.database import Connection, engine_room
from socialflow.platform.observability import logger

if TYPE_CHECKING:
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

BATCH = 10
"""PutEvents takes ten entries."""
ATTEMPTS = 20
"""A fact that the bus has refused so often is parked for a person to look at."""

_SHARD = """
SELECT s.shard FROM cell.outbox_shard s
 WHERE EXISTS (SELECT FROM cell.outbox o WHERE o.shard = s.shard AND o.parked_at IS NULL)
 ORDER BY random() LIMIT 1 FOR UPDATE OF s SKIP LOCKED
"""
_WAITING = """
SELECT position, id, tenant, type, aggregate, aggregate_id, seq, data, occurred_at FROM cell.outbox
 WHERE shard = %s AND parked_at IS NULL ORDER BY position LIMIT %s
"""
_SENT = "DELETE FROM cell.outbox WHERE position = ANY(%s)"
_REFUSED = """
UPDATE cell.outbox SET attempts = attempts + 1, parked_at = CASE WHEN attempts + 1 >= %s THEN now() END
 WHERE position = ANY(%s) RETURNING id, parked_at
"""


@dataclass(frozen=True)
class _Row:
    position: int
    id: UUID
    tenant: str
    type: str
    aggregate: str
    aggregate_id: UUID
    seq: int
    data: dict[str, Any]
    occurred_at: datetime

    def envelope(self) -> dict[str, Any]:
        return {
            "id": str(self.id),
            "tenant": self.tenant,
            "aggregate": {"type": self.aggregate, "id": str(self.aggregate_id)},
            "seq": self.seq,
            "occurred_at": self.occurred_at.isoformat(),
            "v": 1,
            "data": self.data,
        }


def relay(bus: str, *, cell: str = "cell-1", seconds: float = 20.0) -> int:
    """Put waiting facts on the bus until none waits or the seconds are over; return how many left."""
    until = time.monotonic() + seconds
    sent = 0
    while time.monotonic() < until:
        with engine_room(cell) as connection:
            batch = _lock_batch(connection)
            if not batch:
                return sent
            left = _put(connection, bus, batch)
        sent += left
        if left < len(batch):
            return sent  # the bus refuses: the schedule tries again
    return sent


def _lock_batch(connection: Connection) -> list[_Row]:
    shard = connection.execute(_SHARD).fetchone()
    if shard is None:
        return []
    with connection.cursor(row_factory=class_row(_Row)) as cursor:
        return cursor.execute(_WAITING, (shard[0], BATCH)).fetchall()


def _put(connection: Connection, bus: str, batch: list[_Row]) -> int:
    entries: list[PutEventsRequestEntryTypeDef] = [
        {
            "EventBusName": bus,
            "Source": "socialflow",
            "DetailType": row.type,
            "Time": row.occurred_at,
            "Detail": json.dumps(row.envelope(), separators=(",", ":")),
        }
        for row in batch
    ]
    answers = client("events").put_events(Entries=entries)["Entries"]
    held: set[UUID] = set()  # an aggregate whose fact was refused keeps the later ones back
    sent, refused = [], []
    for row, answer in zip(batch, answers, strict=True):
        if "ErrorCode" in answer:
            held.add(row.aggregate_id)
            refused.append(row.position)
            logger.warning("The bus refused a fact", fact=str(row.id), error=answer["ErrorCode"])
        elif row.aggregate_id not in held:
            sent.append(row.position)
    connection.execute(_SENT, (sent,))
    for fact, parked_at in connection.execute(_REFUSED, (ATTEMPTS, refused)).fetchall() if refused else ():
        if parked_at:
            logger.error("A fact is parked: the bus keeps refusing it", fact=str(fact))
    return len(sent)
