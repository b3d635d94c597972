"""From a checkout to the plan by messages that localstripe makes, signs and sends."""

import json
import time
from typing import Any

import pytest

from tests.integration.billing.conftest import Shop
from tests.loopback import Arrivals, listening


def test_messages_that_the_peer_makes_signs_and_sends_change_the_plan(shop: Shop) -> None:
    """Over HTTP from localstripe to the endpoint: nothing of ours stands between its event and our answer."""
    with listening() as door:
        shop.stripe.send_to(f"{door.url}/v1/webhooks/stripe")
        subscription = shop.stripe.pay(shop.checkout("pro").json["url"])
        assert shop.stripe.ask("GET", f"/v1/subscriptions/{subscription}")["metadata"] == {"tenant": "acme"}
        came = awaited(door, "customer.subscription.created", subscription)
        assert (shop.plan()["plan"], shop.plan()["billing"]["status"]) == ("pro", "active")
        assert came["data"]["object"]["id"] == subscription
        awaited(door, "invoice.payment_succeeded", subscription)
        shop.stripe.ask("DELETE", f"/v1/subscriptions/{subscription}")
        awaited(door, "customer.subscription.deleted", subscription)
        assert (shop.plan()["plan"], shop.plan()["billing"]["status"]) == ("free", "canceled")
        assert {reply.status for _, reply in door.came} == {204}
    assert shop.changes() == [("free", "pro"), ("pro", "free")]


def awaited(door: Arrivals, kind: str, about: str) -> dict[str, Any]:
    """Return the message of a kind that names what it is about, once it was answered."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        for raw, _reply in list(door.came):
            message: dict[str, Any] = json.loads(raw)
            if message["type"] == kind and about.encode() in raw:
                return message
        time.sleep(0.02)
    pytest.fail(f"{kind} did not come; {[json.loads(raw)['type'] for raw, _ in door.came]} did")
