"""People and memberships in the registry."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg.rows import class_row

from socialflow.identity.model import Claims
from socialflow.platform.caller import User
from socialflow.platform.database import Connection
from socialflow.platform.tenancy import Status, Tenant

_FIND = "SELECT id, email, name FROM control.users WHERE issuer = %(issuer)s AND subject = %(subject)s"
_ADD = """
INSERT INTO control.users (id, issuer, subject, email, name)
VALUES (%(id)s, %(issuer)s, %(subject)s, %(email)s, %(name)s)
ON CONFLICT ON CONSTRAINT users_one_per_subject DO NOTHING
"""
_RENAME = "UPDATE control.users SET name = %(name)s WHERE id = %(id)s RETURNING id, email, name"
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


def find(connection: Connection, issuer: str, subject: str) -> User | None:
    """Return the user that an issuer calls by `subject`."""
    with connection.cursor(row_factory=class_row(User)) as cursor:
        return cursor.execute(_FIND, {"issuer": issuer, "subject": subject}).fetchone()


def add(connection: Connection, user_id: UUID, claims: Claims) -> None:
    """Add a user, unless another request has just done so: then it is waited for, and nothing is added."""
    added = {"id": user_id, "issuer": claims.issuer, "subject": claims.subject}
    connection.execute(_ADD, {**added, "email": claims.email, "name": claims.name})


def rename(connection: Connection, user_id: UUID, name: str) -> User | None:
    """Change a user's name."""
    with connection.cursor(row_factory=class_row(User)) as cursor:
        return cursor.execute(_RENAME, {"id": user_id, "name": name}).fetchone()


def seat(connection: Connection, user_id: UUID, *, slug: str | None, tenant_id: UUID | None) -> Seat | None:
    """Return the user's seat in a living tenant, by its slug or id."""
    with connection.cursor(row_factory=class_row(Seat)) as cursor:
        return cursor.execute(_ONE, {"user": user_id, "slug": slug, "id": tenant_id}).fetchone()


def seats(connection: Connection, user_id: UUID) -> list[Seat]:
    """Return the user's seats in living tenants, by slug."""
    with connection.cursor(row_factory=class_row(Seat)) as cursor:
        return cursor.execute(_ALL, {"user": user_id}).fetchall()
