"""Giving, showing and ending support access, and entering a tenant with it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from socialflow.errors import NotFound
from socialflow.identity import support_repository as repository
from socialflow.identity.api_key_service import After
from socialflow.identity.bearer import Presented, mint
from socialflow.identity.events import SupportAccessEnded, SupportAccessGranted
from socialflow.identity.model import NOT_A_MEMBER, NotAMember
from socialflow.identity.support import (
    PERMISSIONS,
    ROLE,
    Grant,
    SupportEnded,
    SupportInvalid,
    Wanted,
    check_welcome,
    checked_hours,
    checked_reason,
)
from socialflow.identity.support_repository import Found
from socialflow.platform.announcing import tell
from socialflow.platform.caller import Membership, User
from socialflow.platform.database import Connection
from socialflow.platform.ids import new_id
from socialflow.platform.tenancy import Tenant

LONGEST_REQUEST = 500


def give(connection: Connection, tenant: Tenant, wanted: Wanted, *, at: datetime) -> tuple[Grant, str]:
    """Let an operator look into a tenant; return the grant and its credential, which is kept nowhere.

    As the owner of the database. Raises `UnusableGrant`, or `SupportRefused` where the tenant's people refuse.
    """
    reason, lasts = checked_reason(wanted.reason), checked_hours(wanted.hours)
    check_welcome(tenant.settings)
    minted = mint("sfs")
    grant = Grant(new_id(), wanted.operator, reason, at, at + lasts, None, None, 0, None)
    with connection.transaction():
        repository.add(connection, tenant.id, grant, minted)
        tell(
            connection,
            tenant,
            SupportAccessGranted(subject_id=tenant.id, grant_id=grant.id, expires_at=grant.expires_at),
        )
    return grant, minted.text


def end(connection: Connection, tenant: Tenant, grant_id: UUID, *, by: str, at: datetime) -> bool:
    """End support access: its next request is refused. False where it was over; raises `NotFound`."""
    with connection.transaction():
        if repository.get(connection, tenant.id, grant_id) is None:
            raise NotFound("There is no such support access to this tenant. GET /v1/support-access lists it.")
        ended = repository.end(connection, tenant.id, grant_id, by=by, at=at)
        if ended:
            tell(connection, tenant, SupportAccessEnded(subject_id=tenant.id, grant_id=grant_id))
    return ended


def page(connection: Connection, tenant_id: UUID, *, after: After | None, limit: int) -> list[Grant]:
    """Return a page of who looked, or may look, into a tenant, the newest first."""
    at, grant_id = (after.at, after.id) if after else (None, None)
    return repository.page(connection, tenant_id, at=at, grant_id=grant_id, limit=limit)


def open_ones(connection: Connection, slug: str | None, *, at: datetime) -> list[dict[str, Any]]:
    """Return the support access that works now, for operators."""
    return repository.open_ones(connection, slug, at)


def identify(connection: Connection, key: Presented, *, at: datetime) -> Found:
    """Return the grant of a credential that works; the reason why not is told only to who has proved to hold it."""
    found = repository.find(connection, key)
    if not key.proves(bytes(found.secret_sha256) if found else None) or found is None:
        raise SupportInvalid("Send the credential as it was shown when the access was given.")
    found.check(at)
    return found


def enter(connection: Connection, key: Presented, tenant: str, *, at: datetime) -> Membership:
    """Return an operator's place in the tenant of their credential; one that the request names must be that one."""
    found = identify(connection, key, at=at)
    named = tenant in ("", found.slug) or tenant.lower() == str(found.tenant_id)
    if not named or found.status == "deleted":
        raise NotAMember(NOT_A_MEMBER)
    check_welcome(found.settings)
    return Membership(User(found.id, "", found.operator, "operator"), found.tenant, ROLE, PERMISSIONS)


def note(connection: Connection, grant_id: UUID, request: str, *, at: datetime) -> None:
    """Note what an operator asks for, before it is answered; raises `SupportEnded` where it has just been ended."""
    if not repository.note(connection, grant_id, _plain(request), at):
        raise SupportEnded("It was ended just now, or its time is over.")


def _plain(request: str) -> str:
    """Return what PostgreSQL can keep of a request, and no more than anybody reads."""
    return request.encode("utf-8", "replace").decode("utf-8").replace("\0", "")[:LONGEST_REQUEST]
