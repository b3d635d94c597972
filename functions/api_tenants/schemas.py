"""The wire shapes of tenants."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from socialflow.platform.caller import Membership
from socialflow.tenants.profile import Profile, Restorable

Slug = Annotated[
    str,
    Field(
        min_length=2,
        max_length=39,
        pattern=r"^[a-z][a-z0-9_]*$",
        description="Names the tenant for ever: its schema, its objects. Some names are reserved.",
    ),
]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class TenantSettingsIn(BaseModel):
    """Settings to change; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    time_zone: Annotated[str | None, Field(max_length=64, description="An IANA name: Europe/Berlin.")] = None
    approval: Annotated[
        str | None,
        Field(max_length=20, description="none, optional, or required: no post goes out without an approval."),
    ] = None
    brand_voice: Annotated[str | None, Field(max_length=2_000, description="How the tenant's texts sound.")] = None
    languages: Annotated[
        list[Annotated[str, Field(max_length=40)]] | None,
        Field(min_length=1, max_length=20, description="BCP 47 tags, the most important first."),
    ] = None
    banned_words: Annotated[
        list[Annotated[str, Field(max_length=60)]] | None,
        Field(max_length=100, description="Words that no model's caption may have."),
    ] = None
    ai_models: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=120)]] | None,
        Field(max_length=3, description="Which models write captions, of GET /v1/models; empty: the platform's."),
    ] = None
    ai_budget_usd: Annotated[
        float | None,
        Field(ge=0, le=1_000_000, description="Dollars that AI may cost in a month, where your plan includes more."),
    ] = None

    support_access: Annotated[
        str | None,
        Field(max_length=20, description="allowed, or refused: none of our operators looks in, whatever the reason."),
    ] = None

    def given(self) -> dict[str, Any]:
        """Return what was sent."""
        return self.model_dump(exclude_none=True)


class NewTenant(BaseModel):
    """A tenant to make."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[UUID | None, Field(description="A UUIDv7 of your own, so that a repeat is known by it.")] = None
    slug: Slug
    name: Name
    settings: TenantSettingsIn = TenantSettingsIn()


class PatchTenant(BaseModel):
    """What may be changed of a tenant. The slug never changes."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    settings: TenantSettingsIn | None = None


class TenantSettingsOut(BaseModel):
    """A tenant's settings, with what stands in for those that were never set."""

    time_zone: str
    approval: Annotated[str, Field(description="An open list: none, optional, required.")]
    brand_voice: str
    languages: list[str]
    banned_words: list[str]
    ai_models: list[str]
    ai_budget_usd: Annotated[float | None, Field(description="Null: what the plan includes.")]
    support_access: Annotated[str, Field(description="An open list: allowed, refused.")]


class SuspensionOut(BaseModel):
    """Why a tenant only reads and publishes nothing."""

    since: datetime
    reason: str


class TenantOut(BaseModel):
    """A tenant."""

    id: UUID
    slug: str
    name: str
    status: Annotated[str, Field(description="An open list: active, suspended. A suspended tenant only reads.")]
    suspension: SuspensionOut | None
    plan: str
    settings: TenantSettingsOut
    created_at: datetime

    @classmethod
    def of(cls, found: Profile) -> Self:
        """Shape a tenant."""
        tenant, suspension = found.tenant, found.suspension
        return cls(
            id=tenant.id,
            slug=tenant.slug,
            name=tenant.name,
            status=tenant.status,
            suspension=SuspensionOut(since=suspension.since, reason=suspension.reason) if suspension else None,
            plan=tenant.plan,
            settings=TenantSettingsOut(
                time_zone=found.settings.time_zone,
                approval=found.settings.approval,
                brand_voice=found.settings.brand_voice,
                languages=list(found.settings.languages),
                banned_words=list(found.settings.banned_words),
                ai_models=list(found.settings.ai_models),
                ai_budget_usd=found.settings.ai_budget_usd,
                support_access=found.settings.support_access,
            ),
            created_at=found.created_at,
        )


class MyTenantOut(BaseModel):
    """A tenant that the user belongs to."""

    id: UUID
    slug: str
    name: str
    status: Annotated[str, Field(description="An open list: active, suspended, deleted.")]
    role: Annotated[str, Field(description="An open list: owner, admin, editor, viewer.")]
    restorable_until: datetime | None = None

    @classmethod
    def of(cls, member: Membership) -> Self:
        """Shape a membership of a living tenant."""
        tenant = member.tenant
        return cls(id=tenant.id, slug=tenant.slug, name=tenant.name, status=tenant.status, role=member.role)

    @classmethod
    def gone(cls, one: Restorable) -> Self:
        """Shape a deleted tenant."""
        return cls(id=one.id, slug=one.slug, name=one.name, status="deleted", role="owner", restorable_until=one.until)


class MyTenantsOut(BaseModel):
    """The user's tenants, by slug."""

    items: list[MyTenantOut]


class DeletedTenantOut(BaseModel):
    """A tenant that has just been deleted."""

    id: UUID
    slug: str
    restorable_until: datetime
