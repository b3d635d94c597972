"""People and memberships in the registry."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row

from socialflow.identity.model import Account, Changes, Claims
from socialflow.platform.caller import User
from socialflow.platform.database import Connection
from socialflow.platform.tenancy import Status, Tenant

_FIND = """
SELECT id, email, name, locale, time_zone, name_chosen, said_at, deleted_at
  FROM control.users WHERE issuer = %(issuer)s AND subject = %(subject)s
"""
_ADD = """
INSERT INTO control.users (id, issuer, subject, email, name, said_at)
VALUES (%(id)s, %(issuer)s, %(subject)s, %(email)s, %(name)s, %(at)s)
ON CONFLICT ON CONSTRAINT users_one_per_subject DO NOTHING
"""
_TELL = """
UPDATE control.users SET email = %(email)s, name = %(name)s, said_at = greatest(said_at, %(at)s)
 WHERE id = %(id)s AND deleted_at IS NULL AND said_at IS NOT DISTINCT FROM %(seen)s
"""
_CHANGE = """
UPDATE control.users
   SET name = coalesce(%(name)s, name), name_chosen = name_chosen OR %(name)s::text IS NOT NULL,
       locale = coalesce(%(locale)s, locale), time_zone = coalesce(%(time_zone)s, time_zone)
 WHERE id = %(id)s AND deleted_at IS NULL
RETURNING id, email, name, locale, time_zone
"""
_ACTIVE = """
SELECT t.slug FROM control.clerk_organizations o
  JOIN control.tenants t ON t.id = o.tenant_id AND t.status <> 'deleted'
  JOIN control.members m ON m.tenant_id = t.id AND m.user_id = %(user)s
 WHERE o.id = %(organization)s
"""
_MEMBERSHIPS = """
SELECT t.id, t.slug, t.name, t.status, t.plan, t.settings, t.cell, m.role
  FROM control.members m JOIN control.tenants t ON t.id = m.tenant_id
 WHERE m.user_id = %(user)s AND t.status <> 'deleted'
"""
_ONE = _MEMBERSHIPS + " AND (t.slug = %(slug)s OR t.id = %(id)s)"
_ALL = _MEMBERSHIPS + " ORDER BY t.slug"


@dataclass(frozen=True)
class Seat:
    """A row: a tenant and the user's role in it."""

    id: UUID
    slug: str
    name: str
    status: Status
    plan: str
    settings: Mapping[str, Any]
    cell: str
    role: str

    @property
    def tenant(self) -> Tenant:
        """The tenant of the row."""
        return Tenant(self.id, self.slug, self.name, self.status, self.plan, self.settings, self.cell)


def find(connection: Connection, issuer: str, subject: str) -> Account | None:
    """Return the person that an issuer calls by `subject`, deleted ones too."""
    with connection.cursor(row_factory=class_row(Account)) as cursor:
        return cursor.execute(_FIND, {"issuer": issuer, "subject": subject}).fetchone()


def add(connection: Connection, user_id: UUID, claims: Claims) -> None:
    """Add a user, unless another request has just done so: then it is waited for, and nothing is added."""
    added = {"id": user_id, "issuer": claims.issuer, "subject": claims.subject}
    connection.execute(_ADD, {**added, "email": claims.email, "name": claims.name, "at": claims.at})


def tell(connection: Connection, account: Account, email: str, name: str, at: datetime | None) -> None:
    """Write what the issuer says; whoever was quicker since the account was read, is not overwritten."""
    said = {"id": account.id, "email": email, "name": name, "at": at, "seen": account.said_at}
    connection.execute(_TELL, said)


def change(connection: Connection, user_id: UUID, changes: Changes) -> User | None:
    """Change what a person says of themselves; their name is from now on theirs."""
    with connection.cursor(row_factory=class_row(User)) as cursor:
        return cursor.execute(_CHANGE, {"id": user_id, **asdict(changes)}).fetchone()


def active(connection: Connection, user_id: UUID, organization: str) -> str | None:
    """Return the slug of the tenant that an organization stands for, where the user belongs to it."""
    found = connection.execute(_ACTIVE, {"user": user_id, "organization": organization}).fetchone()
    return found[0] if found else None


def seat(connection: Connection, user_id: UUID, *, slug: str | None, tenant_id: UUID | None) -> Seat | None:
    """Return the user's seat in a living tenant, by its slug or id."""
    with connection.cursor(row_factory=class_row(Seat)) as cursor:
        return cursor.execute(_ONE, {"user": user_id, "slug": slug, "id": tenant_id}).fetchone()


def seats(connection: Connection, user_id: UUID) -> list[Seat]:
    """Return the user's seats in living tenants, by slug."""
    with connection.cursor(row_factory=class_row(Seat)) as cursor:
        return cursor.execute(_ALL, {"user": user_id}).fetchall()
