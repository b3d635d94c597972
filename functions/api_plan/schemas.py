"""The wire shapes of plans and usage."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from socialflow.billing.model import UNPAID, Billing
from socialflow.entitlements.model import METERS, MONTHLY, Meter, Plan, plan_of, resets_at, warns

ReturnUrl = Annotated[
    str | None,
    Field(max_length=2_000, description="Where to go afterwards: an address of the application. By default its start."),
]


class IncludedOut(BaseModel):
    """How much of one thing a plan includes."""

    meter: str
    limit: Annotated[int | None, Field(description="Null: without a limit.")]
    monthly: Annotated[bool, Field(description="Counted by the calendar month (UTC); else it stands until given back.")]


class PlanOut(BaseModel):
    """A plan and what it includes."""

    plan: str
    title: str
    includes: list[IncludedOut]

    @classmethod
    def of(cls, plan: Plan) -> Self:
        """Shape a plan."""
        includes = [IncludedOut(meter=meter, limit=plan.limits[meter], monthly=meter in MONTHLY) for meter in METERS]
        return cls(plan=plan.name, title=plan.title, includes=includes)


class PlanListOut(BaseModel):
    """Every plan, the smallest first."""

    items: list[PlanOut]


class UsageOut(BaseModel):
    """One limit of the tenant's plan and how much of it is used."""

    meter: str
    limit: Annotated[int | None, Field(description="Null: without a limit.")]
    used: Annotated[int | float | None, Field(description="Null: a limit of one thing at a time; none is used up.")]
    resets_at: Annotated[datetime | None, Field(description="When it begins anew; null: it stands until given back.")]
    level: Annotated[str, Field(description="An open list: ok, near (four fifths are used), reached.")]

    @classmethod
    def of(cls, plan: Plan, meter: Meter, used: float | None, at: datetime) -> Self:
        """Shape a limit."""
        most = plan.limits[meter]
        level = "ok"
        if most is not None and used is not None:
            level = "reached" if used >= most else "near" if warns(used, most) else "ok"
        return cls(meter=meter, limit=most, used=used, resets_at=resets_at(meter, at), level=level)


class BillingOut(BaseModel):
    """What is paid for; only who may read billing is told."""

    status: Annotated[
        str, Field(description="An open list, Stripe's: none, active, trialing, past_due, canceled and more.")
    ]
    by_contract: Annotated[bool, Field(description="The plan was given by hand; no subscription changes it.")]
    period_end: datetime | None
    cancels_at: datetime | None
    unpaid_since: Annotated[
        datetime | None,
        Field(description="Since when a payment fails. The plan stays until Stripe gives up; then it is the free one."),
    ]

    @classmethod
    def of(cls, plan: str, billing: Billing | None) -> Self:
        """Shape a tenant's billing."""
        if billing is None:
            by_contract = plan != plan_of("").name
            return cls(status="none", by_contract=by_contract, period_end=None, cancels_at=None, unpaid_since=None)
        return cls(
            status=billing.status,
            by_contract=billing.by_hand,
            period_end=billing.period_end,
            cancels_at=billing.cancels_at,
            unpaid_since=billing.unpaid_since if billing.status == UNPAID else None,
        )


class TenantPlanOut(BaseModel):
    """The tenant's plan, what of it is used, and what that comes to."""

    plan: str
    title: str
    period: Annotated[str, Field(description="The month that is counted (UTC): 2026-11.")]
    resets_at: datetime
    usage: list[UsageOut]
    warnings: Annotated[list[str], Field(description="Meters of which four fifths or more are used.")]
    billing: Annotated[BillingOut | None, Field(description="Null for who may not read it.")]

    @classmethod
    def of(cls, plan: Plan, used: Mapping[str, float], billing: BillingOut | None, at: datetime) -> Self:
        """Shape a tenant's plan."""
        usage = [UsageOut.of(plan, meter, used.get(meter), at) for meter in METERS]
        reset = resets_at("uploads", at)
        assert reset is not None
        return cls(
            plan=plan.name,
            title=plan.title,
            period=at.strftime("%Y-%m"),
            resets_at=reset,
            usage=usage,
            warnings=[each.meter for each in usage if each.level != "ok"],
            billing=billing,
        )


class CheckoutIn(BaseModel):
    """A plan to buy."""

    model_config = ConfigDict(extra="forbid")

    plan: Annotated[str, Field(min_length=1, max_length=40, description="pro, business: what GET /v1/plans lists.")]
    return_url: ReturnUrl = None


class PortalIn(BaseModel):
    """Where to come back to."""

    model_config = ConfigDict(extra="forbid")

    return_url: ReturnUrl = None


class PageOut(BaseModel):
    """A page of the payment service, for the browser of an owner. It dies within the day."""

    url: str
