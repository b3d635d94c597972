"""Every route of every function refuses what it must, in words, and nothing is half-written.

The routes are taken from the functions themselves: a new one is walked without being named here.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from socialflow.identity.model import permissions_of
from socialflow.platform.http.access import Access
from socialflow.platform.http.body import MAX_BYTES
from socialflow.platform.tenancy import Tenant
from tests.api import Client, Issuer, Reply, event, handlers
from tests.integration.conftest import Member

HOSTILE = [
    "{",
    "[" * 100_000,
    "[]",
    "null",
    '{"id": NaN}',
    '{"id": 1' + "0" * 5_000 + "}",
    '{"text": "\\u0000", "id": "\\ud800"}',
    '{"a": 1, "a": 2}',
    b"\xff\xfe\x00",
    '{"text": "' + "x" * (MAX_BYTES + 1) + '"}',
    json.dumps({name: {"$ne": None} for name in ("id", "name", "text", "media", "targets", "file_name", "network")}),
]


@dataclass(frozen=True)
class RouteOf:
    """A route of a function, with an address that could exist."""

    function: str
    method: str
    template: str
    access: Access

    @property
    def path(self) -> str:
        """The template with ids put in."""
        return re.sub(r"\{\w+\}", lambda _: str(uuid4()), self.template)

    @property
    def takes_a_body(self) -> bool:
        """Whether the route's function has a body parameter."""
        function = handlers()[self.function].app.functions[self.method, self.template]
        return "body" in function.__annotations__

    def __str__(self) -> str:
        """Its name in the list of tests."""
        return f"{self.method} {self.template}"


def routes() -> Iterator[RouteOf]:
    for name, module in handlers().items():
        for (method, template), access in module.app.access.items():
            yield RouteOf(name, method, template, access)


ROUTES = list(routes())
MEMBERS_ONLY = [route for route in ROUTES if route.access.permission]
# A caller who is let in is stopped by the broken body or the unknown id, except where the route has neither.
UNREAD = [route for route in MEMBERS_ONLY if str(route) != "POST /v1/exports"]
ASKED_BY = [
    (route, role)
    for role in ("viewer", "editor", "admin")
    for route in MEMBERS_ONLY
    if route in UNREAD or route.access.permission not in permissions_of(role)
]
WITH_A_BODY = [route for route in ROUTES if route.takes_a_body]


@pytest.fixture(autouse=True)
def nothing_is_written(clean: None, owner: psycopg.Connection) -> Iterator[None]:
    """Hold the rows of acme, of contoso and of the engine room before and after against each other."""
    before = counted(owner)
    yield
    assert counted(owner) == before


def counted(owner: psycopg.Connection) -> dict[str, int]:
    tables = owner.execute(
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('cell', 'control', 't_acme', 't_contoso')"
        " AND tablename NOT IN ('users', 'rate_limit')"  # a stranger's first sign-in makes a user; who asks is counted
        " AND NOT (schemaname = 'control' AND tablename LIKE 'audit%')"  # what a test does beforehand is audited too
    ).fetchall()
    counts = [
        sql.SQL("SELECT {}, count(*) FROM {}").format(".".join(table), sql.Identifier(*table)) for table in tables
    ]
    return dict(owner.execute(sql.SQL(" UNION ALL ").join(counts)).fetchall())


def ask(client: Client, route: RouteOf, body: str | bytes | None = None, **headers: str) -> Reply:
    given = {"content-type": "application/json", **client.headers}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    return client.send(event(route.method, route.path, headers=given, body=body))


@pytest.mark.parametrize("route", [route for route in ROUTES if route.access.signed_in], ids=str)
def test_nobody_is_refused(route: RouteOf, issuer: Issuer) -> None:
    assert (reply := ask(Client(), route, "{")).status == 401, reply
    assert (reply := ask(Client(), route, "{", authorization="Bearer a.b.c")).code == "token-invalid", reply
    expired = issuer.token("acme-owner", exp=1)
    assert (reply := ask(Client(), route, "{", authorization=f"Bearer {expired}")).code == "token-expired", reply


@pytest.mark.parametrize("route", MEMBERS_ONLY, ids=str)
def test_who_does_not_belong_is_refused(route: RouteOf, stranger: Client, member: Member, contoso: Tenant) -> None:
    assert (reply := ask(stranger, route, "{")).code == "not-a-member", reply
    for tenant in ("contoso", str(contoso.id), "nowhere", str(uuid4())):
        assert (reply := ask(member("owner", tenant=tenant), route, "{")).code == "not-a-member", reply
    without = Client({"authorization": stranger.headers["authorization"]})
    assert (reply := ask(without, route, "{")).code == "tenant-required", reply


@pytest.mark.parametrize(("route", "role"), ASKED_BY, ids=str)
def test_a_role_that_lacks_the_permission_is_refused(route: RouteOf, role: str, member: Member) -> None:
    reply = ask(member(role), route, "{")
    refused = route.access.permission not in permissions_of(role)
    assert (reply.code == "permission-denied") is refused, reply


@pytest.mark.parametrize("route", UNREAD, ids=str)
def test_a_suspended_tenant_changes_nothing(route: RouteOf, member: Member, owner: psycopg.Connection) -> None:
    owner.execute("UPDATE control.tenants SET status = 'suspended' WHERE slug = 'acme'")
    reply = ask(member("owner"), route, "{")
    suspended = reply.status == 403 and reply.code == "tenant-suspended"
    assert suspended is route.access.needs_active(route.method), reply


@pytest.mark.parametrize("route", WITH_A_BODY, ids=str)
def test_only_json_is_read(route: RouteOf, member: Member) -> None:
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        reply = ask(member("owner"), route, "a=b", content_type=content_type, if_match="*")
        assert reply.status == 415, reply


@pytest.mark.parametrize("route", WITH_A_BODY, ids=str)
@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_body_is_refused(route: RouteOf, body: str | bytes, member: Member) -> None:
    reply = ask(member("owner"), route, body, if_match="*", idempotency_key=str(uuid4()))
    assert reply.status in {413, 422}, reply


@pytest.mark.parametrize("route", [route for route in ROUTES if "{" in route.template], ids=str)
def test_an_id_that_is_none_is_not_there(route: RouteOf, member: Member) -> None:
    for part in ("7", "not-an-id", "%00", "..%2f..", "' OR 1=1 --", "0" * 400):
        path = re.sub(r"\{\w+\}", part, route.template)
        headers = {**member("owner").headers, "if-match": "*", "content-type": "application/json"}
        reply = Client().send(event(route.method, path, headers=headers, body="{}" if route.takes_a_body else None))
        # A name of a closed list is no id: with a body that says nothing it is the body that is refused.
        is_name = "{provider}" in route.template or "{network}" in route.template
        assert reply.status in ({404, 405, 422} if is_name else {404, 405}), reply


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_another_method_is_told_the_right_ones(route: RouteOf, member: Member) -> None:
    there = {each.method for each in ROUTES if each.template == route.template}
    for method in sorted({"PUT", "TRACE", "PROPFIND"} - there):
        reply = member("owner").send(event(method, route.path, headers=member("owner").headers))
        assert reply.status == 405, reply
        assert route.method in reply.headers["allow"], reply


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/", "/v1/me/", "/v2/me", "/v1/nothing", "//v1/me", "/v1/media/a/b/c/d"]
)
def test_an_unknown_route_is_not_found(path: str, editor: Client) -> None:
    assert editor.get(path).code == "not-found"
