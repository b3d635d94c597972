"""Members and invitations in the registry."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, LiteralString, TypeVar
from uuid import UUID

from psycopg.rows import class_row

from socialflow.platform.database import Connection, Params
from socialflow.platform.tenancy import Status, Tenant
from socialflow.team.model import Invitation, TeamMember

T = TypeVar("T")

_LOCK = "SELECT control.lock_tenant(%s)"
_STANDING = """
SELECT id, slug, name, status, plan, settings, cell FROM control.tenants WHERE id = %s AND status <> 'deleted'
"""
_SLUG = "SELECT id FROM control.tenants WHERE slug = %s AND status <> 'deleted'"
_LOCK_USER = "SELECT FROM control.users WHERE id = %s AND deleted_at IS NULL FOR KEY SHARE"
_MEMBERS: LiteralString = """
SELECT m.user_id, u.email, u.name, m.role, m.created_at AS joined_at
  FROM control.members m JOIN control.users u ON u.id = m.user_id WHERE m.tenant_id = %(tenant)s
"""
_MEMBER = _MEMBERS + " AND m.user_id = %(user)s"
_BY_ADDRESS = _MEMBERS + " AND lower(u.email) = lower(%(email)s) LIMIT 1"
_PAGE_OF_MEMBERS: LiteralString = (
    _MEMBERS
    + """
   AND (%(at)s::timestamptz IS NULL OR (m.created_at, m.user_id) > (%(at)s, %(id)s))
 ORDER BY m.created_at, m.user_id LIMIT %(limit)s
"""
)
# Whom the issuer has deleted can act no more, and counts as nobody.
_OWNERS = """
SELECT count(*) FROM control.members m JOIN control.users u ON u.id = m.user_id AND u.deleted_at IS NULL
 WHERE m.tenant_id = %s AND m.role = 'owner'
"""
_JOIN = "INSERT INTO control.members (tenant_id, user_id, role) VALUES (%s, %s, %s)"
_PROMOTE = "UPDATE control.members SET role = %s WHERE tenant_id = %s AND user_id = %s"
_LEAVE = "DELETE FROM control.members WHERE tenant_id = %s AND user_id = %s"
_SEATS = """
SELECT (SELECT count(*) FROM control.members WHERE tenant_id = %(tenant)s) AS members,
       (SELECT count(*) FROM control.invitations WHERE tenant_id = %(tenant)s
           AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > %(at)s) AS invitations
"""
_COLUMNS: LiteralString = """
id, tenant_id, email, role, invited_by, round, asked_at, sent_at, expires_at, accepted_at, accepted_by, revoked_at,
created_at
"""
_FIND: LiteralString = f"SELECT {_COLUMNS} FROM control.invitations WHERE id = %(id)s"
_BY_TOKEN: LiteralString = f"SELECT {_COLUMNS} FROM control.invitations WHERE token_sha256 = %(hash)s"
_OPEN_TO: LiteralString = f"""
SELECT {_COLUMNS} FROM control.invitations WHERE tenant_id = %(tenant)s AND lower(email) = lower(%(email)s)
   AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > %(at)s LIMIT 1
"""
_PAGE: LiteralString = f"""
SELECT {_COLUMNS} FROM control.invitations
 WHERE tenant_id = %(tenant)s AND accepted_at IS NULL AND revoked_at IS NULL
   AND (%(at)s::timestamptz IS NULL OR (created_at, id) > (%(at)s, %(id)s))
 ORDER BY created_at, id LIMIT %(limit)s
"""
_MAILS = "SELECT coalesce(sum(round), 0) FROM control.invitations WHERE tenant_id = %s AND asked_at > %s"
_ADD: LiteralString = f"""
INSERT INTO control.invitations (id, tenant_id, email, role, invited_by, nonce, asked_at, expires_at, created_at)
VALUES (%(id)s, %(tenant)s, %(email)s, %(role)s, %(by)s, %(nonce)s, %(at)s, %(expires_at)s, %(at)s)
RETURNING {_COLUMNS}
"""
_AGAIN: LiteralString = f"""
UPDATE control.invitations SET round = round + 1, nonce = %(nonce)s, token_sha256 = NULL, sent_at = NULL,
       asked_at = %(at)s, expires_at = %(expires_at)s
 WHERE id = %(id)s RETURNING {_COLUMNS}
