"""Events of every kind, also ones that the HTTP API would not send: never a failure, always a document."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from socialflow.platform.http.problems import MEDIA_TYPE
from tests.api import Reply, event
from tests.unit.http.conftest import THING, Edge

PATHS = ["/v1/things", f"/v1/things/{THING}", "/v1/things/check", f"/v1/things/{THING}/touch", "/v1/mine", "/v1/open"]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "get", "", "CONNECT"]
KNOWN_HEADERS = {
    "authorization": ["Bearer good", "Bearer bad", "Bearer", "\x00"],
    "x-tenant-id": ["acme", "asleep", "contoso", "é", "\ud800"],
    "content-type": ["application/json", "application/json; charset=utf-8", "text/plain", "multipart/form-data", ""],
    "content-length": ["-1", "x"],
    "if-match": ['"1"', "*", "\ud800", ""],
    "x-request-id": ["ok", "\r\n", "\ud800"],
    "cookie": ["a=b; c", "=", ";;;"],
    "accept-encoding": ["gzip", "*"],
    "origin": ["null", "https://evil.test"],
}
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
text = st.text(st.characters(exclude_categories=()), max_size=40)
paths = st.sampled_from(PATHS) | text.map("/v1/things/".__add__) | text
headers = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(values) for name, values in KNOWN_HEADERS.items()}
) | st.dictionaries(text, text, max_size=3)
things = st.fixed_dictionaries(
    {}, optional={"text": anything, "parts": anything, "at": anything, "free": anything, "more": anything}
)
bodies = (
    st.none()
    | text
    | anything.map(json.dumps)
    | things.map(json.dumps)
    | st.binary(max_size=60)
    | st.sampled_from(["[" * 50_000, "9" * 5_000, "NaN", '{"text":"\\ud800"}', "\ud800"])
)
parts = ["headers", "queryStringParameters", "pathParameters", "requestContext", "body", "rawPath", "isBase64Encoded"]
EXAMPLES = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def never_a_failure(edge: Edge, raw: Any) -> None:
    answer = edge.handler(raw, None)
    # as Lambda does it: an answer that cannot be encoded is a 502 of the gateway
    json.dumps(answer, ensure_ascii=False, allow_nan=False).encode()
    reply = Reply.read(answer)
    assert reply.status < 500, reply
    assert reply.status < 400 or reply.headers["content-type"] == MEDIA_TYPE
    assert reply.headers["x-request-id"]


@EXAMPLES
@given(method=st.sampled_from(METHODS), path=paths, headers=headers, query=st.dictionaries(text, text), body=bodies)
def test_no_request_makes_a_failure(
    edge: Edge, *, method: str, path: str, headers: dict[str, str], query: dict[str, str], body: str | bytes | None
) -> None:
    raw = event(method, "/", headers=headers, body=body)
    raw |= {"rawPath": path, "queryStringParameters": query}
    raw["requestContext"]["http"]["path"] = path
    never_a_failure(edge, raw)


@EXAMPLES
@given(body=things, path=st.sampled_from(PATHS[:4]), method=st.sampled_from(["POST", "PATCH"]))
def test_no_body_of_an_editor_makes_a_failure(edge: Edge, *, body: Any, path: str, method: str) -> None:
    given = {"authorization": "Bearer good", "x-tenant-id": "acme", "content-type": "application/json", "if-match": "*"}
    never_a_failure(edge, event(method, path, headers=given, body=json.dumps(body)))


@EXAMPLES
@given(changes=st.dictionaries(st.sampled_from(parts), anything, min_size=1, max_size=3))
def test_no_event_makes_a_failure(edge: Edge, *, changes: dict[str, Any]) -> None:
    signed = {"authorization": "Bearer good", "x-tenant-id": "acme", "content-type": "application/json"}
    never_a_failure(edge, {**event("POST", "/v1/things", headers=signed, body='{"text": "a"}'), **changes})


@pytest.mark.parametrize("raw", [[], "", 0, True, None])
def test_what_is_not_even_an_object_makes_no_failure(edge: Edge, raw: Any) -> None:
    never_a_failure(edge, raw)
