"""Making, showing and revoking API keys, and entering a tenant with one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from socialflow.entitlements import model as entitlements
from socialflow.errors import NotFound
from socialflow.identity import api_key_repository as repository
from socialflow.identity.api_key_repository import Found
from socialflow.identity.api_keys import (
    DEFAULT_DAYS,
    SEEN,
    ApiKey,
    ApiKeyAlreadyMade,
    ApiKeyInvalid,
    PeopleOnly,
    checked_days,
    checked_scopes,
)
from socialflow.identity.bearer import Presented, mint
from socialflow.identity.model import NOT_A_MEMBER, NotAMember, checked_name
from socialflow.platform.caller import Membership, User
from socialflow.platform.database import Connection
from socialflow.platform.idempotency import Claim, IdempotencyKeyReused
from socialflow.platform.ids import new_id


class After(Protocol):
    """The last key of the page before."""

    @property
    def at(self) -> datetime:
        """When it was made."""

    @property
    def id(self) -> UUID:
        """Its id."""


@dataclass(frozen=True)
class Wish:
    """A key to be made; `claim` is the request's idempotency key."""

    name: str
    scopes: tuple[str, ...]
    days: int = DEFAULT_DAYS
    claim: Claim | None = None


def identify(connection: Connection, key: Presented, *, at: datetime) -> Found:
    """Return the row of a key that works; raises `ApiKeyInvalid`, and the reason only to who has proved to hold it."""
    found = repository.find(connection, key)
    if not key.proves(bytes(found.secret_sha256) if found else None) or found is None:
        raise ApiKeyInvalid("Send the key as it was shown when it was made, or ask an admin for another.")
    found.check(at)
    return found


def enter(connection: Connection, key: Presented, tenant: str, *, at: datetime) -> Membership:
    """Return a key's membership of its tenant. A tenant that the request names must be that one.

    Another tenant, one that does not exist and one that was deleted are refused alike, as they are to a stranger.
    """
    found = identify(connection, key, at=at)
    named = tenant in ("", found.slug) or tenant.lower() == str(found.tenant_id)
    if not named or found.status == "deleted":
        raise NotAMember(NOT_A_MEMBER)
    if found.last_used_at is None or found.last_used_at < at - SEEN:
        repository.note_use(connection, found.id, at)
    user = User(found.id, "", found.name, "key")
    return Membership(user, found.tenant, found.maker_role or "", found.permissions)


def create(connection: Connection, member: Membership, wish: Wish, *, at: datetime) -> tuple[ApiKey, str]:
    """Make a key; return it and its text, which is shown this once and kept nowhere.

    Repeated with the same idempotency key it makes none and raises `ApiKeyAlreadyMade`: the secret is gone.
    """
    if member.user.kind != "person":
        raise PeopleOnly("A key makes no keys. Sign in as a person.")
    name, lasts = checked_name(wish.name), checked_days(wish.days)
    scopes = checked_scopes(wish.scopes, member.permissions)
    tenant_id, by = member.tenant.id, member.user
    repository.lock(connection, tenant_id)
    _check_not_made(connection, tenant_id, by.id, wish.claim)
    used = repository.count_working(connection, tenant_id, at)
    entitlements.check(member.tenant.plan, "api", used=used)
    minted = mint()
    key = ApiKey(new_id(), minted.prefix, name, scopes, by.id, by.name, member.role, at, at + lasts, None, None)
    claim = (wish.claim.key, wish.claim.sha256) if wish.claim else None
    repository.add(connection, tenant_id, key, minted, claim)
    return key, minted.text


def get(connection: Connection, tenant_id: UUID, key_id: UUID) -> ApiKey:
    """Return a tenant's key; raises `NotFound`."""
    found = repository.get(connection, tenant_id, key_id)
    if found is None:
        raise NotFound("There is no such API key in this tenant.")
    return found


def page(connection: Connection, tenant_id: UUID, *, after: After | None, limit: int) -> list[ApiKey]:
    """Return a page of a tenant's keys, the newest first, those that work no more among them."""
    at, key_id = (after.at, after.id) if after else (None, None)
    return repository.page(connection, tenant_id, at=at, key_id=key_id, limit=limit)


def revoke(connection: Connection, tenant_id: UUID, key_id: UUID, *, by: UUID, at: datetime) -> bool:
    """Revoke a key: its next request is refused. False where that was done before; raises `NotFound`."""
    get(connection, tenant_id, key_id)
    return repository.revoke(connection, tenant_id, key_id, by=by, at=at)


def _check_not_made(connection: Connection, tenant_id: UUID, by: UUID, claim: Claim | None) -> None:
    made = repository.asked_before(connection, tenant_id, by, claim.key) if claim else None
    if made is None or claim is None:
        return
    if bytes(made.sha256) != claim.sha256:
        raise IdempotencyKeyReused("Use a new key for a new request, or repeat the first one unchanged.")
    raise ApiKeyAlreadyMade(
        "The key was made, and its secret was shown in the first answer only. Did that not arrive? Revoke this key "
        "and make another, with a new Idempotency-Key.",
        id=str(made.id),
    )
