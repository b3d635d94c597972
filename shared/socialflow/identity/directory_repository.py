"""The SQL of what Clerk says: people, organizations that stand for tenants, and who belongs to them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row, scalar_row

from socialflow.identity.clerk import MembershipSaid
from socialflow.identity.model import Account
from socialflow.platform.database import Connection
from socialflow.platform.tenancy import Tenant

# Not FOR UPDATE: a membership that is being added refers to the row, and need not wait.
_LOCK_PERSON = """
SELECT id, email, name, locale, time_zone, name_chosen, said_at, deleted_at
  FROM control.users WHERE issuer = %s AND subject = %s FOR NO KEY UPDATE
"""
_PUT_PERSON = """
INSERT INTO control.users (id, issuer, subject) VALUES (%s, %s, %s)
ON CONFLICT ON CONSTRAINT users_one_per_subject DO NOTHING
"""
_TELL = "UPDATE control.users SET email = %s, name = %s, said_at = greatest(said_at, %s) WHERE id = %s"
_BURY = """
UPDATE control.users
   SET email = '', name = '', locale = '', time_zone = '', name_chosen = false, said_at = %s, deleted_at = %s
 WHERE id = %s
"""
_USER = "SELECT id FROM control.users WHERE issuer = %s AND subject = %s"
_TENANTS_OF = "SELECT tenant_id FROM control.members WHERE user_id = %s ORDER BY tenant_id"
_ORGANIZATION = "SELECT tenant_id, deleted_at FROM control.clerk_organizations WHERE id = %s"
_LINK = """
INSERT INTO control.clerk_organizations (id, tenant_id) VALUES (%s, %s) ON CONFLICT DO NOTHING
"""
_END = "UPDATE control.clerk_organizations SET deleted_at = %s WHERE id = %s"
_LOCK_TENANT = "SELECT control.lock_tenant(%s)"
_TENANT = "SELECT id, slug, name, status, plan, settings, cell FROM control.tenants WHERE id = %s"
_SAID = "SELECT said_at, role FROM control.clerk_memberships WHERE organization = %s AND subject = %s"
_SAY = """
INSERT INTO control.clerk_memberships (organization, subject, role, said_at) VALUES (%s, %s, %s, %s)
ON CONFLICT (organization, subject) DO UPDATE SET role = excluded.role, said_at = excluded.said_at
"""
_SUBJECTS = "SELECT subject FROM control.clerk_memberships WHERE organization = %s AND role <> '' ORDER BY subject"
_ROLE = "SELECT role FROM control.members WHERE tenant_id = %s AND user_id = %s"
_SEATS = """
SELECT (SELECT count(*) FROM control.members WHERE tenant_id = %(tenant)s)
     + (SELECT count(*) FROM control.invitations
         WHERE tenant_id = %(tenant)s AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > now())
"""
_OTHER_OWNERS = """
SELECT count(*) FROM control.members m JOIN control.users u ON u.id = m.user_id AND u.deleted_at IS NULL
 WHERE m.tenant_id = %s AND m.role = 'owner' AND m.user_id <> %s
"""
_JOIN = "INSERT INTO control.members (tenant_id, user_id, role) VALUES (%s, %s, %s)"
_PROMOTE = "UPDATE control.members SET role = %s WHERE tenant_id = %s AND user_id = %s"
_REVOKE = """
UPDATE control.invitations SET revoked_at = now(), token_sha256 = NULL
 WHERE tenant_id = %s AND invited_by = %s AND accepted_at IS NULL AND revoked_at IS NULL AND role = ANY(%s)
"""
_LEAVE = "DELETE FROM control.members WHERE tenant_id = %s AND user_id = %s"


@dataclass(frozen=True)
class Organization:
    """The tenant that an organization stands for, and when it was deleted."""

    tenant_id: UUID
    deleted_at: datetime | None


@dataclass(frozen=True)
class Said:
    """The newest that was said of a membership."""

    said_at: datetime
    role: str


def lock_person(connection: Connection, issuer: str, subject: str) -> Account | None:
    """Return somebody as the registry has them, their row locked until the commit."""
    with connection.cursor(row_factory=class_row(Account)) as cursor:
        return cursor.execute(_LOCK_PERSON, (issuer, subject)).fetchone()


def put_person(connection: Connection, user_id: UUID, issuer: str, subject: str) -> None:
    """Add somebody of whom nothing is known yet, unless they are there."""
    connection.execute(_PUT_PERSON, (user_id, issuer, subject))


def user_id(connection: Connection, issuer: str, subject: str) -> UUID | None:
    """Return somebody's id."""
    found = connection.execute(_USER, (issuer, subject)).fetchone()
    return found[0] if found else None


