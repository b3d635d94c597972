"""Clerk's word about people and memberships, taken over in whichever order it comes.

Rows are locked in one order: the person, then tenants by their id. What Clerk has said last is kept beside what it has
come to here: a role that a tenant's own people have changed since stays, until Clerk says something else.
"""

from collections.abc import Iterable
from uuid import UUID

from socialflow.entitlements.model import check
from socialflow.errors import Conflict, NotFound
from socialflow.identity import directory_repository as repository
from socialflow.identity.clerk import (
    MembershipSaid,
    OrganizationGone,
    PersonGone,
    PersonSaid,
    Statement,
    is_known,
    order,
    role_of,
)
from socialflow.identity.events import UserJoined, UserRemoved
from socialflow.identity.model import ROLES, Account
from socialflow.platform import announcing
from socialflow.platform.database import Connection
from socialflow.platform.ids import new_id
from socialflow.platform.observability import logger
from socialflow.platform.tenancy import Tenant


class UnknownOrganization(NotFound):
    """No tenant is linked to the organization."""

    code, title = "unknown-organization", "No tenant is linked to that organization"


class OrganizationTaken(Conflict):
    """The organization, or the tenant, is linked to another."""

    code, title = "organization-taken", "It is linked already"


def take(connection: Connection, issuer: str, statement: Statement) -> set[str]:
    """Take over a statement, unless a newer one was; return the cells whose doorbell is to be rung after the commit.

    Raises `UnknownOrganization`, or `LimitReached` for a full team: then nothing is changed. Clerk repeats the message
    for a day, and on request; by then there may be room.
    """
    match statement:
        case PersonSaid():
            return _person(connection, issuer, statement)
        case PersonGone():
            return _person_gone(connection, issuer, statement)
        case MembershipSaid():
            return _membership(connection, issuer, statement)
        case OrganizationGone():
            return _organization_gone(connection, issuer, statement)


def link(connection: Connection, organization: str, tenant_id: UUID) -> None:
    """Let an organization stand for a tenant, one for one; repeating it changes nothing. Raises `OrganizationTaken`."""
    repository.link(connection, organization, tenant_id)
    found = repository.organization(connection, organization)
    if found is None or found.tenant_id != tenant_id:
        raise OrganizationTaken("An organization stands for one tenant, and a tenant has one. Choose another.")


def _person(connection: Connection, issuer: str, said: PersonSaid) -> set[str]:
    account = _locked(connection, issuer, said.subject)
    if account.deleted_at is None:
        repository.tell(connection, account.id, *account.told(said.email, said.name, said.at), said.at)
    return set()


def _person_gone(connection: Connection, issuer: str, said: PersonGone) -> set[str]:
    account = _locked(connection, issuer, said.subject)  # a row also of somebody unknown: what is older may yet come
    if account.deleted_at is not None:
        return set()
    repository.bury(connection, account.id, said.at)
    return _rung(
        _remove(connection, tenant_id, account.id) for tenant_id in repository.tenants_of(connection, account.id)
    )


def _membership(connection: Connection, issuer: str, said: MembershipSaid) -> set[str]:
    tenant_id = _linked(connection, said.organization).tenant_id
    account = _locked(connection, issuer, said.subject)
    tenant = repository.lock_tenant(connection, tenant_id)
    before = repository.said(connection, said.organization, said.subject)
    if before is not None and order(before.said_at, before.role) >= said.order:
        return set()
    if _linked(connection, said.organization).deleted_at is not None:
        return set()
    repository.say(connection, said)
    if not said.role:
        return _rung([_remove(connection, tenant_id, account.id)])
    if account.deleted_at is not None or (before is not None and before.role == said.role):
        return set()
    repository.tell(connection, account.id, *account.told("", said.name, None), None)  # a gap is filled, no more
    return _rung([_give(connection, tenant, account.id, said.role)])


def _organization_gone(connection: Connection, issuer: str, said: OrganizationGone) -> set[str]:
    tenant_id = _linked(connection, said.organization).tenant_id
    repository.lock_tenant(connection, tenant_id)
    if _linked(connection, said.organization).deleted_at is not None:
        return set()
    repository.end(connection, said.organization, said.at)
    left = []
    for subject in repository.subjects(connection, said.organization):
        repository.say(connection, MembershipSaid(said.organization, subject, "", "", said.at))
        left.append(repository.user_id(connection, issuer, subject))
    return _rung(_remove(connection, tenant_id, user_id) for user_id in left if user_id is not None)


def _give(connection: Connection, tenant: Tenant, user_id: UUID, clerk_role: str) -> str | None:
    """Give somebody the role that Clerk's word comes to; an admin of Clerk's who owns the tenant goes on owning it.

    Return the cell that has something to tell.
    """
    if not is_known(clerk_role):
        logger.warning("A role of Clerk's is not known: it may only look", clerk_role=clerk_role, tenant=tenant.slug)
    new, present = role_of(clerk_role), repository.role(connection, tenant.id, user_id)
    if present is None:
        check(tenant.plan, "seats", used=repository.seats(connection, tenant.id))
        repository.join(connection, tenant.id, user_id, new)
        announcing.tell(connection, tenant, UserJoined(subject_id=user_id, role=new))
        return tenant.cell
    covered = present == new or (present == "owner" and new == "admin")
    if not covered and not _is_kept(connection, tenant, user_id, present):
        repository.promote(connection, tenant.id, user_id, new)
        repository.revoke(connection, tenant.id, user_id, _beyond(new))
    return None


def _remove(connection: Connection, tenant_id: UUID, user_id: UUID) -> str | None:
    """Remove somebody, but for a last owner; return the cell that has something to tell."""
    tenant = repository.lock_tenant(connection, tenant_id)
    present = repository.role(connection, tenant_id, user_id)
    if present is None or _is_kept(connection, tenant, user_id, present):
        return None
    repository.leave(connection, tenant_id, user_id)
    repository.revoke(connection, tenant_id, user_id, _beyond(None))
    announcing.tell(connection, tenant, UserRemoved(subject_id=user_id, role=present))
    return tenant.cell


def _is_kept(connection: Connection, tenant: Tenant, user_id: UUID, present: str) -> bool:
    """Tell whether somebody is a tenant's last owner: nobody is left to act then, and no message would change that."""
    if present != "owner" or repository.has_other_owner(connection, tenant.id, user_id):
        return False
    logger.error("Clerk takes away a tenant's last owner: they stay", tenant=tenant.slug, member=str(user_id))
    return True


def _beyond(role: str | None) -> frozenset[str]:
    """Return the roles to which somebody may not invite, or no longer."""
    return {"owner": frozenset[str](), "admin": frozenset({"owner"})}.get(role or "", ROLES)


def _rung(cells: Iterable[str | None]) -> set[str]:
    return {cell for cell in cells if cell is not None}


def _linked(connection: Connection, organization: str) -> repository.Organization:
    found = repository.organization(connection, organization)
    if found is None:
        raise UnknownOrganization("Link it to a tenant, then send the message again.", organization=organization)
    return found


def _locked(connection: Connection, issuer: str, subject: str) -> Account:
    """Return somebody, their row made where there is none and locked."""
    account = repository.lock_person(connection, issuer, subject)
    if account is None:
        repository.put_person(connection, new_id(), issuer, subject)
        account = repository.lock_person(connection, issuer, subject)
    if account is None:
        raise RuntimeError("A user was added and is not there")
    return account
