"""Tenants are made here, by the owner of the database."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from socialflow.entitlements.model import known_plan
from socialflow.platform.database import Connection
from socialflow.platform.migrator import together
from socialflow.tenants import repository, schema
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
        schema.reserve(connection, usable_slug(slug))
        tenant_id = repository.register(connection, slug, name, settings)
        if repository.schema_version(connection, slug) != schema.version():
            schema.build(connection, slug)
        for member in members:
            repository.add_member(connection, tenant_id, member)
    return tenant_id


def put_on_plan(connection: Connection, slug: str, plan: str) -> None:
    """Give a tenant a plan by hand, as one by contract has it; raises `UnknownPlan`. A subscription then leaves it."""
    with together(connection):
        repository.put_on_plan(connection, slug, known_plan(plan).name)
