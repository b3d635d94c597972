"""Who comes in, and in which order things are refused: nothing of a request is read before its sender may send it."""

import pytest

from socialflow.platform.http import api, requires
from socialflow.platform.http.access import declared
from tests.unit.http.conftest import JSON, SIGNED_IN, THING, Edge

GARBAGE = "{"
ONE_STEP_AT_A_TIME: list[tuple[str, str, dict[str, str], int, str]] = [
    # (method, path, headers, status, code): each line mends what the line before was refused for
    ("POST", "/v1/nothing", {}, 404, "not-found"),
    ("DELETE", "/v1/things", {}, 405, "method-not-allowed"),
    ("POST", "/v1/things", {}, 401, "unauthenticated"),
    ("POST", "/v1/things", {"authorization": "Bearer good"}, 400, "tenant-required"),
    ("POST", "/v1/things", {"authorization": "Bearer good", "x-tenant-id": "contoso"}, 403, "not-a-member"),
    ("DELETE", f"/v1/things/{THING}", SIGNED_IN, 403, "permission-denied"),
    ("POST", "/v1/things", {**SIGNED_IN, "x-tenant-id": "asleep"}, 403, "tenant-suspended"),
    ("POST", "/v1/things", SIGNED_IN, 415, "unsupported-media-type"),
    ("POST", "/v1/things", {**SIGNED_IN, **JSON}, 422, "malformed-body"),
]


@pytest.mark.parametrize("step", ONE_STEP_AT_A_TIME, ids=[step[-1] for step in ONE_STEP_AT_A_TIME])
def test_refusals_come_in_order(edge: Edge, step: tuple[str, str, dict[str, str], int, str]) -> None:
    method, path, headers, status, code = step
    reply = edge.ask(method, path, GARBAGE, headers)
    assert (reply.status, reply.code) == (status, code)
    assert edge.called == []


def test_an_address_that_is_not_there_asks_nobody(edge: Edge) -> None:
    edge.ask("GET", "/v1/nothing")
    edge.ask("PUT", "/v1/things")
    edge.ask("GET", "/v1/open")
    assert edge.door.asked == []


def test_a_permission_is_asked_for_before_an_id_is_looked_at(edge: Edge) -> None:
    assert edge.ask("DELETE", "/v1/things/not-an-id").status == 403
    edge.door.permissions |= {"things:delete"}
    assert edge.ask("DELETE", "/v1/things/not-an-id").status == 404
    assert edge.ask("DELETE", f"/v1/things/{THING}").status == 204


def test_a_refused_permission_is_named(edge: Edge) -> None:
    problem = edge.ask("DELETE", f"/v1/things/{THING}").json
    assert (problem["permission"], problem["role"]) == ("things:delete", "editor")


def test_a_suspended_tenant_reads(edge: Edge) -> None:
    asleep = {**SIGNED_IN, **JSON, "x-tenant-id": "asleep"}
    assert edge.ask("GET", "/v1/things", headers=asleep).json["text"] == "50 for asleep"
    assert edge.ask("POST", "/v1/things/check", '{"text": "a"}', asleep).status == 200
    for method, path in (
        ("POST", "/v1/things"),
        ("PATCH", f"/v1/things/{THING}"),
        ("POST", f"/v1/things/{THING}/touch"),
    ):
        assert edge.ask(method, path, '{"text": "a"}', asleep).code == "tenant-suspended"
    assert edge.called == []


def test_a_signed_in_route_needs_no_tenant(edge: Edge) -> None:
    assert edge.ask("GET", "/v1/mine", headers={"authorization": "Bearer good"}).status == 200
    assert edge.door.asked == ["sign in", "turn in no tenant"]


def test_who_asked_before_is_forgotten(edge: Edge) -> None:
    assert edge.ask("GET", "/v1/things").status == 200
    for kind in ("caller", "user"):  # a route that asks for nobody and looks for somebody is a bug
        assert edge.ask("GET", f"/v1/astray/{kind}").status == 500
    assert edge.ask("GET", "/v1/things", headers={}).status == 401


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "/v1/things", "GET, HEAD, POST"),
        ("POST", "/v1/open", "GET, HEAD"),
        ("GET", f"/v1/things/{THING}", "DELETE, PATCH"),
        ("OPTIONS", "/v1/things/anything", "DELETE, PATCH"),
        ("TRACE", "/v1/mine", "GET, HEAD"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(edge: Edge, method: str, path: str, allow: str) -> None:
    reply = edge.ask(method, path)
    assert (reply.status, reply.headers["allow"]) == (405, allow)


def test_a_route_that_does_not_say_what_it_asks_cannot_be_registered(edge: Edge) -> None:
    with pytest.raises(TypeError, match="put @requires, @signed_in or @public below"):

        @edge.app.get("/v1/forgotten")
        def forgotten() -> None: ...

    with pytest.raises(TypeError):
        declared(test_a_suspended_tenant_reads)


def test_a_route_that_asks_for_a_user_needs_a_door() -> None:
    with pytest.raises(TypeError, match="give api\\(\\) a door"):

        @api().get("/v1/things")
        @requires("things:read")
        def things() -> None: ...
