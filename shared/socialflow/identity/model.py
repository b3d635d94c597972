"""Roles and what each may do; whom a token names; the refusals of both."""

from dataclasses import dataclass
from typing import Literal, get_args

from socialflow.errors import FieldError, Forbidden, Invalid, Unauthenticated, Unavailable

Role = Literal["owner", "admin", "editor", "viewer"]
Permission = Literal[
    "media:read",
    "media:write",
    "media:delete",
    "review:decide",
    "publishing:read",
    "publishing:write",
    "publishing:delete",
    "posts:approve",
    "ai:use",
    "team:read",
    "team:invite",
    "team:manage",
    "billing:read",
    "billing:manage",
    "settings:read",
    "settings:manage",
]

ROLES: frozenset[str] = frozenset(get_args(Role))
PERMISSIONS: frozenset[str] = frozenset(get_args(Permission))

_VIEWER: frozenset[Permission] = frozenset({"media:read", "publishing:read", "team:read"})
_EDITOR: frozenset[Permission] = _VIEWER | {"media:write", "publishing:write", "ai:use", "review:decide"}
_ADMIN: frozenset[Permission] = _EDITOR | {
    "media:delete",
    "publishing:delete",
    "posts:approve",
    "team:invite",
    "settings:read",
    "settings:manage",
}
_OWNER: frozenset[Permission] = _ADMIN | {"team:manage", "billing:read", "billing:manage"}

_GRANTED: dict[str, frozenset[Permission]] = {"owner": _OWNER, "admin": _ADMIN, "editor": _EDITOR, "viewer": _VIEWER}

NAME_LENGTH = 200

ALGORITHM = "RS256"
"""How tokens are signed; nothing else is believed."""


@dataclass(frozen=True)
class Claims:
    """Whom a verified token names. `email` and `name` are the issuer's, for display only."""

    issuer: str
    subject: str
    email: str
    name: str


class TokenMissing(Unauthenticated):
    """No bearer token came with the request."""

    code, title = "token-missing", "Sign in first"


class TokenExpired(Unauthenticated):
    """The token's time is over."""

    code, title = "token-expired", "Your sign-in has expired"


class TokenInvalid(Unauthenticated):
    """The token is not one that we believe."""

    code, title = "token-invalid", "The token is not valid"


class IssuerUnreachable(Unavailable):
    """The issuer's keys cannot be had, and none are kept."""

    code, title = "issuer-unreachable", "Sign-in cannot be checked now"


class NotAMember(Forbidden):
    """The caller does not belong to the tenant, or there is no such tenant: nobody outside can tell which."""

    code, title = "not-a-member", "You do not belong to this tenant"


def permissions_of(role: str) -> frozenset[str]:
    """Return what a role may do; an unknown role may do nothing."""
    return frozenset(_GRANTED.get(role, frozenset()))


def checked_name(name: str) -> str:
    """Return a person's name, trimmed; raises `Invalid` for an empty, endless or unprintable one."""
    trimmed = name.strip()
    if 1 <= len(trimmed) <= NAME_LENGTH and trimmed.isprintable():
        return trimmed
    detail = f"A name has 1 to {NAME_LENGTH} characters, all of them printable."
    raise Invalid(detail, errors=[FieldError("/name", "name-invalid", detail)])
