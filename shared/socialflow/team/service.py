"""Members: listed, given another role, removed; a tenant has an owner at all times.

Every change holds the tenant's row, so that two of them cannot both leave the last owner to the other.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from socialflow.platform.announcing import tell
from socialflow.platform.caller import Membership
from socialflow.platform.database import Connection
from socialflow.platform.tenancy import Tenant
from socialflow.team import repository
from socialflow.team.events import UserRemoved
from socialflow.team.model import ROLES, LastOwner, NoLongerAllowed, TeamMember, UnknownMember, checked_role, rank

MAY_INVITE = rank("admin")


@dataclass(frozen=True)
class Page:
    """Where a page of a list begins, and how long it is."""

    after: tuple[datetime, UUID] | None
    limit: int


def members(connection: Connection, tenant_id: UUID, page: Page) -> list[TeamMember]:
    """Return a tenant's members, those who joined first first."""
    return repository.members(connection, tenant_id, page.after, page.limit)


def change_role(connection: Connection, who: Membership, user_id: UUID, role: str, *, at: datetime) -> TeamMember:
    """Give a member another role, at once; raises `LastOwner`, `UnknownMember`, `UnknownRole`."""
    new = checked_role(role)
    tenant = held(connection, who)
    found = _found(connection, tenant, user_id)
    if found.role == new:
        return found
    _keep_an_owner(connection, tenant, found)
    _give(connection, tenant, user_id, new, at)
    return _found(connection, tenant, user_id)


def make_owner(connection: Connection, who: Membership, user_id: UUID, *, at: datetime) -> TeamMember:
    """Hand the caller's ownership over to a member: they become owner and the caller admin, or neither does."""
    tenant = held(connection, who)
    _found(connection, tenant, user_id)
    if user_id != who.user.id:
        _give(connection, tenant, user_id, "owner", at)
        _give(connection, tenant, who.user.id, "admin", at)
    return _found(connection, tenant, user_id)


def remove(connection: Connection, who: Membership, user_id: UUID, *, at: datetime) -> None:
    """End somebody's membership; what they can no longer do, they cannot from their next request on."""
    tenant = held(connection, who)
    _end(connection, tenant, _found(connection, tenant, user_id), at)


def leave(connection: Connection, slug: str, user_id: UUID, *, at: datetime) -> Tenant:
    """End one's own membership, also of a suspended tenant; return which. Raises `LastOwner`, `UnknownMember`."""
    tenant_id = repository.tenant_id(connection, slug)
    tenant = repository.lock_tenant(connection, tenant_id) if tenant_id else None
    if tenant is None or repository.member(connection, tenant.id, user_id) is None:
        raise UnknownMember("You do not belong to that tenant. GET /v1/tenants lists yours.")
    _end(connection, tenant, _found(connection, tenant, user_id), at)
    return tenant


def held(connection: Connection, who: Membership) -> Tenant:
    """Lock the tenant, and look again whether caller and tenant still are what the guard saw.

    It has let somebody of a suspended tenant in for what may be done there.
    """
    tenant = repository.lock_tenant(connection, who.tenant.id)
    if tenant is not None and (tenant.active or not who.tenant.active) and _is_still(connection, who):
        return tenant
    raise NoLongerAllowed("Nothing was changed. Read your tenants anew (GET /v1/tenants), and repeat it if you may.")


def _is_still(connection: Connection, who: Membership) -> bool:
    if who.user.kind == "key":  # it is looked up with its maker's role at each request
        return True
    present = repository.member(connection, who.tenant.id, who.user.id)
    return present is not None and present.role == who.role


def _found(connection: Connection, tenant: Tenant, user_id: UUID) -> TeamMember:
    found = repository.member(connection, tenant.id, user_id)
    if found is None:
        raise UnknownMember("Nobody with this id belongs to the tenant. GET /v1/members lists them.")
    return found


def _keep_an_owner(connection: Connection, tenant: Tenant, going: TeamMember) -> None:
    if going.role == "owner" and repository.owners(connection, tenant.id) == 1:
        raise LastOwner("Make somebody else an owner first (POST /v1/members/{user_id}/make-owner).")


def _give(connection: Connection, tenant: Tenant, user_id: UUID, role: str, at: datetime) -> None:
    """Give a role, and take back the open invitations that it does not cover."""
    repository.promote(connection, tenant.id, user_id, role)
    within = [each for each in ROLES if rank(role) >= MAY_INVITE and rank(each) <= rank(role)]
    repository.revoke_beyond(connection, tenant.id, by=user_id, within=within, at=at)


def _end(connection: Connection, tenant: Tenant, going: TeamMember, at: datetime) -> None:
    _keep_an_owner(connection, tenant, going)
    repository.leave(connection, tenant.id, going.user_id)
    repository.revoke_beyond(connection, tenant.id, by=going.user_id, within=[], at=at)
    tell(connection, tenant, UserRemoved(subject_id=going.user_id, role=going.role))
