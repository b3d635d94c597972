"""Support access: an operator looks into a tenant as its viewers see it, for some hours and a reason.

Its people see who may and may end it at once; with the setting `support_access: refused` nobody may.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from socialflow.errors import FieldError, Forbidden, Invalid, Unauthenticated
from socialflow.identity.model import permissions_of

State = Literal["active", "expired", "ended"]

MOST_HOURS = 8
REASON_LENGTH = 500
ROLE = "viewer"
SETTING = "support_access"


class SupportInvalid(Unauthenticated):
    """No credential of our support's reads like this."""

    code, title = "support-invalid", "The support credential is not valid"


class SupportExpired(Unauthenticated):
    """The hours of the support access are over."""

    code, title = "support-expired", "The support access has expired"


class SupportEnded(Unauthenticated):
    """Somebody has ended the support access."""

    code, title = "support-ended", "The support access was ended"


class SupportRefused(Forbidden):
    """The tenant's people let nobody look in."""

    code, title = "support-refused", "The tenant refuses support access"


class SupportOnlyLooks(Forbidden):
    """Our support looks, and takes nothing along."""

    code, title = "support-only-looks", "Support access does not reach so far"


class UnusableGrant(Invalid):
    """Support access without a reason, or for too long."""

    code, title = "unusable-grant", "Support access cannot be given like this"


@dataclass(frozen=True)
class Wanted:
    """What an operator asks for; nothing of it but the name is checked yet."""

    operator: str
    reason: object
    hours: object = 1


@dataclass(frozen=True)
class Grant:
    """An operator's access to a tenant."""

    id: UUID
    operator: str
    reason: str
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    requests: int
    last_used_at: datetime | None

    def state(self, at: datetime) -> State:
        """Say whether it works at a time, and why not."""
        if self.ended_at is not None:
            return "ended"
        return "expired" if self.expires_at <= at else "active"

    def check(self, at: datetime) -> None:
        """Refuse one that does not work any more, with the reason: its holder has proved to have it."""
        match self.state(at):
            case "ended":
                raise SupportEnded("It was ended, here or by the tenant's people. Ask them before you begin another.")
            case "expired":
                raise SupportExpired("Begin another, with its reason, if the tenant still needs you.")


PERMISSIONS = permissions_of(ROLE)
"""What an operator may do in a tenant: see what every member sees."""


def check_welcome(settings: Mapping[str, Any]) -> None:
    """Refuse where the tenant's people have said that nobody looks in."""
    if settings.get(SETTING) == "refused":
        raise SupportRefused(f"The tenant's people have set {SETTING} to refused. Ask an owner or an admin of theirs.")


def checked_reason(reason: object) -> str:
    """Return a reason that the tenant's people can read; raises `UnusableGrant`."""
    said = " ".join(reason.split()) if isinstance(reason, str) else ""
    if 1 <= len(said) <= REASON_LENGTH and said.isprintable():
        return said
    detail = f"Say why, in 1 to {REASON_LENGTH} characters: the tenant's people read it."
    raise UnusableGrant(detail, errors=[FieldError("/reason", "length", detail)])


def checked_hours(hours: object) -> timedelta:
    """Return how long it lasts; raises `UnusableGrant`."""
    if isinstance(hours, int) and not isinstance(hours, bool) and 1 <= hours <= MOST_HOURS:
        return timedelta(hours=hours)
    detail = f"Support access lasts from 1 to {MOST_HOURS} hours, in whole ones."
    raise UnusableGrant(detail, errors=[FieldError("/hours", "out-of-range", detail)])
