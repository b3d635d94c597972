"""Bodies and queries of the right shape and any content: each route answers, none fails."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from infra_cdk import openapi
from tests.api import Client, event
from tests.integration.conftest import Member
from tests.integration.http.test_refusals import WITH_A_BODY, RouteOf, routes

SCHEMAS = openapi.document()["components"]["schemas"]
PATHS = openapi.document()["paths"]
QUICK = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
    derandomize=True,
)
UUID_TEXT = "01890a5d-ac96-774b-bcce-b302099a8057"
PLAUSIBLE = [
    *(
        "",
        " ",
        "a",
        "x" * 300,
        "x" * 3_000,
        "\u202e\u0301",
        "👩‍👩‍👧",
        "DROP TABLE",
        "{s}",
        "%s",
        "{{}}",
        "../../etc/passwd",
    ),
    *(UUID_TEXT, UUID_TEXT.upper(), "00000000-0000-0000-0000-000000000000", "urn:uuid:" + UUID_TEXT),
    *("now", "next_slot", "2026-01-01T00:00:00Z", "9999-12-31T23:59:59.999999+14:00", "0001-01-01T00:00:00-14:00"),
    *("2026-02-30T00:00:00Z", "2026-03-29T02:30:00", "Europe/Berlin", "Factory", "../UTC", "twitter", "mastodon"),
    *("image/jpeg", "photo.jpg", "https://127.0.0.1:1/", "http://169.254.169.254/", "ftp://[::1]", "person", "device"),
]
scalars = (
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | st.sampled_from(PLAUSIBLE) | st.text()
)


anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)


def of(schema: dict[str, Any], name: str = "") -> st.SearchStrategy[Any]:
    """Make values of a schema's shape with any content, and now and then of no shape at all."""
    if "$ref" in schema:
        return of(SCHEMAS[schema["$ref"].rpartition("/")[2]], name)
    if "anyOf" in schema:
        return st.one_of([of(inner, name) for inner in schema["anyOf"]])
    if "const" in schema or "enum" in schema:
        return st.sampled_from(schema.get("enum", [schema.get("const")])) | scalars
    return of_type(schema, name)


def of_type(schema: dict[str, Any], name: str) -> st.SearchStrategy[Any]:
    kind = schema.get("type")
    if kind == "object" and "properties" in schema:
        inner = {key: of(value, key) for key, value in schema["properties"].items()}
        return st.fixed_dictionaries({}, optional=inner) | st.fixed_dictionaries(inner)
    if kind == "object":
        return st.dictionaries(st.sampled_from(PLAUSIBLE), of(schema.get("additionalProperties") or {}), max_size=2)
    if kind == "array":
        return st.lists(of(schema.get("items", {})), max_size=3)
    if kind in {"integer", "boolean"}:
        return st.booleans() if kind == "boolean" else st.integers(-1, 12) | st.integers()
    return text(schema, name)


def text(schema: dict[str, Any], name: str) -> st.SearchStrategy[Any]:
    if schema.get("type") != "string":
        return anything
    if schema.get("format") == "uuid":
        return st.sampled_from([UUID_TEXT, UUID_TEXT[:-1] + "8", UUID_TEXT.replace("7", "4")])
    if name == "base_url":  # a host name of hypothesis' own would be looked up
        return st.sampled_from(PLAUSIBLE)
    return st.sampled_from(PLAUSIBLE) | st.text()


def bodies(route: RouteOf) -> st.SearchStrategy[Any]:
    """Make bodies of the shape that a route documents."""
    return of(PATHS[route.template][route.method.lower()]["requestBody"]["content"]["application/json"]["schema"])


def send(client: Client, route: RouteOf, path: str, body: object = None) -> None:
    headers = {**client.headers, "content-type": "application/json", "if-match": '"1"'}
    reply = client.send(event(route.method, path, headers=headers, body=None if body is None else json.dumps(body)))
    assert reply.status < 500, (body, reply)


@pytest.mark.parametrize("route", WITH_A_BODY, ids=str)
def test_no_body_makes_a_failure(route: RouteOf, member: Member) -> None:
    client = member("owner")

    @QUICK
    @given(body=bodies(route))
    def check(body: Any) -> None:
        send(client, route, route.path, body)

    check()


@pytest.mark.parametrize("route", [route for route in routes() if route.method == "GET"], ids=str)
def test_no_query_makes_a_failure(route: RouteOf, member: Member) -> None:
    client = member("owner")
    parameters = PATHS[route.template]["get"].get("parameters", [])
    names = [parameter["name"] for parameter in parameters if parameter.get("in") == "query"]

    @QUICK
    @given(
        query=st.dictionaries(st.sampled_from([*names, "other"]), st.sampled_from(PLAUSIBLE) | st.text(), max_size=4)
    )
    def check(query: dict[str, str]) -> None:
        asked = "&".join(f"{name}={quote(value, errors='replace')}" for name, value in query.items())
        send(client, route, f"{route.path}?{asked}")

    check()
