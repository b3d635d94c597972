"""A tenant's schema: its role, its tables and its rights, and one word for all three."""

import hashlib

from socialflow.platform import migrator
from socialflow.platform.database import Connection
from socialflow.platform.migrator import SchemaBusy, hold, migrate, together
from socialflow.tenants import repository
from socialflow.tenants.model import OutdatedDeployment, TenantBusy

PATIENCE = "10s"
"""How long who provisions waits for who migrates, or provisions, the same tenant."""


def version() -> str:
    """Return the newest migration's name, and a digest of everything that makes up a schema: `0002_….sql:1b2c3d4e`."""
    steps = migrator.migrations("tenant")
    whole = hashlib.sha256("".join([*(one.name + one.sha256 for one in steps), repository.RIGHTS]).encode())
    return f"{newest()}:{whole.hexdigest()[:8]}"


def newest() -> str:
    """Return the newest migration's name: versions are ordered by it."""
    return migrator.migrations("tenant")[-1].name


def reserve(connection: Connection, slug: str) -> None:
    """Before a tenant is provisioned: keep migrations of it, and the beginning of a newer one of all, until the commit.

    Raises `OutdatedDeployment` where a newer deployment has begun to migrate, and `TenantBusy` where somebody else
    works on this schema for long.
    """
    target = repository.target(connection)
    if target is not None and target.partition(":")[0] > newest():
        raise OutdatedDeployment
    alone(connection, slug)


def alone(connection: Connection, slug: str) -> None:
    """Before a tenant's schema is made, renamed or dropped: be the only one who works on it, until the commit.

    It comes before the tenant's row is locked: who migrates does it in that order. Raises `TenantBusy`.
    """
    try:
        with together(connection):
            hold(connection, f"t_{slug}", patience=PATIENCE)
    except SchemaBusy as error:
        raise TenantBusy(slug) from error


def build(connection: Connection, slug: str) -> list[str]:
    """Make a tenant's schema what this deployment wants; return the migrations that were applied."""
    schema = f"t_{slug}"
    repository.create_role(connection, schema)
    applied = migrate(connection, "tenant", schema)
    repository.grant_role(connection, schema)
    repository.note_version(connection, slug, version())
    return applied
