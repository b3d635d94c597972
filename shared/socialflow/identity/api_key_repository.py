"""API keys in the registry. Every statement but the one that finds a presented key names the tenant."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row

from socialflow.identity.api_keys import SEEN, ApiKey
from socialflow.identity.bearer import Minted, Presented
from socialflow.platform.database import Connection
from socialflow.platform.tenancy import Status, Tenant

_COLUMNS = """k.id, k.prefix, k.name, k.scopes, k.created_by, coalesce(u.name, '') AS created_by_name,
       CASE WHEN u.deleted_at IS NULL THEN m.role END AS maker_role,
       k.created_at, k.expires_at, k.last_used_at, k.revoked_at"""
_JOINED = """
  FROM control.api_keys k
  LEFT JOIN control.members m ON m.tenant_id = k.tenant_id AND m.user_id = k.created_by
  LEFT JOIN control.users u ON u.id = k.created_by
"""
_PRESENTED = (
    f"SELECT {_COLUMNS}, k.secret_sha256, t.id AS tenant_id, t.slug, t.name AS tenant_name, t.status, t.plan,"
    " t.settings, t.cell" + _JOINED + " JOIN control.tenants t ON t.id = k.tenant_id WHERE k.prefix = %(prefix)s"
)
_ONE = f"SELECT {_COLUMNS}{_JOINED} WHERE k.tenant_id = %(tenant)s AND k.id = %(id)s"
_PAGE = f"""SELECT {_COLUMNS}{_JOINED} WHERE k.tenant_id = %(tenant)s
   AND (%(at)s::timestamptz IS NULL OR (k.created_at, k.id) < (%(at)s, %(id)s))
 ORDER BY k.created_at DESC, k.id DESC LIMIT %(limit)s"""
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('api-keys:' || %(tenant)s::text, 0))"
_ASKED = """
SELECT id, request_sha256 AS sha256 FROM control.api_keys
 WHERE tenant_id = %(tenant)s AND created_by = %(by)s AND request_key = %(key)s
"""
_WORKING = """
SELECT count(*) FROM control.api_keys WHERE tenant_id = %(tenant)s AND revoked_at IS NULL AND expires_at > %(at)s
"""
_ADD = """
INSERT INTO control.api_keys (id, tenant_id, prefix, secret_sha256, name, scopes, created_by, created_at, expires_at,
                              request_key, request_sha256)
VALUES (%(id)s, %(tenant)s, %(prefix)s, %(sha256)s, %(name)s, %(scopes)s, %(by)s, %(at)s, %(expires_at)s,
        %(request_key)s, %(request_sha256)s)
"""
# Whoever finds the row locked leaves it: another request of the same moment writes the same.
_USED = """
UPDATE control.api_keys SET last_used_at = %(at)s WHERE id = (
    SELECT id FROM control.api_keys WHERE id = %(id)s AND (last_used_at IS NULL OR last_used_at < %(before)s)
       FOR NO KEY UPDATE SKIP LOCKED)
"""
_REVOKE = """
UPDATE control.api_keys SET revoked_at = %(at)s, revoked_by = %(by)s
 WHERE tenant_id = %(tenant)s AND id = %(id)s AND revoked_at IS NULL
"""


@dataclass(frozen=True)
class Found(ApiKey):
    """A row found by a presented key, with its tenant."""

    secret_sha256: bytes
    tenant_id: UUID
    slug: str
    tenant_name: str
    status: Status
    plan: str
    settings: Mapping[str, Any]
    cell: str

    @property
    def tenant(self) -> Tenant:
        """The tenant of the key."""
        return Tenant(self.tenant_id, self.slug, self.tenant_name, self.status, self.plan, self.settings, self.cell)


@dataclass(frozen=True)
class Asked:
    """A key that a request has made before, and the digest of that request."""

    id: UUID
    sha256: bytes


def find(connection: Connection, key: Presented) -> Found | None:
    """Return the row that a presented key names; nothing is proved by that."""
    with connection.cursor(row_factory=class_row(Found)) as cursor:
        return cursor.execute(_PRESENTED, {"prefix": key.prefix}).fetchone()


def get(connection: Connection, tenant_id: UUID, key_id: UUID) -> ApiKey | None:
    """Return a tenant's key."""
    with connection.cursor(row_factory=class_row(ApiKey)) as cursor:
        return cursor.execute(_ONE, {"tenant": tenant_id, "id": key_id}).fetchone()


def page(
    connection: Connection, tenant_id: UUID, *, at: datetime | None, key_id: UUID | None, limit: int
) -> list[ApiKey]:
    """Return a tenant's keys that follow a position, the newest first."""
    with connection.cursor(row_factory=class_row(ApiKey)) as cursor:
        return cursor.execute(_PAGE, {"tenant": tenant_id, "at": at, "id": key_id, "limit": limit}).fetchall()


def lock(connection: Connection, tenant_id: UUID) -> None:
    """Let makers of a tenant's keys take turns, so that they can be counted."""
    connection.execute(_LOCK, {"tenant": tenant_id})


def asked_before(connection: Connection, tenant_id: UUID, by: UUID, key: str) -> Asked | None:
    """Return what a request with this idempotency key has made."""
    with connection.cursor(row_factory=class_row(Asked)) as cursor:
        return cursor.execute(_ASKED, {"tenant": tenant_id, "by": by, "key": key}).fetchone()


def count_working(connection: Connection, tenant_id: UUID, at: datetime) -> int:
    """Return how many of a tenant's keys are neither revoked nor expired."""
    row = connection.execute(_WORKING, {"tenant": tenant_id, "at": at}).fetchone()
    assert row is not None
    return int(row[0])


def add(
    connection: Connection, tenant_id: UUID, key: ApiKey, minted: Minted, request: tuple[str, bytes] | None
) -> None:
    """Insert a key, and which request it answers."""
    values = {"id": key.id, "tenant": tenant_id, "prefix": minted.prefix, "sha256": minted.sha256, "name": key.name}
    values |= {"scopes": list(key.scopes), "by": key.created_by, "at": key.created_at, "expires_at": key.expires_at}
    asked, sha256 = request or (None, None)
    connection.execute(_ADD, {**values, "request_key": asked, "request_sha256": sha256})


def note_use(connection: Connection, key_id: UUID, at: datetime) -> None:
    """Note that a key was used, unless that was noted a moment ago."""
    connection.execute(_USED, {"id": key_id, "at": at, "before": at - SEEN})


def revoke(connection: Connection, tenant_id: UUID, key_id: UUID, *, by: UUID, at: datetime) -> bool:
    """Revoke a tenant's key; False where there is none that could be."""
    query = {"tenant": tenant_id, "id": key_id, "by": by, "at": at}
    return connection.execute(_REVOKE, query).rowcount == 1
