"""The registry: a tenant by its slug, for work that begins without a person (a task, an event of the bucket)."""

from psycopg.rows import class_row

from socialflow.errors import NotFound
from socialflow.platform.database import Connection, control
from socialflow.platform.tenancy import Tenant

_NAMED = """
SELECT id, slug, name, status, plan, settings, cell FROM control.tenants WHERE slug = %s AND status <> 'deleted'
"""
_SUSPENDED = "SELECT slug FROM control.tenants WHERE status = 'suspended'"
# A tenant that has no cell of its own choosing is on the first.
_CELLS = "SELECT cell FROM control.tenants WHERE purged_at IS NULL UNION SELECT 'cell-1' ORDER BY cell"
_LIVING = "SELECT slug FROM control.tenants WHERE status <> 'deleted' ORDER BY slug"
_DELETED = "SELECT slug FROM control.tenants WHERE status = 'deleted' AND purged_at IS NULL"


class UnknownTenant(NotFound):
    """The registry has no such living tenant."""

    code, title = "unknown-tenant", "No such tenant"


def named(slug: str) -> Tenant:
    """Return a living tenant as the registry has it now; raises `UnknownTenant`."""
    with control() as connection:
        return named_in(connection, slug)


def named_in(connection: Connection, slug: str) -> Tenant:
    """Return a living tenant, on a connection that is open already; raises `UnknownTenant`."""
    with connection.cursor(row_factory=class_row(Tenant)) as cursor:
        tenant = cursor.execute(_NAMED, (slug,)).fetchone()
    if tenant is None:
        raise UnknownTenant(f"There is no tenant {slug!r}.", tenant=slug)
    return tenant


def suspended() -> list[str]:
    """Return the slugs of all tenants that are suspended now."""
    with control() as connection:
        return [slug for (slug,) in connection.execute(_SUSPENDED)]


def living() -> list[str]:
    """Return the slugs of all tenants that are not deleted, suspended ones among them."""
    with control() as connection:
        return [slug for (slug,) in connection.execute(_LIVING)]


def deleted() -> list[str]:
    """Return the slugs of all tenants that are deleted and may still be restored."""
    with control() as connection:
        return [slug for (slug,) in connection.execute(_DELETED)]


def cells() -> list[str]:
    """Return the names of all cells."""
    with control() as connection:
        return [cell for (cell,) in connection.execute(_CELLS)]
