"""Reading the audit: a tenant's own schema and the registry have the same two tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import UUID

from psycopg import sql
from psycopg.rows import class_row

from socialflow.audit.model import WORKSPACE, Filters, Head, Row
from socialflow.platform.database import CONTROL, Connection, Transaction
from socialflow.platform.tenancy import Tenant

CELL = "cell"
"""The schema of what the tenants of a cell share."""

_COLUMNS: LiteralString = """
SELECT chain, seq, id, at, actor_kind, actor_id, actor_name, request_id, address, action, subject_type, subject_id,
       item::text AS item, changes::text AS changes, prev_hash, hash
  FROM {s}.audit_log
"""
_ASKED: LiteralString = (
    _COLUMNS
    + """
 WHERE chain = %(chain)s
   AND (%(actor)s::uuid IS NULL OR actor_id = %(actor)s)
   AND (%(actor_kind)s::text IS NULL OR actor_kind = %(actor_kind)s)
   AND (%(subject_type)s::text IS NULL OR subject_type = %(subject_type)s)
   AND (%(subject_id)s::text IS NULL OR subject_id = %(subject_id)s)
   AND (%(action)s::text IS NULL OR action = %(action)s OR split_part(action, '.', 1) = %(action)s)
   AND (%(begin)s::timestamptz IS NULL OR at >= %(begin)s)
   AND (%(end)s::timestamptz IS NULL OR at < %(end)s)
"""
)
_NEWEST: LiteralString = (
    _ASKED
    + """
   AND (%(at)s::timestamptz IS NULL OR (at, id) < (%(at)s, %(id)s))
 ORDER BY at DESC, id DESC LIMIT %(limit)s
"""
)
_OLDEST: LiteralString = (
    _ASKED
    + """
   AND (%(at)s::timestamptz IS NULL OR at > %(at)s)
 ORDER BY at LIMIT %(limit)s
"""
)
# One statement, one snapshot: the head and the last row belong together.
_HEAD: LiteralString = """
SELECT genesis, seq, hash, coalesce((SELECT max(l.seq) FROM {s}.audit_log l WHERE l.chain = h.chain), 0) AS newest
  FROM {s}.audit_head h WHERE h.chain = %(chain)s
"""
_WALK: LiteralString = (
    _COLUMNS
    + """
 WHERE chain = %(chain)s AND seq > %(after)s AND seq <= %(until)s ORDER BY seq LIMIT %(limit)s
"""
)
_CHAINS: LiteralString = (
    "SELECT chain FROM {s}.audit_head UNION SELECT DISTINCT chain FROM {s}.audit_log ORDER BY chain"
)
_LIVING = "SELECT slug FROM control.tenants WHERE status <> 'deleted' ORDER BY slug"


@dataclass(frozen=True)
class Ledger:
    """A chain in its place."""

    connection: Connection
    schema: str
    chain: str


def workspace(tx: Transaction) -> Ledger:
    """Return the chain of a tenant's own rows."""
    return Ledger(tx.connection, tx.tenant.schema, WORKSPACE)


def registry(connection: Connection, tenant: Tenant) -> Ledger:
    """Return the chain of what the registry has of a tenant."""
    return Ledger(connection, CONTROL, str(tenant.id))


def of_registry(connection: Connection, chain: str) -> Ledger:
    """Return a chain of the registry by its name."""
    return Ledger(connection, CONTROL, chain)


def shared(tx: Transaction) -> Ledger:
    """Return the chain of what a tenant's cell has of it."""
    return Ledger(tx.connection, CELL, tx.tenant.slug)


def of_cell(connection: Connection, chain: str) -> Ledger:
    """Return a chain of a cell: a tenant's by its slug, or everybody's."""
    return Ledger(connection, CELL, chain)


def newest(ledger: Ledger, filters: Filters, *, after: tuple[Any, UUID] | None, limit: int) -> list[Row]:
    """Return rows, the newest first, that stand after a position of that order."""
    at, row_id = after or (None, None)
    return _rows(ledger, _NEWEST, {**_asked(ledger, filters), "at": at, "id": row_id, "limit": limit})


def oldest(ledger: Ledger, filters: Filters, *, after: Any, limit: int) -> list[Row]:
    """Return rows later than a moment, the oldest first: within a chain no two have the same one."""
    return _rows(ledger, _OLDEST, {**_asked(ledger, filters), "at": after, "limit": limit})


def head(ledger: Ledger) -> Head | None:
    """Return where a chain ends."""
    query = sql.SQL(_HEAD).format(s=sql.Identifier(ledger.schema))
    with ledger.connection.cursor(row_factory=class_row(Head)) as cursor:
        return cursor.execute(query, {"chain": ledger.chain}).fetchone()


def walk(ledger: Ledger, *, after: int, until: int, limit: int) -> list[Row]:
    """Return rows in the order of the chain."""
    return _rows(ledger, _WALK, {"chain": ledger.chain, "after": after, "until": until, "limit": limit})


def chains(connection: Connection, schema: str = CONTROL) -> list[str]:
    """Return the names of the registry's chains, or of a cell's."""
    return [row[0] for row in connection.execute(sql.SQL(_CHAINS).format(s=sql.Identifier(schema))).fetchall()]


def slugs(connection: Connection) -> list[str]:
    """Return every living tenant's slug."""
    return [row[0] for row in connection.execute(_LIVING).fetchall()]


def _asked(ledger: Ledger, filters: Filters) -> dict[str, Any]:
    return {**vars(filters), "chain": ledger.chain}


def _rows(ledger: Ledger, query: LiteralString, params: Mapping[str, Any]) -> list[Row]:
    statement = sql.SQL(query).format(s=sql.Identifier(ledger.schema))
    with ledger.connection.cursor(row_factory=class_row(Row)) as cursor:
        return cursor.execute(statement, params).fetchall()
