"""A deleted tenant is charged no more, a restored one has what it had; whatever Stripe does meanwhile."""

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from typing import Any

import psycopg
import pytest

from functions.cron_purge_tenants.handler import handler as purge
from functions.cron_settle_subscriptions.handler import SubscriptionsLeft
from functions.cron_settle_subscriptions.handler import handler as settle
from functions.ops_verify_audit.handler import handler as verify
from socialflow.billing import ending
from socialflow.platform import announcing, database, registry
from tests.api import Client
from tests.integration.billing.conftest import Shop
from tests.integration.tenants.conftest import person
from tests.stripe import FAILING_CARD, GOOD_CARD, Stripe, signed

__all__ = ["person"]
DAILY: dict[str, Any] = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}


@dataclass(frozen=True)
class Firm:
    """A tenant `north` that is on the plan pro by a subscription, and what becomes of it."""

    shop: Shop
    subscription: str

    @property
    def id(self) -> str:
        """The tenant's id."""
        return str(self.shop.tenant.id)

    def delete(self) -> None:
        """Delete the tenant, as its owner."""
        assert self.shop.owner.delete("/v1/tenant?confirm=north").status == 200

    def restore(self) -> None:
        """Bring it back."""
        assert self.shop.owner.post("/v1/tenants/north/restore").status == 200

    def age(self) -> None:
        """Let the grace go by."""
        passed = "UPDATE control.tenants SET deleted_at = deleted_at - interval '31 d' WHERE slug = 'north'"
        self.shop.database.execute(passed)

    def tell(self) -> None:
        """Let the newest fact of the tenant's standing arrive as the bus brings it."""
        announcing.carry("cell-1")
        fact = "SELECT aggregate_id FROM cell.outbox WHERE type IN ('tenant.deleted', 'tenant.restored')"
        tenant_id = self.shop.value(fact + " ORDER BY position DESC LIMIT 1")
        settle({"detail": {"aggregate": {"type": "tenant", "id": str(tenant_id)}}}, None)

    def of_stripe(self, subscription: str = "") -> tuple[str, bool]:
        """Return the status of a subscription at Stripe, and whether it ends with its period."""
        found = self.shop.stripe.ask("GET", f"/v1/subscriptions/{subscription or self.subscription}")
        return found["status"], found["cancel_at_period_end"]

    def told(self) -> list[str]:
        """Return how Stripe was told to change subscriptions."""
        asked = [each for each in self.shop.stripe.seen if each[0] != "GET" and "/subscriptions/" in each[1]]
        return [f"{method} {body}".strip() for method, _path, _headers, body in asked]


@pytest.fixture
def firm(stripe_server: Stripe, person: Callable[..., Client], owner: psycopg.Connection) -> Firm:
    """A tenant that pays."""
    assert person("anna").post("/v1/tenants", {"slug": "north", "name": "North"}).status == 201
    stripe_server.reset()
    inside = person("anna", "north")
    shop = Shop(registry.named("north"), stripe_server, inside, inside, owner)
    subscription = stripe_server.pay(shop.checkout().json["url"])
    hint = {"customer": shop.value("SELECT customer FROM control.billing"), "id": subscription}
    assert shop.deliver(signed("customer.subscription.created", hint)).status == 204
    return Firm(shop, subscription)


def test_the_subscription_ends_with_what_is_paid_for_and_restoring_takes_that_back(firm: Firm) -> None:
    firm.delete()
    assert firm.of_stripe() == ("active", False), "nobody who deletes waits for Stripe"
    firm.tell()
    assert firm.of_stripe() == ("active", True)
    firm.restore()
    firm.tell()
    assert firm.of_stripe() == ("active", False)
    assert firm.shop.plan()["plan"] == "pro"
    assert firm.shop.value("SELECT ended FROM control.billing") == []


def test_the_same_again_tells_stripe_nothing_new(firm: Firm) -> None:
    firm.delete()
    for _ in range(3):
        firm.tell()
        assert settle(DAILY, None) == {"settled": [firm.id]}
    assert firm.told() == ["POST cancel_at_period_end=true"]
    firm.restore()
    for _ in range(3):
        firm.tell()
        assert settle(DAILY, None) == {"settled": []}
    assert firm.told()[1:] == ["POST cancel_at_period_end=false"]


def test_what_the_tenant_has_ended_itself_stays_ended(firm: Firm) -> None:
    firm.shop.stripe.ask("POST", f"/v1/subscriptions/{firm.subscription}", cancel_at_period_end="true")
    firm.delete()
    firm.tell()
    firm.restore()
    firm.tell()
    assert firm.of_stripe() == ("active", True)
    assert firm.told() == []


def test_what_has_come_to_its_end_meanwhile_is_not_brought_back(firm: Firm) -> None:
    firm.delete()
    firm.tell()
    firm.shop.stripe.ask("DELETE", f"/v1/subscriptions/{firm.subscription}")
    assert firm.shop.deliver(firm.shop.stripe.next("customer.subscription.deleted", firm.subscription)).status == 204
    firm.restore()
    firm.tell()
    assert firm.of_stripe()[0] == "canceled"
    assert firm.shop.plan()["plan"] == "free"
    assert firm.shop.checkout().status == 200, "it may be bought again"


