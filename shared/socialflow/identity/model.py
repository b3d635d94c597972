"""Roles and what each may do; whom a token names; the refusals of both."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

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
LONGEST_TEXT = 255
"""Characters that are kept of an issuer's text, and that its names of people and organizations have at most."""

ALGORITHM = "RS256"
"""How tokens are signed; nothing else is believed."""


_LOCALE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")


@dataclass(frozen=True)
class Claims:
    """Whom a verified token names. `email` and `name` are the issuer's, for display only; `at` is when it said so."""

    issuer: str
    subject: str
    email: str
    name: str
    at: datetime | None = None
    organization: str = ""


@dataclass(frozen=True)
class Account:
    """A person as the registry has them; `said_at` is when the issuer said what stands here."""

    id: UUID
    email: str
    name: str
    locale: str
    time_zone: str
    name_chosen: bool
    said_at: datetime | None
    deleted_at: datetime | None

    def told(self, email: str, name: str, at: datetime | None) -> tuple[str, str]:
        """Return email and name after the issuer's word of a moment.

        What is older than what stands here fills a gap at the most; nothing erases; a name that the person chose stays.
        """
        newer = at is not None and (self.said_at is None or at >= self.said_at)
        told_email = email if email and (newer or not self.email) else self.email
        told_name = name if name and not self.name_chosen and (newer or not self.name) else self.name
        return told_email, told_name


@dataclass(frozen=True)
class Changes:
    """What a person changes of their own account; None stays."""

    name: str | None = None
    locale: str | None = None
    time_zone: str | None = None

    def checked(self) -> "Changes":
        """Return them fit to be kept; raises `Invalid`."""
        name = None if self.name is None else checked_name(self.name)
        if name is None and self.locale is None and self.time_zone is None:
            detail = "Send what is to change: name, locale or time_zone."
            raise Invalid(detail, errors=[FieldError("/name", "missing", detail)])
        if self.locale and not _LOCALE.fullmatch(self.locale):
            detail = "A locale is a language, and where it matters a script and a region: de, pt-BR, zh-Hant-TW."
            raise Invalid(detail, errors=[FieldError("/locale", "locale-invalid", detail)])
        if self.time_zone and not _is_zone(self.time_zone):
            detail = "A time zone is an IANA name such as Europe/Berlin."
            raise Invalid(detail, errors=[FieldError("/time_zone", "unknown-zone", detail)])
        return Changes(name, self.locale, self.time_zone)


class TokenMissing(Unauthenticated):
    """No bearer token came with the request."""

    code, title = "token-missing", "Sign in first"


class TokenExpired(Unauthenticated):
    """The token's time is over."""

    code, title = "token-expired", "Your sign-in has expired"


class TokenInvalid(Unauthenticated):
    """The token is not one that we believe."""

    code, title = "token-invalid", "The token is not valid"


class SessionPending(Unauthenticated):
    """The sign-in lacks a step that the issuer demands."""

    code, title = "session-pending", "Your sign-in is not finished"


class AccountDeleted(Unauthenticated):
    """The issuer has deleted the person; their last tokens live a little longer."""

    code, title = "account-deleted", "The account was deleted"


class IssuerUnreachable(Unavailable):
    """The issuer's keys cannot be had, and none are kept."""

    code, title = "issuer-unreachable", "Sign-in cannot be checked now"


class NotAMember(Forbidden):
    """The caller does not belong to the tenant, or there is no such tenant: nobody outside can tell which."""

    code, title = "not-a-member", "You do not belong to this tenant"


NOT_A_MEMBER = "Choose a tenant from GET /v1/me, or ask its owner to invite you."
"""What `NotAMember` says, to a key as to a person."""


def permissions_of(role: str) -> frozenset[str]:
    """Return what a role may do; an unknown role may do nothing."""
    return frozenset(_GRANTED.get(role, frozenset()))


def plain(claim: object) -> str:
    """Return an issuer's text so that it can be kept and shown; what is no text is none."""
    if not isinstance(claim, str):
        return ""
    return "".join(each for each in claim if each.isprintable()).strip()[:LONGEST_TEXT]


def checked_name(name: str) -> str:
    """Return a person's name, trimmed; raises `Invalid` for an empty, endless or unprintable one."""
    trimmed = name.strip()
    if 1 <= len(trimmed) <= NAME_LENGTH and trimmed.isprintable():
        return trimmed
    detail = f"A name has 1 to {NAME_LENGTH} characters, all of them printable."
    raise Invalid(detail, errors=[FieldError("/name", "name-invalid", detail)])


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
