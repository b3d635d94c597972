"""Members and invitations: what may happen to them, and the refusals."""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from socialflow.errors import Conflict, FieldError, Forbidden, Invalid, NotFound, TooManyRequests

Role = Literal["viewer", "editor", "admin", "owner"]
ROLES: tuple[Role, ...] = ("viewer", "editor", "admin", "owner")
"""From the least to the most."""
TTL = timedelta(days=7)
BETWEEN_MAILS = timedelta(minutes=1)
MAILS_A_DAY = 100
"""How many mails one tenant's invitations may cause in 24 hours: the product is no way to write to strangers."""
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?=.{4,190}\Z)[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z][a-z0-9-]+")


class UnknownMember(NotFound):
    """Nobody with that id belongs to the tenant."""

    code, title = "unknown-member", "No such member"


class UnknownInvitation(NotFound):
    """There is no such invitation, or its link is not one of ours."""

    code, title = "unknown-invitation", "No such invitation"


class UnknownRole(Invalid):
    """A role that is none."""

    code, title = "unknown-role", "There is no such role"


class UnusableAddress(Invalid):
    """No mail could be sent there."""

    code, title = "unusable-address", "That e-mail address cannot be used"


class RoleTooHigh(Forbidden):
    """Somebody gives, or takes back, more than they have."""

    code, title = "role-too-high", "That is more than your own role"


class NoLongerAllowed(Forbidden):
    """The caller's own role was changed while the request was under way."""

    code, title = "no-longer-allowed", "Your role has just been changed"


class LastOwner(Conflict):
    """A tenant has an owner at all times."""

    code, title = "last-owner", "The last owner cannot go"


class AlreadyMember(Conflict):
    """They belong to the tenant."""

    code, title = "already-member", "They belong to the tenant already"


class AlreadyInvited(Conflict):
    """An invitation to the same address is open."""

    code, title = "already-invited", "They are invited already"


class InvitationIdTaken(Conflict):
    """The id that the client chose is another invitation's."""

    code, title = "invitation-id-taken", "That id is taken"


class InvitationClosed(Conflict):
    """The invitation was accepted, revoked, or its time is over."""

    code, title = "invitation-closed", "The invitation is not open"


class TooManyInvitations(TooManyRequests):
    """Mails follow one another too quickly."""

    code, title = "too-many-invitations", "Too many invitations"


@dataclass(frozen=True)
class TeamMember:
    """A person in a tenant."""

    user_id: UUID
    email: str
    name: str
    role: str
    joined_at: datetime


@dataclass(frozen=True)
class Invitation:
    """An invitation; `round` counts its mails, each with a link of its own."""

    id: UUID
    tenant_id: UUID
    email: str
    role: str
    invited_by: UUID
    round: int
    asked_at: datetime
    sent_at: datetime | None
    expires_at: datetime
    accepted_at: datetime | None
    accepted_by: UUID | None
    revoked_at: datetime | None
    created_at: datetime

    def state(self, at: datetime) -> str:
        """Return how it stands: open, accepted, revoked or expired."""
        if self.accepted_at is not None:
            return "accepted"
        if self.revoked_at is not None:
            return "revoked"
        return "open" if at < self.expires_at else "expired"


@dataclass(frozen=True)
class Letter:
    """What an invitation's mail tells, with the link's token; it is nowhere but in the mail."""

    invitation_id: UUID
    round: int
    email: str
    role: str
    tenant_name: str
    inviter: str
    expires_at: datetime
    token: str


def rank(role: str) -> int:
    """Return how much a role is; -1 for one that is none."""
    return ROLES.index(role) if role in ROLES else -1


def checked_role(role: str) -> str:
    """Return a role; raises `UnknownRole`."""
    if role in ROLES:
        return role
    raise UnknownRole(f"Roles are {', '.join(ROLES)}.", errors=[FieldError("/role", "unknown-role")])


def check_reach(role: str, own: str) -> None:
    """Raise `RoleTooHigh` where a role is more than one's own."""
    if rank(role) > rank(own):
        raise RoleTooHigh(f"You are {own or 'no member'}: you cannot deal in the role {role}. Ask an owner.", role=own)


def checked_address(email: str) -> str:
    """Return an e-mail address as it is written to, its domain in ASCII; raises `UnusableAddress`."""
    local, _, domain = email.strip().rpartition("@")
    try:
        address = f"{local}@{domain.encode('idna').decode().lower()}"
    except UnicodeError:
        address = ""
    if len(address) <= 254 and _ADDRESS.fullmatch(address) and ".." not in address:
        return address
    raise UnusableAddress("Send an address such as anna@example.com.", errors=[FieldError("/email", "email-invalid")])


def derived_token(secret: str, invitation_id: UUID, nonce: bytes) -> str:
    """Return an invitation's token: the same for every mail of a round, so that a mail that is sent twice agrees."""
    mac = hmac.new(secret.encode(), b"invitation\0" + invitation_id.bytes + nonce, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def token_sha256(token: str) -> bytes:
    """Return what is kept of a token. It is 256 random bits: a plain hash cannot be turned back."""
    return hashlib.sha256(token.encode()).digest()
