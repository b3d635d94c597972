"""What Clerk says in a webhook, read into statements; its names of roles, and ours.

Messages come in any order, and more than once. A statement therefore carries when Clerk said it: the object's own
`updated_at`, and for what is gone the event's `timestamp` (an object that is deleted is not updated by that).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from socialflow.errors import Invalid
from socialflow.identity.model import LONGEST_TEXT, NAME_LENGTH, Role, plain

_ROLES: Mapping[str, Role] = {
    "owner": "owner",
    "admin": "admin",
    "member": "editor",
    "basic_member": "editor",  # how Clerk once called it
    "editor": "editor",
    "viewer": "viewer",
}
_LEAST: Role = "viewer"
# Seconds and milliseconds cannot be mistaken for each other between the years 1973 and 5138.
_MILLISECONDS_FROM = 10**11


class Unreadable(Invalid):
    """A message is signed, and not of a shape that we know."""

    code, title = "webhook-unreadable", "The message cannot be read"


@dataclass(frozen=True)
class PersonSaid:
    """Who somebody is."""

    subject: str
    email: str
    name: str
    at: datetime


@dataclass(frozen=True)
class PersonGone:
    """Somebody's account is deleted, for ever: Clerk gives no id twice."""

    subject: str
    at: datetime


@dataclass(frozen=True)
class MembershipSaid:
    """Somebody's role in an organization, in Clerk's words; empty: they have left."""

    organization: str
    subject: str
    role: str
    name: str
    at: datetime

    @property
    def order(self) -> tuple[datetime, bool, str]:
        """Which of two statements is the later; of two of one moment, leaving is."""
        return order(self.at, self.role)


@dataclass(frozen=True)
class OrganizationGone:
    """An organization is deleted, for ever."""

    organization: str
    at: datetime


Statement = PersonSaid | PersonGone | MembershipSaid | OrganizationGone


def order(at: datetime, role: str) -> tuple[datetime, bool, str]:
    """Return by what statements about one membership are ordered: wholly, so that any order of arrival ends alike."""
    return at, not role, role


def role_of(clerk_role: str) -> Role:
    """Return our role for one of Clerk's; one that we do not know may only look."""
    return _ROLES.get(clerk_role.removeprefix("org:"), _LEAST)


def is_known(clerk_role: str) -> bool:
    """Tell whether a role of Clerk's has one of ours."""
    return clerk_role.removeprefix("org:") in _ROLES


def event_of(raw: bytes) -> Mapping[str, Any]:
    """Return a verified body's event; raises `Unreadable`.

    It holds what people write into their metadata too. Nothing of that is read, so that nobody can write what keeps
    their own events from being taken.
    """
    try:
        event = json.loads(raw)
    except (ValueError, RecursionError):
        raise Unreadable("The body is not JSON.") from None
    if not isinstance(event, dict):
        raise Unreadable("An event is a JSON object.")
    return event


def read(event: Mapping[str, Any]) -> Statement | None:
    """Return what an event states, None where it is nothing to us; raises `Unreadable`."""
    kind = event.get("type")
    if not isinstance(kind, str):
        raise Unreadable("An event has a type.")
    reader = _READERS.get(kind)
    return reader(_object(event, "data"), event) if reader else None


def _person(data: Mapping[str, Any], event: Mapping[str, Any]) -> PersonSaid:
    return PersonSaid(_id(data, "id"), _address(data), _name(data), _moment(data.get("updated_at"), event))


def _person_gone(data: Mapping[str, Any], event: Mapping[str, Any]) -> PersonGone:
    return PersonGone(_id(data, "id"), _moment(event.get("timestamp"), data))


def _membership(data: Mapping[str, Any], event: Mapping[str, Any]) -> MembershipSaid:
    person = _object(data, "public_user_data")
    return MembershipSaid(
        organization=_id(_object(data, "organization"), "id"),
        subject=_id(person, "user_id"),
        role=_id(data, "role"),
        name=_name(person),
        at=_moment(data.get("updated_at"), event),
    )


def _membership_gone(data: Mapping[str, Any], event: Mapping[str, Any]) -> MembershipSaid:
    return MembershipSaid(
        organization=_id(_object(data, "organization"), "id"),
        subject=_id(_object(data, "public_user_data"), "user_id"),
        role="",
        name="",
        at=_moment(event.get("timestamp"), data),
    )


def _organization_gone(data: Mapping[str, Any], event: Mapping[str, Any]) -> OrganizationGone:
    return OrganizationGone(_id(data, "id"), _moment(event.get("timestamp"), data))


# An organization's name and slug are not taken over: the tenant has its own, and the slug never changes.
_READERS: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], Statement]] = {
    "user.created": _person,
    "user.updated": _person,
    "user.deleted": _person_gone,
    "organizationMembership.created": _membership,
    "organizationMembership.updated": _membership,
    "organizationMembership.deleted": _membership_gone,
    "organization.deleted": _organization_gone,
}


def _object(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = parent.get(name)
    if not isinstance(found, dict):
        raise Unreadable(f"The event has no {name}.")
    return found


def _id(parent: Mapping[str, Any], name: str) -> str:
    found = parent.get(name)
    if not isinstance(found, str) or not 1 <= len(found) <= LONGEST_TEXT or not found.isprintable():
        raise Unreadable(f"The event's {name} cannot be used.")
    return found


def _name(person: Mapping[str, Any]) -> str:
    return " ".join(part for part in (plain(person.get("first_name")), plain(person.get("last_name"))) if part)[
        :NAME_LENGTH
    ]


def _address(person: Mapping[str, Any]) -> str:
    """Return the primary address, where Clerk has verified it: any other is anybody's."""
    addresses = person.get("email_addresses")
    for each in addresses if isinstance(addresses, list) else ():
        if isinstance(each, dict) and each.get("id") == person.get("primary_email_address_id"):
            verification = each.get("verification")
            verified = isinstance(verification, dict) and verification.get("status") == "verified"
            return plain(each.get("email_address")) if verified else ""
    return ""


def _moment(said: object, otherwise: Mapping[str, Any]) -> datetime:
    """Return the moment of a statement; where its own is not said, what the rest of the event says."""
    found = next(
        (each for each in (said, otherwise.get("timestamp"), otherwise.get("updated_at")) if _is_time(each)), 0
    )
    if not isinstance(found, int) or found <= 0:
        raise Unreadable("The event does not say when it was.")
    return datetime.fromtimestamp(found / 1000 if found >= _MILLISECONDS_FROM else found, UTC)


def _is_time(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 253_402_300_800_000
