"""Facts of the registry: written where they happen, carried over to the outbox of the tenant's cell by the relay.

Registry and cells are different databases, so that no transaction covers both. A fact is therefore written beside the
row that it tells of, in the registry's own transaction; it is carried over under its id, at least once.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from socialflow.platform.database import Connection, control, engine_room, put_fact
from socialflow.platform.events import Fact
from socialflow.platform.ids import new_id
from socialflow.platform.tenancy import Tenant

BATCH = 100

_TELL = """
INSERT INTO control.outbox (id, cell, tenant, type, aggregate, aggregate_id, data)
VALUES (%s, %s, %s, %s, %s, %s, %s)
"""
# One carrier at a time: an aggregate's facts keep their order.
_ALONE = "SELECT pg_try_advisory_xact_lock(hashtextextended('carry:' || %s, 0))"
_WAITING = """
SELECT id, tenant, type, aggregate, aggregate_id, data, occurred_at FROM control.outbox
 WHERE cell = %s ORDER BY position LIMIT %s
"""
_THERE = "SELECT id FROM cell.outbox WHERE id = ANY(%s)"
_CARRIED = "DELETE FROM control.outbox WHERE id = ANY(%s)"


@dataclass(frozen=True)
class _Row:
    id: UUID
    tenant: str
    type: str
    aggregate: str
    aggregate_id: UUID
    data: dict[str, Any]
    occurred_at: Any


def tell(connection: Connection, tenant: Tenant, fact: Fact) -> None:
    """Write a fact of the registry: it leaves if, and only if, this transaction commits. Ring the doorbell then."""
    told = (new_id(), tenant.cell, tenant.slug, fact.type, fact.aggregate, fact.subject_id, Jsonb(fact.data()))
    connection.execute(_TELL, told)


def carry(cell: str) -> int:
    """Carry what waits over to a cell's outbox; return how many facts. Dying in between carries them again."""
    with control() as connection:
        alone = connection.execute(_ALONE, (cell,)).fetchone()
        if alone is None or not alone[0]:
            return 0
        with connection.cursor(row_factory=class_row(_Row)) as cursor:
            rows = cursor.execute(_WAITING, (cell, BATCH)).fetchall()
        if not rows:
            return 0
        ids = [row.id for row in rows]
        with engine_room(cell) as room:
            there = {found for (found,) in room.execute(_THERE, (ids,))}  # somebody died between the two commits
            for row in rows:
                if row.id not in there:
                    put_fact(room, **vars(row))
        connection.execute(_CARRIED, (ids,))
    return len(rows)
