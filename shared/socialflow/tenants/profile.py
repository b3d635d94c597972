"""A tenant as its people see it: read, changed, suspended and resumed. The application does this, within its rights."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from socialflow.platform.announcing import tell
from socialflow.platform.database import Connection, engine_room
from socialflow.platform.registry import UnknownTenant
from socialflow.platform.tenancy import Tenant
from socialflow.tenants import profile_repository as repository
from socialflow.tenants.events import TenantResumed, TenantSuspended
from socialflow.tenants.lifecycle import GRACE
from socialflow.tenants.profile_repository import Row
from socialflow.tenants.refusals import TenantChanged, UnusableSetting
from socialflow.tenants.settings import TenantSettings, checked, checked_name

REASON_LENGTH = 500


@dataclass(frozen=True)
class Suspension:
    """Why a tenant only reads."""

    since: datetime
    reason: str


@dataclass(frozen=True)
class Profile:
    """A tenant, its settings, and how it stands."""

    tenant: Tenant
    settings: TenantSettings
    suspension: Suspension | None
    created_at: datetime
    version: int


@dataclass(frozen=True)
class Restorable:
    """A deleted tenant that an owner of it may bring back."""

    id: UUID
    slug: str
    name: str
    deleted_at: datetime

    @property
    def until(self) -> datetime:
        """When it is too late."""
        return self.deleted_at + GRACE


def read(connection: Connection, tenant_id: UUID) -> Profile:
    """Return a living tenant; raises `UnknownTenant`."""
    row = repository.get(connection, tenant_id)
    if row is None:
        raise UnknownTenant("There is no such tenant any more. GET /v1/tenants lists yours.")
    return _profile(row)


def change(
    connection: Connection, tenant_id: UUID, *, name: str | None, settings: Mapping[str, Any], version: int | None
) -> Profile:
    """Change the name and the settings that are given; `version` None is any. Raises `TenantChanged`, `Invalid`."""
    new_name = None if name is None else checked_name(name)
    changes = checked(settings)
    if not repository.change(connection, tenant_id, name=new_name, settings=changes, version=version):
        present = read(connection, tenant_id)
        raise TenantChanged(
            "Somebody has changed the tenant since you read it. Read it again, and repeat your change.",
            current_version=present.version,
        )
    return read(connection, tenant_id)


def restorable(connection: Connection, user_id: UUID) -> list[Restorable]:
    """Return the deleted tenants that a person may bring back."""
    return [Restorable(*row) for row in repository.restorable(connection, user_id, GRACE)]


def suspend(connection: Connection, tenant: Tenant, *, reason: str) -> bool:
    """Let a tenant only read from now on; False where it does so already. `stop_publishing` belongs to it.

    The reason is shown to the tenant's members: it says what to do about it.
    """
    said = " ".join(reason.split())
    if not 1 <= len(said) <= REASON_LENGTH:
        raise UnusableSetting(f"Say why, in 1 to {REASON_LENGTH} characters: the tenant's members read it.")
    if not repository.suspend(connection, tenant.id, said):
        return False
    tell(connection, tenant, TenantSuspended(subject_id=tenant.id))
    return True


def resume(connection: Connection, tenant: Tenant) -> bool:
    """Let a suspended tenant go on; False where it is not suspended. `go_on_publishing` belongs to it."""
    if not repository.resume(connection, tenant.id):
        return False
    tell(connection, tenant, TenantResumed(subject_id=tenant.id))
    return True


def stop_publishing(tenant: Tenant) -> None:
    """Set the tenant's switch, after the suspension has been committed: the claim itself then refuses.

    A task that read the registry a moment before would otherwise still publish. Repeating it is safe.
    """
    with engine_room(tenant.cell) as connection:
        repository.set_switch(connection, tenant.slug)


def go_on_publishing(tenant: Tenant) -> None:
    """Take the switch away and make all work of the tenant due, after the resumption has been committed."""
    with engine_room(tenant.cell) as connection:
        repository.take_switch(connection, tenant.slug)
        repository.wake(connection, tenant.slug)


def _profile(row: Row) -> Profile:
    suspended = row.status == "suspended"
    return Profile(
        tenant=row.tenant,
        settings=TenantSettings.of(row.settings),
        suspension=Suspension(row.suspended_at or row.created_at, row.suspended_for or "") if suspended else None,
        created_at=row.created_at,
        version=row.version,
    )
