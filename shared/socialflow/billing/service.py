"""Buying a plan, managing it, and following what Stripe says of it.

Stripe's messages come late, twice and in any order. So none is believed: each is a hint to ask Stripe what is so now.
Stripe is asked between two transactions, never in one; the row's version tells whether somebody has asked since.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from socialflow.billing import gateway, repository
from socialflow.billing.events import PlanChanged
from socialflow.billing.model import (
    ENTITLED,
    HINTS,
    AlreadySubscribed,
    Billing,
    BillingDown,
    NoCustomer,
    PlanByContract,
    Purchase,
    Standing,
    standing,
)
from socialflow.entitlements.model import DEFAULT_PLAN
from socialflow.errors import Invalid
from socialflow.platform import announcing, doorbell
from socialflow.platform.caller import Membership
from socialflow.platform.database import Connection, control
from socialflow.platform.observability import logger
from socialflow.platform.receipts import LONGEST_ID, take_once
from socialflow.platform.tenancy import Tenant

TRIES = 5
"""How often Stripe is asked for one message while other messages keep changing the row."""


class _Moved(Exception):
    """Somebody kept what Stripe said while we asked."""


@dataclass(frozen=True)
class Hint:
    """A message of Stripe's: its id, and whose subscriptions may have changed."""

    id: str
    customer: str


def hint_of(message: Mapping[str, Any]) -> Hint | None:
    """Return what a genuine message is about; None where it is about nothing of ours. Raises `Invalid`."""
    identity, kind, data = message.get("id"), message.get("type"), message.get("data")
    subject = data.get("object") if isinstance(data, dict) else None
    if not isinstance(identity, str) or not 1 <= len(identity) <= LONGEST_ID or not isinstance(kind, str):
        raise Invalid("An event has an id and a type.")
    if kind not in HINTS or not isinstance(subject, dict):
        return None
    customer = subject.get("customer")
    if isinstance(customer, dict):  # expanded
        customer = customer.get("id")
    return Hint(identity, customer) if isinstance(customer, str) and customer else None


def follow(hint: Hint, prices: Mapping[str, str], *, at: datetime) -> None:
    """Bring a customer's tenant to what Stripe says now; a message taken before changes nothing."""
    for _ in range(TRIES):
        with control() as connection:
            billing = repository.of_customer(connection, hint.customer)
            taken = repository.is_taken(connection, hint.id)
        if billing is None:
            logger.info("A message about somebody else's customer")
            return
        if not taken:
            found = standing(gateway.subscriptions(hint.customer), prices)
            try:
                _keep(hint, billing, found, at=at)
            except _Moved:
                continue
        return
    raise BillingDown("Too much is happening to this customer at once. Send it again.", retry_after=5)


def _keep(hint: Hint, billing: Billing, found: Standing, *, at: datetime) -> None:
    """Keep what Stripe said, with the message that asked for it: both, or neither and `_Moved`."""
    tenant = None
    with control() as connection:
        if not take_once(connection, "stripe", hint.id):
            return
        if not repository.apply(connection, billing, found, at=at):
            raise _Moved
        if not repository.change_plan(connection, billing.tenant_id, billing.granted, found.plan):
            logger.warning("The plan was given by hand and stays", tenant=billing.slug)
        elif found.plan != billing.granted:
            tenant = repository.tenant(connection, billing.tenant_id)
            changed = PlanChanged(subject_id=billing.tenant_id, old=billing.granted, new=found.plan)
            announcing.tell(connection, tenant, changed)
    if tenant is not None:
        doorbell.ring(tenant.cell)


def begin_checkout(who: Membership, wanted: Purchase) -> str:
    """Return the address of a page on which a plan is paid for; raises a refusal where there is nothing to buy."""
    tenant = who.tenant
    with control() as connection:
        billing = repository.of_tenant(connection, tenant.id)
    _check_buyable(tenant, billing)
    if billing is None:
        customer = gateway.make_customer(tenant, who.user.email)
        with control() as connection:  # of two at once, the first one's customer is the tenant's
            repository.add(connection, tenant.id, customer)
            billing = repository.of_tenant(connection, tenant.id)
        assert billing is not None
    return gateway.begin_checkout(tenant, billing.customer, wanted)


def open_portal(tenant: Tenant, *, back: str) -> str:
    """Return the address of a page on which the tenant manages what it pays for; raises `NoCustomer`."""
    with control() as connection:
        billing = repository.of_tenant(connection, tenant.id)
    if billing is None:
        raise NoCustomer("Nothing has been bought yet. Begin with POST /v1/plan/checkout.")
    return gateway.open_portal(billing.customer, back=back)


def find(connection: Connection, tenant_id: UUID) -> Billing | None:
    """Return a tenant's billing; None where nothing was ever bought."""
    return repository.of_tenant(connection, tenant_id)


def _check_buyable(tenant: Tenant, billing: Billing | None) -> None:
    if billing is not None and billing.status in ENTITLED:
        raise AlreadySubscribed(
            "Change or end your subscription in the portal: POST /v1/plan/portal.", status=billing.status
        )
    granted = billing.granted if billing else DEFAULT_PLAN
    if tenant.plan != granted:
        raise PlanByContract(f"Your plan {tenant.plan} was agreed with us. Write to us to change it.", plan=tenant.plan)