"""
_REVOKE = "UPDATE control.invitations SET revoked_at = %s, token_sha256 = NULL WHERE id = %s"
_REVOKE_BEYOND = """
UPDATE control.invitations SET revoked_at = %(at)s, token_sha256 = NULL
 WHERE tenant_id = %(tenant)s AND invited_by = %(by)s AND accepted_at IS NULL AND revoked_at IS NULL
   AND NOT role = ANY(%(within)s)
"""
_ACCEPT = "UPDATE control.invitations SET accepted_at = %s, accepted_by = %s WHERE id = %s AND accepted_at IS NULL"
_LETTER = """
SELECT i.id AS invitation_id, i.round, i.email, i.role, i.nonce, i.expires_at, t.name AS tenant_name,
       coalesce(nullif(u.name, ''), '') AS inviter
  FROM control.invitations i JOIN control.tenants t ON t.id = i.tenant_id
  LEFT JOIN control.users u ON u.id = i.invited_by
 WHERE i.id = %(id)s AND i.round = %(round)s AND i.sent_at IS NULL AND i.accepted_at IS NULL
   AND i.revoked_at IS NULL AND i.expires_at > %(at)s AND t.status = 'active' FOR NO KEY UPDATE OF i
"""
_KEEP_HASH = "UPDATE control.invitations SET token_sha256 = %s WHERE id = %s AND round = %s"
_SENT = "UPDATE control.invitations SET sent_at = %s WHERE id = %s AND round = %s AND sent_at IS NULL"


@dataclass(frozen=True)
class Standing:
    """A tenant's row."""

    id: UUID
    slug: str
    name: str
    status: Status
    plan: str
    settings: dict[str, Any]
    cell: str

    @property
    def tenant(self) -> Tenant:
        """The tenant."""
        return Tenant(self.id, self.slug, self.name, self.status, self.plan, self.settings, self.cell)


@dataclass(frozen=True)
class Taken:
    """The seats that are taken."""

    members: int
    invitations: int


@dataclass(frozen=True)
class Draft:
    """What a letter is made of; the nonce is no secret, and still leaves no log behind."""

    invitation_id: UUID
    round: int
    email: str
    role: str
    nonce: bytes
    expires_at: datetime
    tenant_name: str
    inviter: str


def lock_tenant(connection: Connection, tenant_id: UUID) -> Tenant | None:
    """Lock a tenant's row and return it as it is now: who belongs to it changes by one transaction at a time."""
    connection.execute(_LOCK, (tenant_id,))
    row = _one(connection, Standing, _STANDING, (tenant_id,))
    return row.tenant if row else None


def tenant_id(connection: Connection, slug: str) -> UUID | None:
    """Return the id of a living tenant."""
    row = connection.execute(_SLUG, (slug,)).fetchone()
    return row[0] if row else None


def lock_user(connection: Connection, user_id: UUID) -> bool:
    """Hold a person's row, before the tenant's: whoever deletes a person takes them in this order too."""
    return connection.execute(_LOCK_USER, (user_id,)).rowcount == 1


def member(connection: Connection, tenant: UUID, user_id: UUID) -> TeamMember | None:
    """Return a member."""
    return _one(connection, TeamMember, _MEMBER, {"tenant": tenant, "user": user_id})


def member_at(connection: Connection, tenant: UUID, email: str) -> TeamMember | None:
    """Return a member with that address."""
    return _one(connection, TeamMember, _BY_ADDRESS, {"tenant": tenant, "email": email})


def members(connection: Connection, tenant: UUID, after: tuple[datetime, UUID] | None, limit: int) -> list[TeamMember]:
    """Return members, those who joined first first."""
    at, user_id = after or (None, None)
    params = {"tenant": tenant, "at": at, "id": user_id, "limit": limit}
    with connection.cursor(row_factory=class_row(TeamMember)) as cursor:
        return cursor.execute(_PAGE_OF_MEMBERS, params).fetchall()


def owners(connection: Connection, tenant: UUID) -> int:
    """Return how many owners a tenant has."""
    return _number(connection, _OWNERS, (tenant,))


def join(connection: Connection, tenant: UUID, user_id: UUID, role: str) -> None:
    """Insert a membership."""
    connection.execute(_JOIN, (tenant, user_id, role))


def promote(connection: Connection, tenant: UUID, user_id: UUID, role: str) -> None:
    """Give a member another role."""
    connection.execute(_PROMOTE, (role, tenant, user_id))


