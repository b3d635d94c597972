"""The team of a tenant: members and invitations."""

from uuid import UUID

from functions.api_team.schemas import (
    AcceptInvitation,
    InvitationOut,
    InvitationPageOut,
    JoinedOut,
    MemberOut,
    MemberPageOut,
    NewInvitation,
    PatchMember,
)
from socialflow.identity import door
from socialflow.identity.api_keys import PeopleOnly
from socialflow.platform import doorbell
from socialflow.platform.clock import now
from socialflow.platform.database import control
from socialflow.platform.http import (
    DEFAULT_LIMIT,
    Cursor,
    Limit,
    Position,
    Response,
    after,
    answered,
    api,
    caller,
    current_user,
    entry,
    next_cursor,
    requires,
    signed_in,
)
from socialflow.platform.settings import DatabaseSettings, DoorbellSettings, OidcSettings
from socialflow.team import invitations, service
from socialflow.team.service import Page

NEEDS = (DatabaseSettings, OidcSettings, DoorbellSettings)
app = api(door)


@app.get("/v1/members", summary="List members", tags=["team"])
@requires("team:read")
def members(limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> MemberPageOut:
    """Return who belongs to the tenant, those who joined first first."""
    with control() as connection:
        found = service.members(connection, caller().tenant.id, _page(cursor, limit))
    last = found[limit - 1] if len(found) > limit else None
    return MemberPageOut(
        items=[MemberOut.of(one) for one in found[:limit]],
        next_cursor=next_cursor(Position(last.joined_at, last.user_id)) if last else None,
    )


@app.patch("/v1/members/<user_id>", summary="Change a member's role", tags=["team"])
@requires("team:manage")
def change(user_id: UUID, body: PatchMember) -> MemberOut:
    """Give a member another role. It holds from their next request on."""
    with control() as connection:
        return MemberOut.of(service.change_role(connection, caller(), user_id, body.role, at=now()))


@app.delete("/v1/members/<user_id>", status_code=204, summary="Remove a member", tags=["team"])
@requires("team:manage", takes_away=True)
def remove(user_id: UUID) -> None:
    """Remove a member, and take back the invitations that they had sent. The last owner cannot go."""
    who = caller()
    with control() as connection:
        service.remove(connection, who, user_id, at=now())
    doorbell.ring(who.tenant.cell)


@app.post("/v1/members/<user_id>/make-owner", summary="Hand over the ownership", tags=["team"])
@requires("team:manage")
def make_owner(user_id: UUID) -> MemberOut:
    """Make a member the owner in your place; you are an admin then."""
    who = caller()
    if who.user.kind != "person":
        raise PeopleOnly("A key owns nothing that it could hand over. Sign in as an owner.")
    with control() as connection:
        return MemberOut.of(service.make_owner(connection, who, user_id, at=now()))


@app.get("/v1/invitations", summary="List invitations", tags=["team"])
@requires("settings:read")
def listed(limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> InvitationPageOut:
    """Return the invitations that are open or have expired, the oldest first."""
    with control() as connection:
        found = invitations.listed(connection, caller().tenant.id, _page(cursor, limit))
    last = found[limit - 1] if len(found) > limit else None
    return InvitationPageOut(
        items=[InvitationOut.of(one, now()) for one in found[:limit]],
        next_cursor=next_cursor(Position(last.created_at, last.id)) if last else None,
    )


@app.post("/v1/invitations", status_code=201, summary="Invite somebody", tags=["team"])
@requires("team:invite")
def invite(body: NewInvitation) -> Response[InvitationOut]:
    """Mail somebody a link that makes them a member, with no more than your own role. It takes a seat while it is open.

    The same `id` with the same body again answers 200.
    """
    who, at = caller(), now()
    with control() as connection:
        made, is_new = invitations.invite(connection, who, body.wish(), at=at)
    doorbell.ring(who.tenant.cell)
    return answered(InvitationOut.of(made, at), status=201 if is_new else 200)


@app.post("/v1/invitations/accept", summary="Accept an invitation", tags=["team"])
@signed_in
def accept(body: AcceptInvitation) -> JoinedOut:
    """Become a member, by the token of the link that was mailed. It can be used once."""
    token = body.token.get_secret_value()
    with control() as connection:
        tenant, member = invitations.accept(connection, token, current_user(), at=now())
    doorbell.ring(tenant.cell)
    return JoinedOut(tenant=tenant.id, slug=tenant.slug, name=tenant.name, role=member.role)


@app.post("/v1/invitations/<invitation_id>/resend", status_code=202, summary="Mail an invitation again", tags=["team"])
@requires("team:invite")
def resend(invitation_id: UUID) -> Response[InvitationOut]:
    """Mail a new link, good for another seven days; the link of before is dead."""
    who, at = caller(), now()
    with control() as connection:
        again = invitations.resend(connection, who, invitation_id, at=at)
    doorbell.ring(who.tenant.cell)
    return answered(InvitationOut.of(again, at), status=202)


@app.delete("/v1/invitations/<invitation_id>", status_code=204, summary="Revoke an invitation", tags=["team"])
@requires("team:invite", takes_away=True)
def revoke(invitation_id: UUID) -> None:
    """Take an invitation back: its link is dead, its seat is free."""
    with control() as connection:
        invitations.revoke(connection, caller(), invitation_id, at=now())


def _page(cursor: str | None, limit: int) -> Page:
    """Return what to ask for: one more than is shown tells whether there is another page."""
    begin_at = after(cursor)
    return Page((begin_at.at, begin_at.id) if begin_at else None, limit + 1)


handler = entry(app, *NEEDS)
