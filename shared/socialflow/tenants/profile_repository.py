"""Tenants in the registry, as the application may read and change them: one at a time, by functions of the database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from socialflow.platform.database import Connection
from socialflow.platform.tenancy import Status, Tenant

SUSPENDED = "all"
"""The scope of a suspended tenant's switch. An operator's own for one tenant is `tenant`: each ends by itself."""

_GET = """
SELECT id, slug, name, status, plan, settings, cell, suspended_at, suspended_for, created_at, version
  FROM control.tenants WHERE id = %s AND status <> 'deleted'
"""
_CHANGE = "SELECT control.change_tenant(%s, %s, %s, %s)"
_SUSPEND = "SELECT control.suspend_tenant(%s, %s)"
_RESUME = "SELECT control.resume_tenant(%s)"
_RESTORABLE = """
SELECT t.id, t.slug, t.name, t.deleted_at FROM control.tenants t JOIN control.members m ON m.tenant_id = t.id
 WHERE m.user_id = %s AND m.role = 'owner' AND t.status = 'deleted' AND t.purged_at IS NULL
   AND t.deleted_at + %s > now() ORDER BY t.slug
"""
_SET_SWITCH = """
INSERT INTO cell.switches (tenant, scope, reason) VALUES (%s, %s, 'The tenant is suspended.')
ON CONFLICT (tenant, scope) DO NOTHING
"""
_TAKE_SWITCH = "DELETE FROM cell.switches WHERE tenant = %s AND scope = %s"
# `least` takes no notice of NULL: without the condition what is at rest would be woken.
_WAKE = """
UPDATE cell.work SET wake_at = least(wake_at, clock_timestamp()) WHERE tenant = %s AND wake_at IS NOT NULL
"""


@dataclass(frozen=True)
class Row:
    """A living tenant's row."""

    id: UUID
    slug: str
    name: str
    status: Status
    plan: str
    settings: Mapping[str, Any]
    cell: str
    suspended_at: datetime | None
    suspended_for: str | None
    created_at: datetime
    version: int

    @property
    def tenant(self) -> Tenant:
        """The tenant."""
        return Tenant(self.id, self.slug, self.name, self.status, self.plan, self.settings, self.cell)


def get(connection: Connection, tenant_id: UUID) -> Row | None:
    """Return a living tenant."""
    with connection.cursor(row_factory=class_row(Row)) as cursor:
        return cursor.execute(_GET, (tenant_id,)).fetchone()


def change(
    connection: Connection, tenant_id: UUID, *, name: str | None, settings: Mapping[str, Any], version: int | None
) -> bool:
    """Change an active tenant, where it still has this version."""
    return _told(connection, _CHANGE, (tenant_id, version, name, Jsonb(dict(settings))))


def suspend(connection: Connection, tenant_id: UUID, reason: str) -> bool:
    """Suspend an active tenant."""
    return _told(connection, _SUSPEND, (tenant_id, reason))


def resume(connection: Connection, tenant_id: UUID) -> bool:
    """Make a suspended tenant active."""
    return _told(connection, _RESUME, (tenant_id,))


def restorable(connection: Connection, user_id: UUID, grace: timedelta) -> list[tuple[UUID, str, str, datetime]]:
    """Return id, slug, name and the time of deletion of what a person may bring back."""
    return connection.execute(_RESTORABLE, (user_id, grace)).fetchall()


def set_switch(connection: Connection, slug: str) -> None:
    """Let no attempt of the tenant begin."""
    connection.execute(_SET_SWITCH, (slug, SUSPENDED))


def take_switch(connection: Connection, slug: str) -> None:
    """Let attempts of the tenant begin again, unless an operator has stopped them too."""
    connection.execute(_TAKE_SWITCH, (slug, SUSPENDED))


def wake(connection: Connection, slug: str) -> None:
    """Make all subjects of the tenant due."""
    connection.execute(_WAKE, (slug,))


def _told(connection: Connection, query: str, params: tuple[object, ...]) -> bool:
    row = connection.execute(query, params).fetchone()
    return row is not None and bool(row[0])
