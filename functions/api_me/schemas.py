"""The wire shapes of one's own account."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from socialflow.platform.caller import Membership, User


class MembershipOut(BaseModel):
    """A tenant that the user belongs to; `tenant` or `slug` goes into `X-Tenant-Id`."""

    tenant: UUID
    slug: str
    name: str
    status: Annotated[str, Field(description="An open list: active, suspended. A suspended tenant only reads.")]
    role: Annotated[str, Field(description="An open list: owner, admin, editor, viewer.")]
    permissions: list[str]

    @classmethod
    def of(cls, member: Membership) -> Self:
        """Shape a membership."""
        tenant = member.tenant
        return cls(
            tenant=tenant.id,
            slug=tenant.slug,
            name=tenant.name,
            status=tenant.status,
            role=member.role,
            permissions=sorted(member.permissions),
        )


class MeOut(BaseModel):
    """The signed-in user."""

    id: UUID
    email: str
    name: str
    memberships: list[MembershipOut]

    @classmethod
    def of(cls, user: User, members: list[Membership]) -> Self:
        """Shape a user and their memberships."""
        shaped = [MembershipOut.of(member) for member in members]
        return cls(id=user.id, email=user.email, name=user.name, memberships=shaped)


class PatchMe(BaseModel):
    """What a user may change of their own account."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=200)]