def tell(connection: Connection, user_id: UUID, email: str, name: str, at: datetime | None) -> None:
    """Write what is said of somebody whose row is locked."""
    connection.execute(_TELL, (email, name, at, user_id))


def bury(connection: Connection, user_id: UUID, at: datetime) -> None:
    """Note that somebody is deleted, and forget what they are called and where they are reached."""
    connection.execute(_BURY, (at, at, user_id))


def tenants_of(connection: Connection, user_id: UUID) -> list[UUID]:
    """Return the tenants that somebody belongs to, in the order in which they are locked."""
    with connection.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(_TENANTS_OF, (user_id,)).fetchall()


def organization(connection: Connection, organization_id: str) -> Organization | None:
    """Return what an organization stands for."""
    with connection.cursor(row_factory=class_row(Organization)) as cursor:
        return cursor.execute(_ORGANIZATION, (organization_id,)).fetchone()


def link(connection: Connection, organization_id: str, tenant_id: UUID) -> None:
    """Let an organization stand for a tenant, unless one of them is linked already."""
    connection.execute(_LINK, (organization_id, tenant_id))


def end(connection: Connection, organization_id: str, at: datetime) -> None:
    """Note that an organization is deleted."""
    connection.execute(_END, (at, organization_id))


def lock_tenant(connection: Connection, tenant_id: UUID) -> Tenant:
    """Return a tenant, locked until the commit: whoever counts its members, or its owners, does this first."""
    connection.execute(_LOCK_TENANT, (tenant_id,))
    with connection.cursor(row_factory=class_row(Tenant)) as cursor:
        found = cursor.execute(_TENANT, (tenant_id,)).fetchone()
    assert found is not None  # it is referred to
    return found


def said(connection: Connection, organization_id: str, subject: str) -> Said | None:
    """Return the newest that was said of a membership."""
    with connection.cursor(row_factory=class_row(Said)) as cursor:
        return cursor.execute(_SAID, (organization_id, subject)).fetchone()


def say(connection: Connection, statement: MembershipSaid) -> None:
    """Write what was said of a membership as the newest."""
    values = (statement.organization, statement.subject, statement.role, statement.at)
    connection.execute(_SAY, values)


def subjects(connection: Connection, organization_id: str) -> list[str]:
    """Return who belongs to an organization, by Clerk's word."""
    with connection.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(_SUBJECTS, (organization_id,)).fetchall()


def role(connection: Connection, tenant_id: UUID, user_id: UUID) -> str | None:
    """Return somebody's role in a tenant."""
    found = connection.execute(_ROLE, (tenant_id, user_id)).fetchone()
    return found[0] if found else None


def seats(connection: Connection, tenant_id: UUID) -> int:
    """Return how many seats of a locked tenant are taken: members and open invitations."""
    found = connection.execute(_SEATS, {"tenant": tenant_id}).fetchone()
    return found[0] if found else 0


def has_other_owner(connection: Connection, tenant_id: UUID, user_id: UUID) -> bool:
    """Tell whether anybody else who can still sign in owns a locked tenant."""
    found = connection.execute(_OTHER_OWNERS, (tenant_id, user_id)).fetchone()
    return bool(found and found[0])


def join(connection: Connection, tenant_id: UUID, user_id: UUID, new: str) -> None:
    """Add a member."""
    connection.execute(_JOIN, (tenant_id, user_id, new))


def promote(connection: Connection, tenant_id: UUID, user_id: UUID, new: str) -> None:
    """Give a member another role."""
    connection.execute(_PROMOTE, (new, tenant_id, user_id))


def revoke(connection: Connection, tenant_id: UUID, user_id: UUID, roles: Collection[str]) -> None:
    """Take back the open invitations to some roles that somebody sent."""
    connection.execute(_REVOKE, (tenant_id, user_id, list(roles)))


def leave(connection: Connection, tenant_id: UUID, user_id: UUID) -> None:
    """Remove a member."""
    connection.execute(_LEAVE, (tenant_id, user_id))
