"""Stripe, by its own library: a customer, a page to pay on, a page to manage on, and what is subscribed to now.

The library is imported by its first use: it takes a second, and only two functions have it.
"""

import hashlib
import json
import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar

from socialflow.billing.model import BillingDown, BillingNotSetUp, Purchase, Subscription
from socialflow.platform import secrets
from socialflow.platform.observability import logger
from socialflow.platform.settings import BillingSettings
from socialflow.platform.tenancy import Tenant

TOLERANCE = 300
"""Seconds that a message's clock may differ from ours."""
CALL_SECONDS = 8.0
"""How long one call may take: a person waits, and so does the gateway."""

T = TypeVar("T")

_TIME = re.compile(r"(?:^|,)t=([0-9]{1,12})(?:,|$)")


def is_genuine(raw: bytes, header: str) -> bool:
    """Tell whether Stripe has signed these bytes, lately, with one of the secrets that are in use.

    There may be several: while a secret is rotated, messages come under the old one and the new one.
    """
    signed = _TIME.search(header)
    if signed is None or not header.isascii() or int(signed[1]) > time.time() + TOLERANCE:
        return False
    verify = _library().WebhookSignature.verify_header
    for secret in _secret().get("webhook_secrets") or ():
        try:
            verify(raw, header, secret, TOLERANCE)
        except (_library().SignatureVerificationError, ValueError):
            continue
        return True
    return False


def make_customer(tenant: Tenant, email: str) -> str:
    """Make Stripe know a tenant; made again within a day, it is the same customer."""
    asked: dict[str, Any] = {"name": tenant.name, "metadata": {"tenant": tenant.slug, "tenant_id": str(tenant.id)}}
    if email:
        asked["email"] = email
    key = {"idempotency_key": f"socialflow-customer-{tenant.id}"}
    return str(_call(lambda client: client.v1.customers.create(params=asked, options=key)).id)


def begin_checkout(tenant: Tenant, customer: str, wanted: Purchase) -> str:
    """Return the address of a page on which the price is paid."""
    asked = {
        "mode": "subscription",
        "customer": customer,
        "client_reference_id": str(tenant.id),
        "line_items": [{"price": wanted.price, "quantity": 1}],
        "subscription_data": {"metadata": {"tenant": tenant.slug}},
        "success_url": wanted.success,
        "cancel_url": wanted.cancel,
    }
    options = {}
    if wanted.key:  # with what is asked: Stripe refuses a key that came with something else
        whole = json.dumps([str(tenant.id), wanted.key, asked]).encode()
        options = {"idempotency_key": f"socialflow-checkout-{hashlib.sha256(whole).hexdigest()}"}
    return str(_call(lambda client: client.v1.checkout.sessions.create(params=asked, options=options)).url)


def open_portal(customer: str, *, back: str) -> str:
    """Return the address of a page on which the customer manages what is paid for."""
    asked = {"customer": customer, "return_url": back}
    return str(_call(lambda client: client.v1.billing_portal.sessions.create(params=asked)).url)


def subscriptions(customer: str) -> list[Subscription]:
    """Return what a customer is subscribed to, or has been: the newest first."""
    asked = {"customer": customer, "status": "all", "limit": 100}
    listed = _call(lambda client: client.v1.subscriptions.list(params=asked)).to_dict()
    return [_read(each) for each in sorted(listed["data"], key=lambda each: int(each["created"]), reverse=True)]


def end(subscription: str, *, at_once: bool) -> None:
    """End a subscription: with the period that is paid for, or at once."""
    if at_once:
        _call(lambda client: client.v1.subscriptions.cancel(subscription))
    else:
        _call(lambda client: client.v1.subscriptions.update(subscription, params={"cancel_at_period_end": True}))


def go_on(subscription: str) -> None:
    """Let a subscription renew that would have ended with its period."""
    _call(lambda client: client.v1.subscriptions.update(subscription, params={"cancel_at_period_end": False}))


def _read(found: Mapping[str, Any]) -> Subscription:
    item = found["items"]["data"][0]
    price = item.get("price") or item["plan"]
    # Stripe moved the period from the subscription to its items in 2025.
    period_end = item.get("current_period_end") or found.get("current_period_end")
    cancels = found.get("cancel_at") or (period_end if found.get("cancel_at_period_end") else None)
    return Subscription(found["id"], found["status"], price["id"], _moment(period_end), _moment(cancels))


def _moment(seconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def _call(ask: Callable[[Any], T]) -> T:
    stripe = _library()
    try:
        return ask(_client())
    except stripe.StripeError as error:
        # Its message may name people; what we need of it is its kind and Stripe's own number for it.
        kind, request = type(error).__name__, getattr(error, "request_id", None)
        logger.warning("Stripe gave no answer", kind=kind, code=getattr(error, "code", None), stripe_request=request)
        detail = "The payment service gave no usable answer. Nothing was changed; try again."
        raise BillingDown(detail, retry_after=5) from None


def _client() -> Any:
    settings, stripe = BillingSettings.from_env(), _library()
    key = _secret().get("api_key")
    if not key:
        raise BillingNotSetUp("This deployment takes no payments. An operator can give your tenant a plan.")
    base = {"base_addresses": {"api": settings.stripe_api_base}} if settings.stripe_api_base else {}
    return stripe.StripeClient(key, http_client=_http(), max_network_retries=1, **base)


def _secret() -> dict[str, Any]:
    """Return the keys; of a secret into which nobody has put any, none."""
    try:
        found = secrets.document(BillingSettings.from_env().stripe_secret)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


@cache
def _http() -> Any:
    return _library().RequestsClient(timeout=CALL_SECONDS)


@cache
def _library() -> Any:
    import stripe  # noqa: PLC0415 # see the module's docstring

    return stripe
