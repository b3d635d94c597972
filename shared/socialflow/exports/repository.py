"""The SQL of exports, and of who belongs to a tenant."""

from datetime import datetime
from typing import LiteralString
from uuid import UUID

from psycopg.rows import class_row

from socialflow.exports.manifest import Person
from socialflow.exports.model import Export, Written
from socialflow.platform.database import Transaction, control

_COLUMNS: LiteralString = """
id, state, stage, percent, tries, object_key, object_version, size, sha256, manifest_sha256, error_code, error_detail,
requested_by, requested_at, finished_at, expires_at
"""
_FIND: LiteralString = "SELECT " + _COLUMNS + " FROM cell.exports WHERE tenant = %(tenant)s AND id = %(id)s"
_PAGE: LiteralString = (
    "SELECT "
    + _COLUMNS
    + """
  FROM cell.exports WHERE tenant = %(tenant)s
   AND (%(at)s::timestamptz IS NULL OR (requested_at, id) < (%(at)s, %(id)s))
 ORDER BY requested_at DESC, id DESC LIMIT %(limit)s
"""
)
_ADD = """
INSERT INTO cell.exports (id, tenant, requested_by, requested_at) VALUES (%(id)s, %(tenant)s, %(by)s, %(at)s)
ON CONFLICT (tenant) WHERE state IN ('queued', 'writing') DO NOTHING
"""
_RUNNING = "SELECT id FROM cell.exports WHERE tenant = %(tenant)s AND state IN ('queued', 'writing')"
_BEGIN = """
UPDATE cell.exports SET state = 'writing', stage = 'rows', percent = 0, tries = tries + 1
 WHERE tenant = %(tenant)s AND id = %(id)s
"""
_ADVANCE = "UPDATE cell.exports SET stage = %(stage)s, percent = %(percent)s WHERE tenant = %(tenant)s AND id = %(id)s"
_FINISH = """
UPDATE cell.exports SET state = 'ready', stage = 'done', percent = 100, object_key = %(key)s,
       object_version = %(version)s, size = %(size)s, sha256 = %(sha256)s, manifest_sha256 = %(manifest)s,
       finished_at = %(at)s, expires_at = %(expires_at)s
 WHERE tenant = %(tenant)s AND id = %(id)s
"""
_FAIL = """
UPDATE cell.exports SET state = 'failed', error_code = %(code)s, error_detail = %(detail)s, finished_at = %(at)s
 WHERE tenant = %(tenant)s AND id = %(id)s
"""
_MEMBERS = """
SELECT u.id, u.name, u.email, m.role FROM control.members m JOIN control.users u ON u.id = m.user_id
 WHERE m.tenant_id = %s ORDER BY u.id
"""
_VERSION = "SELECT schema_version FROM control.tenants WHERE id = %s"


def add(tx: Transaction, export_id: UUID, *, by: UUID, at: datetime) -> bool:
    """Insert an export; False where one is open already, which a second request waits to learn."""
    return tx.execute(_ADD, _one(tx, export_id) | {"by": by, "at": at}) == 1


def running(tx: Transaction) -> UUID | None:
    """Return the id of the open export."""
    found: UUID | None = tx.value(_RUNNING, {"tenant": tx.tenant.slug})
    return found


def find(tx: Transaction, export_id: UUID) -> Export | None:
    """Return an export."""
    return tx.one(Export, _FIND, _one(tx, export_id))


def lock(tx: Transaction, export_id: UUID) -> Export | None:
    """Return an export whose row nobody else changes until the commit."""
    return tx.one(Export, _FIND + " FOR UPDATE", _one(tx, export_id))


def page(tx: Transaction, *, after: tuple[datetime, UUID] | None, limit: int) -> list[Export]:
    """Return exports, the newest first, below a position."""
    at, last = after or (None, None)
    return tx.all(Export, _PAGE, {"tenant": tx.tenant.slug, "at": at, "id": last, "limit": limit})


def begin(tx: Transaction, export_id: UUID) -> None:
    """Count a try and note that it writes."""
    tx.execute(_BEGIN, _one(tx, export_id))


def advance(tx: Transaction, export_id: UUID, *, stage: str, percent: int) -> None:
    """Note how far it is."""
    tx.execute(_ADVANCE, _one(tx, export_id) | {"stage": stage, "percent": percent})


def finish(tx: Transaction, export_id: UUID, made: Written, *, at: datetime, expires_at: datetime) -> None:
    """Note the archive."""
    facts = {"key": made.key, "version": made.version, "size": made.size, "sha256": made.sha256}
    facts |= {"manifest": made.manifest_sha256, "at": at, "expires_at": expires_at}
    tx.execute(_FINISH, _one(tx, export_id) | facts)


def fail(tx: Transaction, export_id: UUID, *, code: str, detail: str, at: datetime) -> None:
    """Note that there is no archive, and why."""
    tx.execute(_FAIL, _one(tx, export_id) | {"code": code, "detail": detail, "at": at})


def members(tenant_id: UUID) -> list[Person]:
    """Return who belongs to a tenant now."""
    with control() as connection, connection.cursor(row_factory=class_row(Person)) as cursor:
        return cursor.execute(_MEMBERS, (tenant_id,)).fetchall()


def schema_version(tenant_id: UUID) -> str:
    """Return the newest migration that a tenant's schema has."""
    with control() as connection:
        row = connection.execute(_VERSION, (tenant_id,)).fetchone()
    return str(row[0]) if row else ""


def _one(tx: Transaction, export_id: UUID) -> dict[str, object]:
    return {"tenant": tx.tenant.slug, "id": export_id}
