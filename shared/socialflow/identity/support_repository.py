"""Support access in the registry. Every statement but the one that finds a presented credential names the tenant."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row, dict_row

from socialflow.identity.bearer import Minted, Presented
from socialflow.identity.support import Grant
from socialflow.platform.database import Connection
from socialflow.platform.tenancy import Status, Tenant

_COLUMNS = """g.id, g.operator, g.reason, g.created_at, g.expires_at, g.ended_at, g.ended_by, g.requests,
       g.last_used_at"""
_PRESENTED = f"""
SELECT {_COLUMNS}, g.secret_sha256, t.id AS tenant_id, t.slug, t.name AS tenant_name, t.status, t.plan, t.settings,
       t.cell
  FROM control.support_grants g JOIN control.tenants t ON t.id = g.tenant_id WHERE g.prefix = %(prefix)s
"""
_ADD = """
INSERT INTO control.support_grants (id, tenant_id, operator, reason, prefix, secret_sha256, created_at, expires_at)
VALUES (%(id)s, %(tenant)s, %(operator)s, %(reason)s, %(prefix)s, %(sha256)s, %(created_at)s, %(expires_at)s)
"""
_ONE = f"SELECT {_COLUMNS} FROM control.support_grants g WHERE g.tenant_id = %(tenant)s AND g.id = %(id)s"
_PAGE = f"""SELECT {_COLUMNS} FROM control.support_grants g WHERE g.tenant_id = %(tenant)s
   AND (%(at)s::timestamptz IS NULL OR (g.created_at, g.id) < (%(at)s, %(id)s))
 ORDER BY g.created_at DESC, g.id DESC LIMIT %(limit)s"""
_OPEN = """
SELECT t.slug AS tenant, g.id, g.operator, g.reason, g.created_at, g.expires_at, g.requests
  FROM control.support_grants g JOIN control.tenants t ON t.id = g.tenant_id
 WHERE g.ended_at IS NULL AND g.expires_at > %(at)s AND (%(tenant)s::text IS NULL OR t.slug = %(tenant)s)
 ORDER BY g.created_at DESC LIMIT 200
"""
_END = """
UPDATE control.support_grants SET ended_at = %(at)s, ended_by = %(by)s
 WHERE tenant_id = %(tenant)s AND id = %(id)s AND ended_at IS NULL AND expires_at > %(at)s
"""
_NOTE = """
UPDATE control.support_grants
   SET requests = requests + 1, last_request = (requests + 1) || ': ' || %(request)s, last_used_at = %(at)s
 WHERE id = %(id)s AND ended_at IS NULL AND expires_at > %(at)s
"""


@dataclass(frozen=True)
class Found(Grant):
    """A row found by a presented credential, with its tenant."""

    secret_sha256: bytes
    tenant_id: UUID
    slug: str
    tenant_name: str
    status: Status
    plan: str
    settings: Mapping[str, Any]
    cell: str

    @property
    def tenant(self) -> Tenant:
        """The tenant that it is for."""
        return Tenant(self.tenant_id, self.slug, self.tenant_name, self.status, self.plan, self.settings, self.cell)


def find(connection: Connection, key: Presented) -> Found | None:
    """Return the row that a presented credential names; nothing is proved by that."""
    with connection.cursor(row_factory=class_row(Found)) as cursor:
        return cursor.execute(_PRESENTED, {"prefix": key.prefix}).fetchone()


def add(connection: Connection, tenant_id: UUID, grant: Grant, minted: Minted) -> None:
    """Insert a grant. The application has no right to."""
    connection.execute(_ADD, {**vars(grant), "tenant": tenant_id, "prefix": minted.prefix, "sha256": minted.sha256})


def get(connection: Connection, tenant_id: UUID, grant_id: UUID) -> Grant | None:
    """Return a tenant's grant."""
    with connection.cursor(row_factory=class_row(Grant)) as cursor:
        return cursor.execute(_ONE, {"tenant": tenant_id, "id": grant_id}).fetchone()


def page(
    connection: Connection, tenant_id: UUID, *, at: datetime | None, grant_id: UUID | None, limit: int
) -> list[Grant]:
    """Return a tenant's grants that follow a position, the newest first."""
    with connection.cursor(row_factory=class_row(Grant)) as cursor:
        return cursor.execute(_PAGE, {"tenant": tenant_id, "at": at, "id": grant_id, "limit": limit}).fetchall()


def open_ones(connection: Connection, slug: str | None, at: datetime) -> list[dict[str, Any]]:
    """Return what works now, of all tenants or of one."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_OPEN, {"tenant": slug, "at": at}).fetchall()


def end(connection: Connection, tenant_id: UUID, grant_id: UUID, *, by: str, at: datetime) -> bool:
    """End a grant; False where it does not work any more."""
    query = {"tenant": tenant_id, "id": grant_id, "by": by, "at": at}
    return connection.execute(_END, query).rowcount == 1


def note(connection: Connection, grant_id: UUID, request: str, at: datetime) -> bool:
    """Note a request, which the audit shows; False where the grant does not work any more."""
    return connection.execute(_NOTE, {"id": grant_id, "request": request, "at": at}).rowcount == 1
