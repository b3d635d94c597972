"""Rows, schemas and roles of tenants that begin and end. These statements run as the owner of the database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg import sql
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from socialflow.platform.database import Connection
from socialflow.platform.tenancy import Status, Tenant

_PATIENCE = "SELECT set_config('lock_timeout', '10s', true)"
_USER = "SELECT FROM control.users WHERE id = %s AND deleted_at IS NULL FOR NO KEY UPDATE"
_MADE_BY = "SELECT count(*) FROM control.tenants WHERE created_by = %s AND status <> 'deleted'"
_SLUG_OF = "SELECT slug FROM control.tenants WHERE id = %s"
_REGISTER = """
INSERT INTO control.tenants (id, slug, name, settings, created_by, created_as)
VALUES (%(id)s, %(slug)s, %(name)s, %(settings)s, %(by)s, %(wish)s)
ON CONFLICT (slug) DO NOTHING
"""
_OWNER = "INSERT INTO control.members (tenant_id, user_id, role) VALUES (%s, %s, 'owner')"
_COLUMNS = """
id, slug, name, status, plan, settings, cell, created_by, created_as, suspended_at, deleted_at
"""
_LOCKED = f"SELECT {_COLUMNS} FROM control.tenants WHERE id = %s AND purged_at IS NULL FOR NO KEY UPDATE"
_LOCKED_BY_SLUG = f"SELECT {_COLUMNS} FROM control.tenants WHERE slug = %s AND purged_at IS NULL FOR NO KEY UPDATE"
_IS_OWNER = "SELECT FROM control.members WHERE tenant_id = %s AND user_id = %s AND role = 'owner'"
_BURY = f"""
UPDATE control.tenants SET status = 'deleted', deleted_at = now(), deleted_by = %s, version = version + 1
 WHERE id = %s RETURNING {_COLUMNS}
"""
_UNEARTH = """
UPDATE control.tenants SET status = CASE WHEN suspended_at IS NULL THEN 'active' ELSE 'suspended' END,
       deleted_at = NULL, deleted_by = NULL, version = version + 1
 WHERE id = %s AND purged_at IS NULL AND deleted_at + %s > now()
"""
_PAST_GRACE = """
SELECT id, slug, name, status, plan, settings, cell FROM control.tenants
 WHERE status = 'deleted' AND purged_at IS NULL AND deleted_at + %s <= now() ORDER BY deleted_at
"""
_ENTOMB = """
UPDATE control.tenants SET purged_at = now(), name = '(purged)', settings = '{}', created_by = NULL, deleted_by = NULL
 WHERE id = %s AND status = 'deleted' AND purged_at IS NULL AND deleted_at + %s <= now()
"""
# The reconciler starts nothing of a deleted tenant. A run that is under way is superseded, so that its end, for want of
# a tenant, does not end the subject's work as well.
_SUPERSEDE = """
UPDATE cell.work SET run = run + 1, token = NULL, token_run = NULL WHERE tenant = %s AND wake_at IS NOT NULL
"""
_WAKE = "UPDATE cell.work SET wake_at = clock_timestamp() WHERE tenant = %s AND wake_at IS NOT NULL"
# Whatever table of the cell has a tenant's rows, but for facts: those still have to leave.
_OF_TENANTS = """
SELECT c.table_name FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
 WHERE c.table_schema = 'cell' AND c.column_name = 'tenant' AND t.table_type = 'BASE TABLE'
   AND c.table_name NOT IN ('outbox', 'fact_seq')
"""
# Whatever would go with the registry's row if that could go: its slug must stay.
_DEPENDENTS = """
SELECT c.conrelid::regclass::text, a.attname FROM pg_constraint c
  JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
 WHERE c.contype = 'f' AND c.confrelid = 'control.tenants'::regclass AND c.confdeltype = 'c'
"""


@dataclass(frozen=True)
class Standing:
    """A tenant's row, locked."""

    id: UUID
    slug: str
    name: str
    status: Status
    plan: str
    settings: Mapping[str, Any]
    cell: str
    created_by: UUID | None
    created_as: bytes | None
    suspended_at: datetime | None
    deleted_at: datetime | None

    @property
    def tenant(self) -> Tenant:
        """The tenant."""
        return Tenant(self.id, self.slug, self.name, self.status, self.plan, self.settings, self.cell)

    @property
    def deleted_since(self) -> datetime:
        """When it was deleted, where it is."""
        assert self.deleted_at is not None
        return self.deleted_at


def be_patient(connection: Connection) -> None:
    """Bound the transaction's waits."""
    connection.execute(_PATIENCE)


def lock_user(connection: Connection, user_id: UUID) -> bool:
    """Lock a person: what they make is counted one after the other. False where there is nobody."""
    return connection.execute(_USER, (user_id,)).rowcount == 1


