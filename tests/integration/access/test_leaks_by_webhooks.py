"""Webhooks that are signed as they must be, and carry another tenant's ids wherever an id may stand.

Acme's people own what is said of acme at Clerk and at Stripe, metadata included: with it they try to reach contoso.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import psycopg
import pytest

from socialflow.identity import directory
from socialflow.platform.tenancy import Tenant
from tests.api import Client, Reply, event
from tests.integration.access.twins import check_clean, of_contoso, told
from tests.integration.billing.conftest import Shop, stripe_server
from tests.integration.conftest import Member
from tests.stripe import Stripe, signed
from tests.svix import Clerk, headers, post, send

__all__ = ["stripe_server"]
OURS, THEIRS = "org_acme", "org_contoso"
CLERK = Clerk(organization=OURS)


@pytest.fixture
def linked(acme: Tenant, contoso: Tenant, owner: psycopg.Connection) -> None:
    """Each tenant with an organization of its own at Clerk."""
    directory.link(owner, OURS, acme.id)
    directory.link(owner, THEIRS, contoso.id)


def claims(contoso: Tenant) -> Iterator[Mapping[str, Any]]:
    """Yield what somebody may write beside what Clerk itself says, to be taken for contoso."""
    for name in ("tenant", "tenant_id", "slug", "organization_id", "x-tenant-id", "instance_id", "public_metadata"):
        for value in ("contoso", str(contoso.id), THEIRS, {"tenant": "contoso", "id": THEIRS, "slug": "contoso"}):
            yield {name: value}


def places(said: dict[str, Any], claim: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield an event with the claim in every object of it."""
    yield {**claim, **said}
    yield {**said, "data": {**claim, **said["data"]}}
    if "organization" in said["data"]:
        inside = said["data"]["organization"]
        yield {**said, "data": {**said["data"], "organization": {**inside, **claim, "id": inside["id"]}}}


def test_what_clerk_says_of_ones_own_organization_reaches_no_other(
    linked: None, contoso: Tenant, owner: psycopg.Connection
) -> None:
    before, tried = of_contoso(owner), 0
    for number, claim in enumerate(claims(contoso)):
        moment = 10 * number
        said = (
            CLERK.member("contoso-owner", moment + 1, "org:owner", kind="created"),  # may join acme, and leaves nothing
            CLERK.member("contoso-owner", moment + 2, "org:viewer"),
            CLERK.member("contoso-owner", moment + 3, kind="deleted"),
            CLERK.member("acme-editor", moment + 4, "org:owner"),
        )
        for each in said:
            for forged in places(each, claim):
                reply = send(forged)
                tried += 1
                assert reply.status == 204, (forged, reply)
                check_clean(told(reply), contoso, forged)
    assert of_contoso(owner) == before
    assert tried >= 250


@pytest.mark.parametrize(
    "organization",
    ["ORG_CONTOSO", " org_contoso", "org_contoso ", "org_contoso%", "contoso", "t_contoso", "org_contoso\u200b", "*"],
)
def test_what_only_looks_like_the_other_organization_is_nobodys(
    linked: None, contoso: Tenant, owner: psycopg.Connection, organization: str
) -> None:
    before = of_contoso(owner)
    clerk = Clerk(organization=organization)
    for said in (clerk.member("acme-editor", 1, "org:owner"), clerk.organization_deleted(2)):
        assert send(said).status in (204, 422)
    assert send(CLERK.organization_deleted(3)).status == 204
    assert of_contoso(owner) == before


def test_two_organizations_in_one_message_are_the_one_that_clerk_names(
    linked: None, contoso: Tenant, owner: psycopg.Connection
) -> None:
    """With a key twice, whichever is read is read by all: the message counts once, and for one tenant."""
    before = of_contoso(owner)
    said = json.dumps(CLERK.member("acme-editor", 1, "org:viewer"))
    twice = said.replace('"organization": {', f'"organization": {{"id": "{THEIRS}", ', 1)
    assert twice != said
    assert post(twice, headers(twice)).status == 204
    assert of_contoso(owner) == before


