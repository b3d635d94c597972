"""Every route of the document says whom it lets in; what is open to everybody, or to anybody signed in, is listed."""

from collections.abc import Iterator
from typing import Any

import pytest

from infra_cdk import openapi
from socialflow.identity.model import PERMISSIONS, permissions_of

PUBLIC = {
    ("get", "/v1/health"),
    ("get", "/v1/plans"),
    ("post", "/v1/webhooks/clerk"),
    ("post", "/v1/webhooks/late/{token}"),
    ("post", "/v1/webhooks/stripe"),
}
SIGNED_IN = {
    ("get", "/v1/me"),
    ("get", "/v1/me/queue"),
    ("patch", "/v1/me"),
    ("get", "/v1/tenants"),
    ("post", "/v1/tenants"),
    ("post", "/v1/tenants/{slug}/restore"),
    ("post", "/v1/tenants/{slug}/leave"),
    ("post", "/v1/invitations/accept"),
}
TAKES_ALL = {"/v1/exports", "/v1/exports/{export_id}"}
"""A link to an archive of everything is for those who may ask for one: no API key may."""
READERS_MAY = {"media:read", "publishing:read", "team:read"}


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in openapi.document()["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


ROUTES = list(operations())


@pytest.mark.parametrize(
    ("method", "path", "operation"), ROUTES, ids=[f"{method.upper()} {path}" for method, path, _ in ROUTES]
)
def test_a_route_has_a_permission_or_is_listed(method: str, path: str, operation: dict[str, Any]) -> None:
    permission = operation.get("x-permission")
    parameters = [parameter.get("$ref", "") for parameter in operation.get("parameters", [])]
    if permission is None:
        assert (method, path) in PUBLIC | SIGNED_IN
        assert ("security" in operation) is ((method, path) in PUBLIC)
    else:
        assert (method, path) not in PUBLIC | SIGNED_IN
        assert permission in PERMISSIONS
        assert "#/components/parameters/Tenant" in parameters
        assert "403" in operation["responses"]


def test_what_is_listed_is_there() -> None:
    assert {(method, path) for method, path, _ in ROUTES} >= PUBLIC | SIGNED_IN


@pytest.mark.parametrize(
    ("method", "path", "operation"), ROUTES, ids=[f"{method.upper()} {path}" for method, path, _ in ROUTES]
)
def test_a_viewer_changes_nothing(method: str, path: str, operation: dict[str, Any]) -> None:
    permission = operation.get("x-permission")
    if permission is not None and not operation.get("x-reads-only", method == "get"):
        assert permission not in permissions_of("viewer")


def test_a_read_asks_for_a_right_to_read() -> None:
    gets = [(path, each) for method, path, each in ROUTES if method == "get" and each.get("x-reads-only", True)]
    reads = {operation.get("x-permission") for path, operation in gets if path not in TAKES_ALL} - {None}
    assert reads <= READERS_MAY | {"settings:read", "billing:read"}
