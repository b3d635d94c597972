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
    locale: Annotated[str, Field(description="The language to speak to them in, `pt-BR`; empty: not said.")]
    time_zone: Annotated[str, Field(description="IANA name, `Europe/Berlin`; empty: not said.")]
    active_tenant: Annotated[
        str | None,
        Field(description="The slug of the tenant whose organization the token was made for, where it was for one."),
    ]
    memberships: list[MembershipOut]

    @classmethod
    def of(cls, user: User, members: list[Membership], active: str | None) -> Self:
        """Shape a user and their memberships."""
        return cls(
            id=user.id,
            email=user.email,
            name=user.name,
            locale=user.locale,
            time_zone=user.time_zone,
            active_tenant=active,
            memberships=[MembershipOut.of(member) for member in members],
        )


class PatchMe(BaseModel):
    """What a user may change of their own account; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str | None, Field(min_length=1, max_length=200)] = None
    locale: Annotated[str | None, Field(max_length=20, description="`pt-BR`; an empty one is none.")] = None
    time_zone: Annotated[str | None, Field(max_length=60, description="`Europe/Berlin`; an empty one is none.")] = None
