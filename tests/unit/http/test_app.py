"""Every answer's headers, request ids, HEAD, and events that are not what the HTTP API sends."""

from typing import Any

import pytest

from socialflow.platform.http.app import SECURITY_HEADERS
from tests.api import Reply, event
from tests.unit.http.conftest import SIGNED_IN, THING, Edge


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/open"), ("GET", "/v1/nothing"), ("PUT", "/v1/open"), ("GET", "/v1/mine"), ("GET", "/v1/bug"),
     ("POST", f"/v1/things/{THING}/touch")],
)  # fmt: skip
def test_every_answer_has_the_security_headers(edge: Edge, method: str, path: str) -> None:
    reply = edge.ask(method, path)
    assert {name: reply.headers[name.lower()] for name in SECURITY_HEADERS} == SECURITY_HEADERS


def test_a_request_id_comes_back(edge: Edge) -> None:
    reply = edge.ask("GET", "/v1/nothing", headers={"X-Request-Id": "3f1c-Ab.7"})
    assert (reply.headers["x-request-id"], reply.json["request_id"]) == ("3f1c-Ab.7", "3f1c-Ab.7")


@pytest.mark.parametrize("given", ["", "a\r\nSet-Cookie: b", "<script>", "x" * 129, "é", " a b "])
def test_an_unfit_request_id_is_replaced(edge: Edge, given: str) -> None:
    assert edge.ask("GET", "/v1/open", headers={"X-Request-Id": given}).headers["x-request-id"] == (
        "request-of-the-gateway"
    )


def test_without_any_request_id_one_is_made(edge: Edge) -> None:
    first, second = (Reply.read(edge.handler({"rawPath": "/v1/open"}, None)) for _ in range(2))
    assert (first.status, second.status) == (200, 200)
    assert first.headers["x-request-id"] != second.headers["x-request-id"]


@pytest.mark.parametrize(("path", "status"), [("/v1/open", 200), ("/v1/mine", 401), ("/v1/nothing", 404)])
def test_a_head_is_a_get_without_its_body(edge: Edge, path: str, status: int) -> None:
    reply = Reply.read(edge.handler(event("HEAD", path), None))
    assert reply.headers["content-type"] == edge.ask("GET", path, headers={}).headers["content-type"]
    assert (reply.status, reply.text) == (status, "")


def test_an_answer_without_content_has_none(edge: Edge) -> None:
    reply = edge.ask("POST", f"/v1/things/{THING}/touch")
    assert (reply.status, reply.text) == (204, "")
    assert "content-type" not in reply.headers


def test_created_tells_where_and_tagged_tells_which(edge: Edge) -> None:
    made = edge.ask("POST", "/v1/things", '{"text": "Grüße 🌱"}')
    assert (made.status, made.headers["location"], made.json["text"]) == (201, f"/v1/things/{THING}", "Grüße 🌱")
    changed = edge.ask("PATCH", f"/v1/things/{THING}", headers={**SIGNED_IN, "if-match": '"6"'})
    assert (changed.status, changed.headers["etag"]) == (200, '"7"')


@pytest.mark.parametrize(
    ("given", "version"),
    [('"6"', 6), ("*", None), ("6", -1), ('W/"6"', -1), ('"x"', -1), ('"6", "7"', -1),
     ('"٦"', -1), ('"' + "9" * 50 + '"', -1)],
)  # fmt: skip
def test_a_version_is_read_from_if_match(edge: Edge, given: str, version: int | None) -> None:
    edge.ask("PATCH", f"/v1/things/{THING}", headers={**SIGNED_IN, "if-match": given})
    assert edge.called == [f"change {version}"]


def test_without_if_match_nothing_is_changed(edge: Edge) -> None:
    assert edge.ask("PATCH", f"/v1/things/{THING}").status == 428
    assert edge.called == []


def test_missing_settings_are_a_bug_of_ours(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOCIALFLOW_STAGE")
    reply = edge.ask("GET", "/v1/open")
    assert (reply.status, reply.code) == (500, "internal")
    assert "SOCIALFLOW_STAGE" not in reply.text


@pytest.mark.parametrize(
    "change",
    [
        {"headers": None},
        {"headers": {"authorization": None, "x-tenant-id": ["acme"]}},
        {"queryStringParameters": None},
        {"queryStringParameters": {"limit": None}},
        {"pathParameters": None},
        {"body": None},
        {"body": {"already": "parsed"}},
        {"isBase64Encoded": None},
        {"requestContext": None},
        {"requestContext": {"http": None}},
        {"requestContext": {"http": {"method": None}}},
        {"requestContext": {"http": {"method": "get"}, "stage": None}},
        {"rawPath": None},
        {"rawPath": 7},
        {"rawQueryString": None},
        {"cookies": None},
        {"cookies": ["a=b"]},
        {"version": None},
        {"stageVariables": None},
    ],
    ids=repr,
)
def test_a_part_that_is_missing_is_empty(edge: Edge, change: dict[str, Any]) -> None:
    reply = Reply.read(edge.handler({**event("GET", "/v1/mine"), **change}, None))
    assert reply.status in {401, 404}


@pytest.mark.parametrize("raw", [{}, None, [], "text"])
def test_what_is_no_event_is_answered(edge: Edge, raw: Any) -> None:
    assert Reply.read(edge.handler(raw, None)).status == 404


def test_a_stage_with_a_name_is_no_part_of_the_path(edge: Edge) -> None:
    raw = event("GET", "/dev/v1/open")
    raw["requestContext"]["stage"] = "dev"
    assert Reply.read(edge.handler(raw, None)).status == 200
