"""The wire shapes of one's own account."""

from collections.abc import Sequence
from datetime import datetime
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


class WaitingReviewOut(BaseModel):
    """A review that is open; `GET /v1/media/{media_id}/review`, or the tenant's `GET /v1/reviews`, has more of it."""

    media_id: UUID
    requested_at: datetime
    expires_at: datetime


class WaitingPostOut(BaseModel):
    """A post; `GET /v1/posts/{id}` has more of it."""

    id: UUID
    state: Annotated[str, Field(description="An open list: awaiting_approval, failed, partial, unconfirmed.")]
    excerpt: Annotated[str, Field(description="How its text begins.")]
    due_at: datetime | None
    updated_at: datetime


class WaitingReviewsOut(BaseModel):
    """How many reviews are open, and the longest waiting."""

    count: int
    more: Annotated[bool, Field(description="There are more than `count`: it is counted no further.")]
    items: list[WaitingReviewOut]


class WaitingPostsOut(BaseModel):
    """How many posts wait, and the first due."""

    count: int
    more: Annotated[bool, Field(description="There are more than `count`: it is counted no further.")]
    items: list[WaitingPostOut]


class QueueProblemOut(BaseModel):
    """Why a tenant says nothing."""

    code: str
    detail: str


class QueuedTenantOut(BaseModel):
    """What waits in one tenant. What your role does not decide is null."""

    tenant: UUID
    slug: str
    name: str
    status: Annotated[str, Field(description="An open list: active, suspended. A suspended tenant only reads.")]
    role: Annotated[str, Field(description="An open list: owner, admin, editor, viewer.")]
    reviews: Annotated[WaitingReviewsOut | None, Field(description="Open reviews, for who decides them.")] = None
    approvals: Annotated[WaitingPostsOut | None, Field(description="Posts to approve, for who approves them.")] = None
    troubles: Annotated[
        WaitingPostsOut | None,
        Field(description="Posts that failed in the last 30 days, or are unconfirmed, for who writes posts."),
    ] = None
    problem: Annotated[QueueProblemOut | None, Field(description="Set where the tenant could not be asked.")] = None


class QueueOut(BaseModel):
    """What waits for you: each tenant where you may decide anything, by slug."""

    complete: Annotated[bool, Field(description="False where a tenant could not be asked: its `problem` says why.")]
    reviews: Annotated[int, Field(description="Over all tenants that could be asked.")]
    approvals: Annotated[int, Field(description="The same.")]
    troubles: Annotated[int, Field(description="The same.")]
    tenants: list[QueuedTenantOut]

    @classmethod
    def of(cls, tenants: Sequence[QueuedTenantOut]) -> Self:
        """Add the tenants up."""
        return cls(
            complete=not any(one.problem for one in tenants),
            reviews=sum(one.reviews.count for one in tenants if one.reviews),
            approvals=sum(one.approvals.count for one in tenants if one.approvals),
            troubles=sum(one.troubles.count for one in tenants if one.troubles),
            tenants=list(tenants),
        )