def made_by(connection: Connection, user_id: UUID) -> int:
    """Return how many living tenants a person has made."""
    row = connection.execute(_MADE_BY, (user_id,)).fetchone()
    assert row is not None
    return int(row[0])


def standing_by_id(connection: Connection, tenant_id: UUID | None) -> str | None:
    """Return the slug of the tenant that has an id."""
    row = connection.execute(_SLUG_OF, (tenant_id,)).fetchone()
    return row[0] if row else None


def register(connection: Connection, *, settings: Mapping[str, Any], **row: object) -> bool:
    """Insert the tenant; False where one has the slug. Who is inserting it just now is waited for."""
    return connection.execute(_REGISTER, {**row, "settings": Jsonb(dict(settings))}).rowcount == 1


def add_owner(connection: Connection, tenant_id: UUID, user_id: UUID) -> None:
    """Insert the first membership."""
    connection.execute(_OWNER, (tenant_id, user_id))


def locked(connection: Connection, tenant_id: UUID) -> Standing | None:
    """Lock and return a tenant that has not been purged."""
    with connection.cursor(row_factory=class_row(Standing)) as cursor:
        return cursor.execute(_LOCKED, (tenant_id,)).fetchone()


def locked_by_slug(connection: Connection, slug: str) -> Standing | None:
    """Lock and return a tenant that has not been purged, by its slug."""
    with connection.cursor(row_factory=class_row(Standing)) as cursor:
        return cursor.execute(_LOCKED_BY_SLUG, (slug,)).fetchone()


def is_owner(connection: Connection, tenant_id: UUID, user_id: UUID) -> bool:
    """Tell whether a person is an owner, also of a deleted tenant."""
    return connection.execute(_IS_OWNER, (tenant_id, user_id)).rowcount == 1


def bury(connection: Connection, tenant_id: UUID, *, by: UUID) -> Standing:
    """Note that the tenant is deleted."""
    with connection.cursor(row_factory=class_row(Standing)) as cursor:
        found = cursor.execute(_BURY, (by, tenant_id)).fetchone()
    assert found is not None
    return found


def unearth(connection: Connection, tenant_id: UUID, *, within: timedelta) -> bool:
    """Note that the tenant lives again; False where the time for it is over."""
    return connection.execute(_UNEARTH, (tenant_id, within)).rowcount == 1


def rename_schema(connection: Connection, old: str, new: str) -> None:
    """Rename a schema; the rights of its role go with it."""
    statement = sql.SQL("ALTER SCHEMA {} RENAME TO {}")
    connection.execute(statement.format(sql.Identifier(old), sql.Identifier(new)))


def supersede_work(connection: Connection, slug: str) -> None:
    """Let no run of the tenant that is under way have a say any more."""
    connection.execute(_SUPERSEDE, (slug,))


def wake(connection: Connection, slug: str) -> None:
    """Make all subjects of the tenant due that are not at rest: each looks whether there is something to do."""
    connection.execute(_WAKE, (slug,))


def past_grace(connection: Connection, grace: timedelta) -> list[Tenant]:
    """Return the deleted tenants that cannot be restored any more."""
    with connection.cursor(row_factory=class_row(Tenant)) as cursor:
        return cursor.execute(_PAST_GRACE, (grace,)).fetchall()


def entomb(connection: Connection, tenant_id: UUID, *, grace: timedelta) -> bool:
    """Leave of the registry's row what keeps its slug from being given again; False where it is not time, or done."""
    return connection.execute(_ENTOMB, (tenant_id, grace)).rowcount == 1


def drop(connection: Connection, schema: str, *, role: str) -> None:
    """Drop a schema with everything in it, and its role."""
    names = {"schema": sql.Identifier(schema), "role": sql.Identifier(role)}
    connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {schema} CASCADE").format(**names))
    connection.execute(sql.SQL("DROP ROLE IF EXISTS {role}").format(**names))


def forget_in_cell(connection: Connection, tenant: Tenant) -> None:
    """Delete the tenant's rows in the schema that tenants share."""
    for (table,) in connection.execute(_OF_TENANTS).fetchall():
        statement = sql.SQL("DELETE FROM cell.{} WHERE tenant::text IN (%s, %s)").format(sql.Identifier(table))
        connection.execute(statement, (tenant.slug, str(tenant.id)))


def forget_in_registry(connection: Connection, tenant_id: UUID) -> None:
    """Delete the registry's rows that belong to the tenant: members, invitations and what else refers to it."""
    for table, column in connection.execute(_DEPENDENTS).fetchall():
        statement = sql.SQL("DELETE FROM {} WHERE {} = %s").format(
            sql.Identifier(*table.split(".")), sql.Identifier(column)
        )
        connection.execute(statement, (tenant_id,))
