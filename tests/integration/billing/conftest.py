"""A tenant that buys, and a Stripe that sells to it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from socialflow.platform import settings
from socialflow.platform.tenancy import Tenant
from tests.api import Client, Reply, event
from tests.conftest import Cloud
from tests.integration.conftest import Member
from tests.stripe import Message, Stripe, running


@pytest.fixture(scope="session")
def stripe_server(cloud: Cloud) -> Iterator[Stripe]:
    """The peer, which the functions take for Stripe."""
    with running() as peer, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOCIALFLOW_STRIPE_API_BASE", peer.url)
        settings.forget()
        yield peer
    settings.forget()


@dataclass(frozen=True)
class Shop:
    """Acme, on the free plan, and its ways to Stripe."""

    tenant: Tenant
    stripe: Stripe
    owner: Client
    viewer: Client
    database: psycopg.Connection

    def checkout(self, plan: str = "pro", **more: Any) -> Reply:
        """Ask for a page to buy a plan on."""
        return self.owner.post("/v1/plan/checkout", {"plan": plan, **more})

    def buy(self, plan: str = "pro") -> str:
        """Buy a plan and let Stripe tell; return the subscription."""
        reply = self.checkout(plan)
        assert reply.status == 200, reply
        subscription = self.stripe.pay(reply.json["url"])
        assert self.deliver(self.stripe.next("customer.subscription.created", subscription)).status == 204
        return subscription

    def deliver(self, message: Message, **headers: str) -> Reply:
        """Let a message arrive as it was sent."""
        sent = {"content-type": "application/json; charset=utf-8", "stripe-signature": message.signature, **headers}
        return Client().send(event("POST", "/v1/webhooks/stripe", headers=sent, body=message.raw))

    def plan(self, who: Client | None = None) -> dict[str, Any]:
        """Return what a member is told of the plan."""
        reply = (who or self.owner).get("/v1/plan")
        assert reply.status == 200, reply
        found: dict[str, Any] = reply.json
        return found

    def usage(self, meter: str) -> dict[str, Any]:
        """Return one line of what is used."""
        (found,) = [each for each in self.plan()["usage"] if each["meter"] == meter]
        return dict(found)

    def value(self, query: str, *params: object) -> Any:
        """Return a value of the database."""
        row = self.database.execute(query, params).fetchone()
        return row[0] if row else None

    def changes(self) -> list[tuple[str, str]]:
        """Return the plan's changes that were told."""
        rows = self.database.execute(
            "SELECT data->>'old', data->>'new' FROM control.outbox WHERE type = 'tenant.plan.changed' ORDER BY position"
        )
        return [(row[0], row[1]) for row in rows.fetchall()]


@pytest.fixture
def shop(stripe_server: Stripe, member: Member, acme: Tenant, owner: psycopg.Connection) -> Shop:
    """Acme on the free plan, and a Stripe that does not know it yet."""
    owner.execute("UPDATE control.tenants SET plan = 'free' WHERE id = %s", (acme.id,))
    stripe_server.reset()
    return Shop(acme, stripe_server, member("owner"), member("viewer"), owner)
