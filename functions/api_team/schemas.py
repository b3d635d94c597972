"""The wire shapes of members and invitations. No shape that leaves has a token."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from socialflow.team.invitations import Wish
from socialflow.team.model import Invitation, TeamMember

RoleIn = Annotated[str, Field(min_length=1, max_length=20, description="owner, admin, editor or viewer.")]
RoleOut = Annotated[str, Field(description="An open list: owner, admin, editor, viewer.")]


class MemberOut(BaseModel):
    """A member."""

    user_id: UUID
    email: str
    name: str
    role: RoleOut
    joined_at: datetime

    @classmethod
    def of(cls, member: TeamMember) -> Self:
        """Shape a member."""
        return cls(**vars(member))


class MemberPageOut(BaseModel):
    """Members, those who joined first first."""

    items: list[MemberOut]
    next_cursor: str | None


class PatchMember(BaseModel):
    """What may be changed of a member."""

    model_config = ConfigDict(extra="forbid")

    role: RoleIn


class NewInvitation(BaseModel):
    """Somebody to invite."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[UUID | None, Field(description="A UUIDv7 of your own, so that a repeat is known by it.")] = None
    email: Annotated[str, Field(min_length=3, max_length=254)]
    role: RoleIn

    def wish(self) -> Wish:
        """Return it as the use case takes it."""
        return Wish(self.email, self.role, self.id)


class InvitationOut(BaseModel):
    """An invitation."""

    id: UUID
    email: str
    role: RoleOut
    state: Annotated[str, Field(description="An open list: open, expired, accepted, revoked.")]
    invited_by: UUID
    sent_at: Annotated[datetime | None, Field(description="When its newest mail left; null while it is on its way.")]
    expires_at: datetime
    created_at: datetime

    @classmethod
    def of(cls, one: Invitation, at: datetime) -> Self:
        """Shape an invitation as it stands."""
        return cls(
            id=one.id,
            email=one.email,
            role=one.role,
            state=one.state(at),
            invited_by=one.invited_by,
            sent_at=one.sent_at,
            expires_at=one.expires_at,
            created_at=one.created_at,
        )


class InvitationPageOut(BaseModel):
    """Invitations, the oldest first."""

    items: list[InvitationOut]
    next_cursor: str | None


class AcceptInvitation(BaseModel):
    """The token of a link that was mailed."""

    model_config = ConfigDict(extra="forbid")

    token: Annotated[SecretStr, Field(min_length=1, max_length=200)]


class JoinedOut(BaseModel):
    """The tenant that somebody has joined."""

    tenant: UUID
    slug: str
    name: str
    role: RoleOut
