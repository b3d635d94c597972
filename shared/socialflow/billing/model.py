"""Subscriptions, what they entitle to, and why something cannot be bought."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from uuid import UUID

from socialflow.entitlements.model import DEFAULT_PLAN, PLANS
from socialflow.errors import Conflict, FieldError, Invalid, Unavailable

ENTITLED = frozenset({"active", "trialing", "past_due"})
"""Statuses of Stripe's under which a plan is had. A payment that failed is tried again by Stripe for as long as it is
told to; until it gives up and ends the subscription, the plan stays: that is the grace."""
UNPAID = "past_due"
OVER = frozenset({"canceled", "incomplete_expired"})
"""Statuses out of which no subscription comes back."""

HINTS = frozenset(
    {
        "checkout.session.completed",
        "customer.subscription.created",
        "customer.subscription.updated",
        "customer.subscription.deleted",
        "customer.subscription.paused",
        "customer.subscription.resumed",
        "invoice.paid",
        "invoice.payment_succeeded",
        "invoice.payment_failed",
    }
)
"""Messages after which a customer's subscriptions are read again; any other is thanked for."""

_RANK = {name: rank for rank, name in enumerate(PLANS)}


class BillingNotSetUp(Conflict):
    """This deployment has no Stripe."""

    code, title = "billing-not-set-up", "Nothing can be bought here"


class BillingDown(Unavailable):
    """Stripe does not answer, or not usably."""

    code, title = "billing-down", "Payments do not answer"


class PlanNotForSale(Invalid):
    """The plan has no price."""

    code, title = "plan-not-for-sale", "That plan cannot be bought here"


class PlanByContract(Conflict):
    """The tenant's plan was given by hand."""

    code, title = "plan-by-contract", "Your plan is by contract"


class AlreadySubscribed(Conflict):
    """There is a subscription."""

    code, title = "already-subscribed", "There is a subscription already"


class NoCustomer(Conflict):
    """Nothing was ever bought."""

    code, title = "no-customer", "Nothing has been bought yet"


class ReturnRefused(Invalid):
    """The address to return to is not the application's."""

    code, title = "return-url-refused", "That is no address of this application"


class UnknownPrice(BillingDown):
    """A subscription has a price that the settings do not know: an operator has to add it."""


@dataclass(frozen=True)
class Purchase:
    """What is to be paid for, and where to go afterwards; the same `key` asks for the same page."""

    price: str
    success: str
    cancel: str
    key: str = ""


@dataclass(frozen=True)
class Subscription:
    """A subscription as Stripe has it now."""

    id: str
    status: str
    price: str
    period_end: datetime | None
    cancels_at: datetime | None

    @property
    def is_over(self) -> bool:
        """Whether it has come to its end."""
        return self.status in OVER

    @property
    def renews(self) -> bool:
        """Whether it goes on until somebody ends it."""
        return not self.is_over and self.cancels_at is None


@dataclass(frozen=True)
class Standing:
    """What follows from a customer's subscriptions."""

    plan: str
    status: str
    subscription: str | None = None
    period_end: datetime | None = None
    cancels_at: datetime | None = None


@dataclass(frozen=True)
class Billing:
    """A tenant's billing as it was last read, with the plan that the tenant has."""

    tenant_id: UUID
    slug: str
    tenant_status: str
    plan: str
    customer: str
    version: int
    subscription: str | None
    status: str
    granted: str
    period_end: datetime | None
    cancels_at: datetime | None
    unpaid_since: datetime | None
    ended: Sequence[str] = ()

    @property
    def by_hand(self) -> bool:
        """Whether the plan was given by hand, so that no subscription changes it."""
        return self.plan != self.granted


def prices(settings: Sequence[str]) -> dict[str, str]:
    """Return plans by their prices, from `plan=price`; raises `ValueError` for what is not that."""
    found: dict[str, str] = {}
    for pair in settings:
        plan, equals, price = pair.partition("=")
        if not equals or not price or plan not in PLANS or plan == DEFAULT_PLAN:
            raise ValueError(f"{pair!r} is not a plan and its price: pro=price_123")
        found[price] = plan
    return found


def price_of(plan: str, known: Mapping[str, str]) -> str:
    """Return the price to offer for a plan, its first one; raises `PlanNotForSale`."""
    for price, name in known.items():
        if name == plan:
            return price
    offered = [name for name in PLANS if name in known.values()]
    detail = f"Plans to buy here are {', '.join(offered)}." if offered else "Nothing is for sale here."
    detail += " To leave a paid plan, end it in the portal: POST /v1/plan/portal."
    raise PlanNotForSale(detail, errors=[FieldError("/plan", "not-for-sale", detail)], offered=offered)


def standing(subscriptions: Sequence[Subscription], known: Mapping[str, str]) -> Standing:
    """Return what a customer's subscriptions come to: the best that is paid for, else the free plan.

    `subscriptions` are the newest first. Raises `UnknownPrice`: nobody loses a plan by a slip in our settings.
    """
    live = [each for each in subscriptions if each.status in ENTITLED]
    for each in live:
        if each.price not in known:
            raise UnknownPrice("A price is not set up here. It will be tried again.", price=each.price, retry_after=60)
    if not live:
        return Standing(DEFAULT_PLAN, subscriptions[0].status if subscriptions else "none")
    best = max(live, key=lambda each: (_RANK[known[each.price]], each.status != UNPAID))
    return Standing(known[best.price], best.status, best.id, best.period_end, best.cancels_at)


def checked_return(url: str | None, origins: Collection[str], outcome: str) -> str:
    """Return where to go afterwards, `checkout=<outcome>` added; raises `ReturnRefused` for a foreign address."""
    allowed = list(origins)
    if url is None and allowed:
        url = allowed[0]
    wrong = f"Return to an address of the application: {', '.join(allowed) or 'none is set up'}."
    refused = ReturnRefused(wrong, errors=[FieldError("/return_url", "foreign", wrong)])
    # A browser reads \\ as /, drops tabs, and believes what stands before an @: nothing of that is an address of ours.
    if not url or not url.isascii() or not url.isprintable() or {"\\", "@", " "} & set(url):
        raise refused
    try:
        parts = urlsplit(url)
    except ValueError:
        raise refused from None
    if f"{parts.scheme}://{parts.netloc}" not in allowed:
        raise refused
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), ("checkout", outcome)])
    return urlunsplit((parts.scheme, parts.netloc, parts.path or "/", query, parts.fragment))
