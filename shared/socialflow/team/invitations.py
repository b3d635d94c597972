"""Invitations: asked for, mailed, accepted once, taken back.

The token is in the mail and nowhere else. The row has its hash, written by the function that mails: it alone knows the
secret from which tokens are made, so that nothing that answers requests could make one.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from socialflow.entitlements.model import check
from socialflow.platform.announcing import tell
from socialflow.platform.caller import Membership, User
from socialflow.platform.database import Connection
from socialflow.platform.ids import new_id
from socialflow.platform.tenancy import Tenant
from socialflow.team import repository
from socialflow.team.events import UserInvited, UserJoined
from socialflow.team.model import (
    BETWEEN_MAILS,
    MAILS_A_DAY,
    TTL,
    AlreadyInvited,
    AlreadyMember,
    Invitation,
    InvitationClosed,
    InvitationIdTaken,
    Letter,
    TeamMember,
    TooManyInvitations,
    UnknownInvitation,
    check_reach,
    checked_address,
    checked_role,
    derived_token,
    token_sha256,
)
from socialflow.team.service import Page, held

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Wish:
    """Somebody to invite; without an id the invitation gets one."""

    email: str
    role: str
    id: UUID | None = None


def listed(connection: Connection, tenant_id: UUID, page: Page) -> list[Invitation]:
    """Return the invitations that are open or have expired, the oldest first."""
    return repository.invitations(connection, tenant_id, page.after, page.limit)


def invite(connection: Connection, who: Membership, wish: Wish, *, at: datetime) -> tuple[Invitation, bool]:
    """Ask for an invitation's mail; return it and whether it is new. The client's own id makes a repeat the same.

    Raises `RoleTooHigh`, `AlreadyMember`, `AlreadyInvited`, `TooManyInvitations`, `LimitReached`.
    """
    address, given = checked_address(wish.email), checked_role(wish.role)
    check_reach(given, who.role)
    tenant = held(connection, who)
    same = repository.invitation(connection, wish.id) if wish.id else None
    if same is not None:
        if (same.tenant_id, same.email, same.role) == (tenant.id, address, given):
            return same, False
        raise InvitationIdTaken("Another invitation has that id. Send a new UUID, or none.")
    _check_new(connection, tenant, address, at)
    _check_room(connection, tenant, at)
    nonce = secrets.token_bytes(32)
    row = {"id": wish.id or new_id(), "tenant": tenant.id, "email": address, "role": given, "by": who.user.id}
    made = repository.add(connection, **row, nonce=nonce, at=at, ttl=TTL)
    tell(connection, tenant, UserInvited(subject_id=made.id, role=made.role, round=made.round))
    return made, True


def resend(connection: Connection, who: Membership, invitation_id: UUID, *, at: datetime) -> Invitation:
    """Mail it again with another link, good for as long as a new one; the link of before is dead."""
    tenant = held(connection, who)
    found = _found(connection, tenant, invitation_id, who)
    if found.state(at) not in ("open", "expired"):
        raise InvitationClosed(f"It is {found.state(at)}. Invite them anew.", state=found.state(at))
    wait = found.asked_at + BETWEEN_MAILS - at
    if wait > timedelta(0):
        raise TooManyInvitations("A mail is on its way. Wait a minute.", retry_after=wait.total_seconds())
    if found.state(at) == "expired":
        _check_new(connection, tenant, found.email, at)
        _check_room(connection, tenant, at)
    _check_mails(connection, tenant, at)
    again = repository.ask_again(connection, found.id, nonce=secrets.token_bytes(32), at=at, ttl=TTL)
    tell(connection, tenant, UserInvited(subject_id=again.id, role=again.role, round=again.round))
    return again


def revoke(connection: Connection, who: Membership, invitation_id: UUID, *, at: datetime) -> None:
    """Take an invitation back; its link is dead. Repeating it is safe."""
    found = _found(connection, held(connection, who), invitation_id, who)
    if found.state(at) == "accepted":
        raise InvitationClosed("It was accepted. Remove the member instead.", state="accepted")
    if found.revoked_at is None:
        repository.revoke(connection, found.id, at)


def accept(connection: Connection, token: str, user: User, *, at: datetime) -> tuple[Tenant, TeamMember]:
    """Make whoever holds the link a member, once; the same person again gets the same answer.

    The address of the person's sign-in need not be the invitation's: the link was mailed there, and people sign in
    with another address than they are written to. Who accepted is on record.
    """
    hashed = token_sha256(token)
    known = repository.invitation_by_token(connection, hashed)
    tenant = None
    if known is not None and repository.lock_user(connection, user.id):
        tenant = repository.lock_tenant(connection, known.tenant_id)
        known = repository.invitation_by_token(connection, hashed)  # as it is now that nobody else changes it
    if known is None or tenant is None:
        raise UnknownInvitation("The link is not known: it was taken back, or mailed anew. Ask for another.")
    present = repository.member(connection, tenant.id, user.id)
    if known.accepted_by == user.id and present is not None:
        return tenant, present
    if known.state(at) != "open" or not tenant.active:
        state = known.state(at) if tenant.active else "suspended"
        raise InvitationClosed(f"It cannot be used: {_WHY[state]} Ask for a new one.", state=state)
    if present is not None:
        raise AlreadyMember("You belong to this tenant. An owner can change your role.")
    check(tenant.plan, "seats", used=repository.taken(connection, tenant.id, at).members)
    repository.accept(connection, known.id, user.id, at)
    repository.join(connection, tenant.id, user.id, known.role)
    tell(connection, tenant, UserJoined(subject_id=user.id, role=known.role, invitation=known.id))
    joined = repository.member(connection, tenant.id, user.id)
    assert joined is not None
    return tenant, joined


def letter(connection: Connection, invitation_id: UUID, mail_round: int, *, secret: str, at: datetime) -> Letter | None:
    """Return what is to be mailed, its token known from now on; None where nothing is (any more)."""
    draft = repository.draft(connection, invitation_id, mail_round, at)
    if draft is None:
        return None
    token = derived_token(secret, draft.invitation_id, bytes(draft.nonce))
    repository.keep_hash(connection, draft, token_sha256(token))
    return Letter(
        draft.invitation_id,
        draft.round,
        draft.email,
        draft.role,
        draft.tenant_name,
        draft.inviter,
        draft.expires_at,
        token,
    )


def note_sent(connection: Connection, mailed: Letter, *, at: datetime) -> None:
    """Note that a letter left: the fact that asked for it may come again."""
    repository.sent(connection, mailed.invitation_id, mailed.round, at)


_WHY = {
    "accepted": "it was used already.",
    "revoked": "it was taken back.",
    "expired": "its time is over.",
    "suspended": "the tenant is suspended.",
}


def _found(connection: Connection, tenant: Tenant, invitation_id: UUID, who: Membership) -> Invitation:
    found = repository.invitation(connection, invitation_id)
    if found is None or found.tenant_id != tenant.id:
        raise UnknownInvitation("There is no such invitation. GET /v1/invitations lists them.")
    check_reach(found.role, who.role)
    return found


def _check_new(connection: Connection, tenant: Tenant, address: str, at: datetime) -> None:
    if repository.member_at(connection, tenant.id, address) is not None:
        raise AlreadyMember("Somebody with this address belongs to the tenant.")
    there = repository.open_to(connection, tenant.id, address, at)
    if there is not None:
        detail = "An invitation to this address is open. Resend it, or revoke it first."
        raise AlreadyInvited(detail, invitation=str(there.id))


def _check_room(connection: Connection, tenant: Tenant, at: datetime) -> None:
    taken = repository.taken(connection, tenant.id, at)
    check(tenant.plan, "seats", used=taken.members + taken.invitations)
    _check_mails(connection, tenant, at)


def _check_mails(connection: Connection, tenant: Tenant, at: datetime) -> None:
    if repository.mails(connection, tenant.id, since=at - DAY) >= MAILS_A_DAY:
        detail = f"A tenant's invitations send {MAILS_A_DAY} mails a day. Go on tomorrow."
        raise TooManyInvitations(detail, retry_after=3_600)