@pytest.fixture
def shops(
    stripe_server: Stripe, member: Member, acme: Tenant, contoso: Tenant, owner: psycopg.Connection
) -> tuple[Shop, Shop]:
    """Acme and contoso, each with a customer at Stripe; contoso pays for pro."""
    owner.execute("UPDATE control.tenants SET plan = 'free'")
    stripe_server.reset()
    made = []
    for tenant in (acme, contoso):
        somebody = member("owner", tenant.slug)
        made.append(Shop(tenant, stripe_server, somebody, somebody, owner))
    ours, theirs = made
    assert ours.checkout("business").status == 200
    theirs.stripe.pay(theirs.checkout("pro").json["url"])
    assert deliver("customer.subscription.created", {"customer": customer(theirs)}).status == 204
    assert (ours.plan()["plan"], theirs.plan()["plan"]) == ("free", "pro")
    return ours, theirs


def customer(shop: Shop) -> str:
    return str(shop.value("SELECT customer FROM control.billing WHERE tenant_id = %s", shop.tenant.id))


def deliver(kind: str, subject: dict[str, Any], **more: Any) -> Reply:
    message = signed(kind, {**subject, **more})
    sealed = {"content-type": "application/json", "stripe-signature": message.signature}
    return Client().send(event("POST", "/v1/webhooks/stripe", headers=sealed, body=message.raw))


def test_what_stripe_says_of_ones_own_customer_changes_no_others_plan(
    shops: tuple[Shop, Shop], contoso: Tenant, owner: psycopg.Connection
) -> None:
    """Acme has a subscription whose metadata says contoso, and messages that name contoso beside acme's customer."""
    ours, theirs = shops
    mine = customer(ours)
    ours.stripe.card(mine, "4242424242424242")
    about = {"tenant": "contoso", "tenant_id": str(contoso.id), "owner": customer(theirs)}
    subscription = ours.stripe.subscribe(mine, "price_business", **about)
    of_theirs = theirs.plan()["billing"]
    lies: list[dict[str, Any]] = [
        {},
        {"metadata": about},
        {"client_reference_id": str(contoso.id)},
        {"subscription": "sub_of_contoso", "id": "sub_of_contoso"},
        {"customer_details": {"email": "owner@contoso.test"}, "customer_email": "owner@contoso.test"},
        {"account": "contoso", "tenant": "contoso", "tenant_id": str(contoso.id)},
        {"items": {"data": [{"price": {"id": "price_pro"}, "metadata": about}]}},
        {"status": "canceled", "metadata": about},
        {"previous_attributes": {"customer": customer(theirs)}},
    ]
    kinds = ("checkout.session.completed", "customer.subscription.created", "customer.subscription.updated",
             "customer.subscription.deleted", "invoice.paid", "invoice.payment_failed")  # fmt: skip
    before, tried = of_contoso(owner), 0
    for kind in kinds:
        for lie in lies:
            reply = deliver(kind, {"id": subscription, **lie, "customer": mine})
            tried += 1
            assert reply.status == 204, (kind, lie, reply)
            check_clean(told(reply), contoso, (kind, lie))
    assert of_contoso(owner) == before
    assert theirs.plan()["billing"] == of_theirs
    assert (ours.plan()["plan"], theirs.plan()["plan"]) == ("business", "pro")
    assert tried >= 50


def test_a_message_that_lies_about_the_other_customer_changes_nothing_that_stripe_does_not_have(
    shops: tuple[Shop, Shop], owner: psycopg.Connection
) -> None:
    _, theirs = shops
    said = {"customer": customer(theirs), "status": "canceled", "metadata": {"tenant": "acme"}, "id": "sub_x"}
    for kind in ("customer.subscription.deleted", "customer.subscription.updated", "invoice.payment_failed"):
        assert deliver(kind, said).status == 204
    assert theirs.plan()["plan"] == "pro"
    assert theirs.changes() == [("free", "pro")]


def test_nobody_pays_or_manages_for_the_other_tenant(shops: tuple[Shop, Shop], contoso: Tenant) -> None:
    ours, theirs = shops
    before = set(ours.stripe.sessions)
    asked = {"plan": "pro", "customer": customer(theirs), "tenant": "contoso", "client_reference_id": str(contoso.id)}
    for path, body in (("checkout", asked), ("checkout", {"plan": "pro"}), ("portal", {"customer": customer(theirs)})):
        reply = ours.owner.post(f"/v1/plan/{path}?customer={customer(theirs)}&tenant=contoso", body)
        check_clean(told(reply), contoso, path)
    made = [ours.stripe.sessions[page] for page in set(ours.stripe.sessions) - before]
    assert made
    assert {each["customer"] for each in made} == {customer(ours)}
    assert {each.get("client_reference_id", str(ours.tenant.id)) for each in made} == {str(ours.tenant.id)}