def test_what_is_not_paid_for_ends_at_once(firm: Firm) -> None:
    customer = firm.shop.value("SELECT customer FROM control.billing")
    firm.shop.stripe.card(customer, FAILING_CARD)
    unpaid = firm.shop.stripe.subscribe(customer, "price_business")
    assert firm.of_stripe(unpaid)[0] == "incomplete"
    firm.delete()
    firm.tell()
    assert (firm.of_stripe(unpaid)[0], firm.of_stripe()) == ("canceled", ("active", True))


def test_what_is_bought_on_a_page_that_was_open_ends_too(firm: Firm) -> None:
    customer = firm.shop.value("SELECT customer FROM control.billing")
    firm.delete()
    firm.tell()
    firm.shop.stripe.card(customer, GOOD_CARD)
    late = firm.shop.stripe.subscribe(customer, "price_business")
    assert settle(DAILY, None) == {"settled": [firm.id]}
    assert firm.of_stripe(late) == ("active", True)


def test_a_tenant_is_deleted_though_stripe_is_down_and_each_day_tries_again(firm: Firm) -> None:
    firm.shop.stripe.down = True
    firm.delete()
    assert firm.shop.owner.get("/v1/tenants").json["items"] == []
    for event in (firm.tell, lambda: settle(DAILY, None)):
        with pytest.raises(SubscriptionsLeft):
            event()
    firm.shop.stripe.down = False
    assert settle(DAILY, None) == {"settled": [firm.id]}
    assert firm.of_stripe() == ("active", True)


def test_a_purge_waits_for_nobody_and_the_customer_is_known_until_stripe_was_told(firm: Firm) -> None:
    firm.shop.stripe.down = True
    firm.delete()
    firm.age()
    assert purge({}, None) == {"purged": ["north"], "failed": []}
    with pytest.raises(SubscriptionsLeft):
        settle(DAILY, None)
    assert firm.shop.value("SELECT count(*) FROM control.billing") == 1
    firm.shop.stripe.down = False
    assert settle(DAILY, None) == {"settled": [firm.id]}
    assert firm.of_stripe() == ("active", True)
    assert firm.shop.value("SELECT count(*) FROM control.billing") == 0
    assert settle(DAILY, None) == {"settled": []}
    assert verify({}, None)["outcome"] == "intact"


def test_only_what_a_purged_tenant_paid_for_is_forgotten(firm: Firm) -> None:
    with database.control() as connection:
        assert connection.execute("SELECT control.forget_billing(%s)", (firm.id,)).fetchone() == (False,)
    with pytest.raises(psycopg.errors.InsufficientPrivilege), database.control() as connection:
        connection.execute("DELETE FROM control.billing")


def test_a_tenant_that_cannot_be_settled_stops_no_other(firm: Firm, person: Callable[..., Client]) -> None:
    for slug in ("east", "west"):
        assert person("anna").post("/v1/tenants", {"slug": slug, "name": slug}).status == 201
        assert person("anna", slug).delete(f"/v1/tenant?confirm={slug}").status == 200
        customer = (
            "INSERT INTO control.billing (tenant_id, customer) SELECT id, %s FROM control.tenants WHERE slug = %s"
        )
        firm.shop.database.execute(customer, (f"cus_unknown_{slug}", slug))
    firm.delete()
    with pytest.raises(SubscriptionsLeft, match="2 tenants could not be settled, 1 were"):
        settle(DAILY, None)
    assert firm.of_stripe() == ("active", True)


@pytest.mark.parametrize("first", ["deleted", "restored"])
def test_a_tenant_that_changes_its_mind_while_stripe_is_asked_ends_as_it_stands(firm: Firm, first: str) -> None:
    firm.delete()
    if first == "restored":
        firm.tell()
        firm.restore()

    def change_mind() -> None:
        (firm.restore if first == "deleted" else firm.delete)()
        database.forget()  # this is the peer's own thread

    firm.shop.stripe.errands.append(change_mind)
    firm.tell()
    assert firm.of_stripe() == ("active", first == "restored")


def test_who_is_killed_after_telling_stripe_has_noted_it_before(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    firm.delete()
    with monkeypatch.context() as patch:
        patch.setattr(ending, "_kept", lambda _before: sys.exit("killed"))
        with pytest.raises(SystemExit):
            firm.tell()
    assert firm.of_stripe() == ("active", True)
    firm.restore()
    firm.tell()
    assert firm.of_stripe() == ("active", False)


def test_many_at_once_settle_one_after_the_other(firm: Firm) -> None:
    firm.delete()
    begin = Barrier(8)

    def one(_: int) -> object:
        begin.wait()
        try:
            return settle(DAILY, None)
        finally:
            database.forget()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(one, range(8))) == [{"settled": [firm.id]}] * 8
    assert firm.told() == ["POST cancel_at_period_end=true"]
    assert firm.shop.value("SELECT cardinality(ended) FROM control.billing") == 1
