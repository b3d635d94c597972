"""A tenant's beginning and end, by the owner of the database: made, deleted, restored, purged.

No HTTP function has these rights. One function has (`ops_tenant`), and it asks the registry itself whether the person
on whose behalf it is called may.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from socialflow.platform.announcing import tell
from socialflow.platform.database import Connection
from socialflow.platform.ids import new_id
from socialflow.platform.migrator import together
from socialflow.platform.tenancy import Tenant
from socialflow.tenants import lifecycle_repository as repository
from socialflow.tenants import schema
from socialflow.tenants.events import TenantCreated, TenantDeleted, TenantPurged, TenantRestored
from socialflow.tenants.model import usable_slug
from socialflow.tenants.refusals import NotRestorable, OwnerRequired, SlugTaken, TenantIdTaken, TooManyTenants
from socialflow.tenants.settings import checked, checked_name

GRACE = timedelta(days=30)
"""How long a deleted tenant can be brought back."""
MOST_TENANTS = 100
"""How many living tenants one person may have made: each is a schema and a role."""


@dataclass(frozen=True)
class Wish:
    """A tenant that somebody wants made; without an id it gets one."""

    slug: str
    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    id: UUID | None = None

    @property
    def sha256(self) -> bytes:
        """What makes a repeat the same wish."""
        said = [self.slug, self.name, dict(self.settings), str(self.id or "")]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).digest()


@dataclass(frozen=True)
class Made:
    """A tenant, and whether it was made just now."""

    id: UUID
    is_new: bool


def create(connection: Connection, wish: Wish, *, by: UUID) -> Made:
    """Make a tenant with its schema, role and owner in one transaction; the same wish again finds it.

    Raises `SlugTaken`, `TenantIdTaken`, `TooManyTenants`, and for what cannot be stored `Invalid`.
    """
    slug, name, settings = usable_slug(wish.slug), checked_name(wish.name), checked(wish.settings)
    with together(connection):
        repository.be_patient(connection)
        if not repository.lock_user(connection, by):
            raise OwnerRequired("There is no such person any more. Sign in again.")
        if repository.standing_by_id(connection, wish.id) not in (None, slug):
            raise TenantIdTaken("Another tenant has that id. Send a new UUID, or none.")
        schema.reserve(connection, slug)
        tenant_id = wish.id or new_id()
        row = {"id": tenant_id, "slug": slug, "name": name, "by": by, "wish": wish.sha256}
        if not repository.register(connection, settings=settings, **row):
            return _found(connection, slug, wish, by)
        if repository.made_by(connection, by) > MOST_TENANTS:
            raise TooManyTenants(f"One person may make {MOST_TENANTS} tenants. Delete one, or ask our support.")
        schema.build(connection, slug)
        repository.add_owner(connection, tenant_id, by)
        tell(connection, _known(connection, tenant_id), TenantCreated(subject_id=tenant_id))
    return Made(tenant_id, is_new=True)


def delete(connection: Connection, tenant_id: UUID, *, by: UUID) -> datetime:
    """Take a tenant out of everybody's sight, as an owner; return until when it can be restored. Repeating it is safe.

    Its schema gets a name that no slug can have, so that nothing can enter it; its work waits.
    """
    with together(connection):
        repository.be_patient(connection)
        slug = repository.standing_by_id(connection, tenant_id)
        if slug is not None:
            schema.alone(connection, slug)
        found = repository.locked(connection, tenant_id)
        if found is None or not repository.is_owner(connection, tenant_id, by):
            raise OwnerRequired("Only an owner may delete a tenant. Ask one of them.")
        if found.deleted_at is None:
            found = repository.bury(connection, tenant_id, by=by)
            repository.rename_schema(connection, found.tenant.schema, buried(tenant_id))
            repository.supersede_work(connection, found.tenant.slug)
            until = found.deleted_since + GRACE
            tell(connection, found.tenant, TenantDeleted(subject_id=tenant_id, restorable_until=until))
        return found.deleted_since + GRACE


def restore(connection: Connection, slug: str, *, by: UUID) -> UUID:
    """Bring a deleted tenant back, as one who was its owner; return its id. Repeating it is safe.

    It gets the migrations that it has missed, and all its work is looked at again.
    """
    with together(connection):
        repository.be_patient(connection)
        schema.reserve(connection, slug)
        found = repository.locked_by_slug(connection, slug)
        if found is None or not repository.is_owner(connection, found.tenant.id, by):
            raise NotRestorable("You were no owner of a deleted tenant with this slug. GET /v1/tenants?deleted=true.")
        if found.deleted_at is None:
            return found.tenant.id
        if not repository.unearth(connection, found.tenant.id, within=GRACE):
            raise NotRestorable(f"The {GRACE.days} days in which the tenant could be restored are over.")
        repository.rename_schema(connection, buried(found.tenant.id), found.tenant.schema)
        schema.build(connection, slug)
        repository.wake(connection, slug)
        tell(connection, found.tenant, TenantRestored(subject_id=found.tenant.id))
    return found.tenant.id


def to_purge(connection: Connection) -> list[Tenant]:
    """Return the deleted tenants whose grace is over, the oldest first."""
    return repository.past_grace(connection, GRACE)


def purge(connection: Connection, tenant: Tenant) -> bool:
    """Drop a tenant's schema and role and everything about it but its slug; False where that is done already.

    Its objects are deleted before: afterwards nobody would know that there are any.
    """
    with together(connection):
        repository.be_patient(connection)
        schema.alone(connection, tenant.slug)
        if not repository.entomb(connection, tenant.id, grace=GRACE):
            return False
        repository.drop(connection, buried(tenant.id), role=f"{tenant.schema}_rw")
        repository.forget_in_cell(connection, tenant)
        repository.forget_in_registry(connection, tenant.id)
        tell(connection, tenant, TenantPurged(subject_id=tenant.id))
    return True


def buried(tenant_id: UUID) -> str:
    """Return the name of a deleted tenant's schema: a tenant's begins with `t_`, so no slug has it."""
    return f"deleted_{tenant_id.hex}"


def _found(connection: Connection, slug: str, wish: Wish, by: UUID) -> Made:
    found = repository.locked_by_slug(connection, slug)
    if found is not None and found.deleted_at is None and (found.created_by, found.created_as) == (by, wish.sha256):
        return Made(found.tenant.id, is_new=False)
    raise SlugTaken(f"The slug {slug!r} is taken, or was once. Choose another.", slug=slug)


def _known(connection: Connection, tenant_id: UUID) -> Tenant:
    found = repository.locked(connection, tenant_id)
    assert found is not None
    return found.tenant
