"""API keys: what a machine signs in with, what it may do, and for how long. How they read is in `bearer`."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args
from uuid import UUID

from socialflow.errors import Conflict, FieldError, Forbidden, Invalid, Unauthenticated
from socialflow.identity.model import permissions_of

Scope = Literal[
    "media:read",
    "media:write",
    "media:delete",
    "review:decide",
    "publishing:read",
    "publishing:write",
    "publishing:delete",
    "ai:use",
    "team:read",
    "settings:read",
    "billing:read",
]
"""What a key may be given. Not: to manage the team, the billing or the settings, where keys are made and accounts
connected; and not to approve posts, as an approval is a person's consent."""
SCOPES: frozenset[str] = frozenset(get_args(Scope))

State = Literal["active", "expired", "revoked", "orphaned"]

DEFAULT_DAYS = 90
MOST_DAYS = 365
SEEN = timedelta(minutes=1)
"""How exactly it is known when a key was last used: each request would otherwise write."""


class ApiKeyInvalid(Unauthenticated):
    """No key reads like this; nobody is told which part of it is wrong."""

    code, title = "api-key-invalid", "The API key is not valid"


class ApiKeyExpired(Unauthenticated):
    """The key's time is over."""

    code, title = "api-key-expired", "The API key has expired"


class ApiKeyRevoked(Unauthenticated):
    """Somebody has revoked the key."""

    code, title = "api-key-revoked", "The API key was revoked"


class ApiKeyOrphaned(Unauthenticated):
    """Whoever made the key is no member any more, and it may do nothing that they may not."""

    code, title = "api-key-orphaned", "The maker of the API key has left"


class PeopleOnly(Forbidden):
    """The route is about a person; a key is none."""

    code, title = "people-only", "This is for people"


class ScopeNotGrantable(Invalid):
    """A key may not have the scope, or its maker does not have it to give."""

    code, title = "scope-not-grantable", "A key cannot be given that"


class ApiKeyAlreadyMade(Conflict):
    """The request was done before, and its answer is not kept."""

    code, title = "api-key-already-made", "The API key was made already"


@dataclass(frozen=True)
class ApiKey:
    """A key as its tenant sees it. `maker_role` is None where its maker is no member any more."""

    id: UUID
    prefix: str
    name: str
    scopes: Sequence[str]
    created_by: UUID
    created_by_name: str
    maker_role: str | None
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None

    def state(self, at: datetime) -> State:
        """Say whether the key works at a time, and why not."""
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at <= at:
            return "expired"
        return "orphaned" if self.maker_role is None else "active"

    @property
    def permissions(self) -> frozenset[str]:
        """What it may do now: never more than its maker's role, as that is today."""
        return frozenset(self.scopes) & SCOPES & permissions_of(self.maker_role or "")

    def check(self, at: datetime) -> None:
        """Refuse a key that does not work any more, with the reason: its holder has proved to have it."""
        match self.state(at):
            case "revoked":
                raise ApiKeyRevoked("Ask an admin of the tenant for another key.")
            case "expired":
                raise ApiKeyExpired("A key lasts for a time. Ask an admin of the tenant for a new one.")
            case "orphaned":
                raise ApiKeyOrphaned("Whoever made this key has left the tenant. Ask an admin for a new one.")


def checked_scopes(wanted: Sequence[str], own: Collection[str]) -> list[str]:
    """Return scopes that a maker with `own` permissions may give a key, each once; raises `ScopeNotGrantable`."""
    errors = [error for index, scope in enumerate(wanted) if (error := _unfit(index, scope, own))]
    if errors or not wanted:
        raise ScopeNotGrantable("Leave out the scopes that `errors` names; give a key at least one.", errors=errors)
    return sorted(set(wanted))


def checked_days(days: int) -> timedelta:
    """Return how long a key lasts; raises `Invalid`."""
    if not 1 <= days <= MOST_DAYS:
        detail = f"A key lasts from 1 to {MOST_DAYS} days."
        raise Invalid(detail, errors=[FieldError("/expires_in_days", "out-of-range", detail)])
    return timedelta(days=days)


def _unfit(index: int, scope: str, own: Collection[str]) -> FieldError | None:
    if scope not in SCOPES:
        return FieldError(f"/scopes/{index}", "not-for-keys", "No key may have it.")
    if scope not in own:
        return FieldError(f"/scopes/{index}", "not-yours", "You do not have it, so your key cannot.")
    return None