def leave(connection: Connection, tenant: UUID, user_id: UUID) -> None:
    """Delete a membership."""
    connection.execute(_LEAVE, (tenant, user_id))


def taken(connection: Connection, tenant: UUID, at: datetime) -> Taken:
    """Count the seats that are taken."""
    found = _one(connection, Taken, _SEATS, {"tenant": tenant, "at": at})
    assert found is not None
    return found


def invitation(connection: Connection, invitation_id: UUID) -> Invitation | None:
    """Return an invitation of any tenant."""
    return _one(connection, Invitation, _FIND, {"id": invitation_id})


def invitation_by_token(connection: Connection, token_sha256: bytes) -> Invitation | None:
    """Return the invitation that a token belongs to."""
    return _one(connection, Invitation, _BY_TOKEN, {"hash": token_sha256})


def open_to(connection: Connection, tenant: UUID, email: str, at: datetime) -> Invitation | None:
    """Return the open invitation to an address."""
    return _one(connection, Invitation, _OPEN_TO, {"tenant": tenant, "email": email, "at": at})


def invitations(
    connection: Connection, tenant: UUID, after: tuple[datetime, UUID] | None, limit: int
) -> list[Invitation]:
    """Return invitations that were neither accepted nor revoked, the oldest first."""
    at, invitation_id = after or (None, None)
    params = {"tenant": tenant, "at": at, "id": invitation_id, "limit": limit}
    with connection.cursor(row_factory=class_row(Invitation)) as cursor:
        return cursor.execute(_PAGE, params).fetchall()


def mails(connection: Connection, tenant: UUID, *, since: datetime) -> int:
    """Return how many mails the tenant's invitations have asked for, at the most."""
    return _number(connection, _MAILS, (tenant, since))


def add(connection: Connection, *, at: datetime, ttl: timedelta, **row: object) -> Invitation:
    """Insert an invitation."""
    found = _one(connection, Invitation, _ADD, {**row, "at": at, "expires_at": at + ttl})
    assert found is not None
    return found


def ask_again(connection: Connection, invitation_id: UUID, *, nonce: bytes, at: datetime, ttl: timedelta) -> Invitation:
    """Begin the next round: the link of the one before is dead."""
    found = _one(
        connection, Invitation, _AGAIN, {"id": invitation_id, "nonce": nonce, "at": at, "expires_at": at + ttl}
    )
    assert found is not None
    return found


def revoke(connection: Connection, invitation_id: UUID, at: datetime) -> None:
    """Take an invitation back."""
    connection.execute(_REVOKE, (at, invitation_id))


def revoke_beyond(connection: Connection, tenant: UUID, *, by: UUID, within: Sequence[str], at: datetime) -> int:
    """Take back a person's open invitations to roles that they may not give (any more); return how many."""
    params = {"tenant": tenant, "by": by, "within": list(within), "at": at}
    return connection.execute(_REVOKE_BEYOND, params).rowcount


def accept(connection: Connection, invitation_id: UUID, user_id: UUID, at: datetime) -> bool:
    """Note who accepted; False where somebody has."""
    return connection.execute(_ACCEPT, (at, user_id, invitation_id)).rowcount == 1


def draft(connection: Connection, invitation_id: UUID, mail_round: int, at: datetime) -> Draft | None:
    """Return what is to be mailed, locked; None where it was sent, or is no longer to be."""
    return _one(connection, Draft, _LETTER, {"id": invitation_id, "round": mail_round, "at": at})


def keep_hash(connection: Connection, letter: Draft, token_sha256: bytes) -> None:
    """Keep what makes a token known again."""
    connection.execute(_KEEP_HASH, (token_sha256, letter.invitation_id, letter.round))


def sent(connection: Connection, invitation_id: UUID, mail_round: int, at: datetime) -> None:
    """Note that the mail of a round was sent."""
    connection.execute(_SENT, (at, invitation_id, mail_round))


def _one(connection: Connection, row: type[T], query: LiteralString, params: Params) -> T | None:
    with connection.cursor(row_factory=class_row(row)) as cursor:
        return cursor.execute(query, params).fetchone()


def _number(connection: Connection, query: LiteralString, params: Params) -> int:
    row = connection.execute(query, params).fetchone()
    return int(row[0]) if row else 0
