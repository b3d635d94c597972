"""Tenants are made and kept up to date here, by the owner of the database."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from socialflow.entitlements.model import known_plan
from socialflow.platform.database import Connection
from socialflow.platform.migrator import MigrationFailed, migrate, migrations, together
from socialflow.tenants import repository
from socialflow.tenants.model import FirstMember, usable_slug


def provision(
    connection: Connection,
    slug: str,
    name: str,
    *,
    settings: Mapping[str, Any],
    members: Sequence[FirstMember],
) -> UUID:
    """Create a tenant with its schema, role and first members, in one transaction; repeating it changes nothing."""
    with together(connection):
        tenant_id = repository.register(connection, usable_slug(slug), name, settings)
        bring_up_to_date(connection, slug)
        for member in members:
            repository.add_member(connection, tenant_id, member)
    return tenant_id


def put_on_plan(connection: Connection, slug: str, plan: str) -> None:
    """Give a tenant a plan by hand, as one by contract has it; raises `UnknownPlan`. A subscription then leaves it."""
    with together(connection):
        repository.put_on_plan(connection, slug, known_plan(plan).name)


def migrate_everything(connection: Connection) -> dict[str, list[str] | str]:
    """Migrate the registry, the cell and every tenant; return what was applied by schema, or why it was not.

    Each tenant is a transaction of its own: one that fails is reported and never stops the others.
    """
    done: dict[str, list[str] | str] = {
        "control": migrate(connection, "control", "control"),
        "cell": migrate(connection, "cell", "cell"),
    }
    for slug in repository.slugs(connection):
        try:
            with together(connection):
                done[f"t_{slug}"] = bring_up_to_date(connection, slug)
        except MigrationFailed as error:
            done[f"t_{slug}"] = str(error)
    return done


def bring_up_to_date(connection: Connection, slug: str) -> list[str]:
    """Give a tenant its role and every migration; return what was applied."""
    schema = f"t_{slug}"
    repository.create_role(connection, schema)
    applied = migrate(connection, "tenant", schema)
    repository.grant_role(connection, schema)
    repository.note_version(connection, slug, migrations("tenant")[-1].name)
    return applied
