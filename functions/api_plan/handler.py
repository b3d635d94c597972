"""The tenant's plan: what it includes, what is used, and the way to another one."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body

from functions.api_plan.schemas import BillingOut, CheckoutIn, PageOut, PlanListOut, PlanOut, PortalIn, TenantPlanOut
from socialflow.ai import service as ai
from socialflow.billing import service as billing
from socialflow.billing.model import Purchase, checked_return, price_of, prices
from socialflow.entitlements import service as entitlements
from socialflow.entitlements.model import PLANS, known_plan, plan_of
from socialflow.identity import door
from socialflow.media import uploads
from socialflow.platform.clock import now
from socialflow.platform.database import control, transaction
from socialflow.platform.http import api, caller, current_request, entry, public, requires
from socialflow.platform.settings import AppSettings, BillingSettings, DatabaseSettings, OidcSettings

NEEDS = (DatabaseSettings, OidcSettings, BillingSettings, AppSettings)
app = api(door)


@app.get("/v1/plans", summary="List plans", tags=["plan"])
@public
def listed() -> PlanListOut:
    """Return every plan and what it includes."""
    return PlanListOut(items=[PlanOut.of(plan) for plan in PLANS.values()])


@app.get("/v1/plan", summary="Read your plan and what of it is used", tags=["plan"])
@requires("team:read")
def read() -> TenantPlanOut:
    """Return limits, usage and warnings to every member; what is paid for only to who may read billing."""
    who, at = caller(), now()
    with transaction(who.tenant) as tx:
        used: dict[str, float] = {**entitlements.used(tx, at=at), **ai.used(tx, at=at)}
        used["storage_bytes"] += uploads.announced_bytes(tx, at=at)
    with control() as connection:
        used |= entitlements.registered(connection, who.tenant.id, at=at)
        found = billing.find(connection, who.tenant.id)
    shown = BillingOut.of(who.tenant.plan, found) if "billing:read" in who.permissions else None
    return TenantPlanOut.of(plan_of(who.tenant.plan), used, shown, at)


@app.post("/v1/plan/checkout", summary="Buy a plan", tags=["plan"])
@requires("billing:manage")
def checkout(body: CheckoutIn) -> PageOut:
    """Return the address of a page to pay on. The plan changes once it is paid: GET /v1/plan tells."""
    price = price_of(known_plan(body.plan).name, prices(BillingSettings.from_env().stripe_prices))
    done, cancelled = _back(body.return_url, "done"), _back(body.return_url, "cancelled")
    wanted = Purchase(price, done, cancelled, current_request().header("Idempotency-Key"))
    return PageOut(url=billing.begin_checkout(caller(), wanted))


@app.post("/v1/plan/portal", summary="Manage what you pay for", tags=["plan"])
@requires("billing:manage", mutates=False)  # who is suspended may still see invoices, and end a subscription
def portal(body: Annotated[PortalIn | None, Body()] = None) -> PageOut:
    """Return the address of a page with invoices, payment methods, and the subscription to change or end."""
    back = _back((body or PortalIn()).return_url, "portal")
    return PageOut(url=billing.open_portal(caller().tenant, back=back))


def _back(url: str | None, outcome: str) -> str:
    return checked_return(url, AppSettings.from_env().app_origins, outcome)


handler = entry(app, *NEEDS)
