"""API keys in tests."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.api import Client
from tests.integration.conftest import Member

MadeKey = Callable[..., dict[str, Any]]


def holder(key: str, **headers: str) -> Client:
    """Return a client that sends a key, and no tenant."""
    return Client({"authorization": f"Bearer {key}"}).with_headers(**headers)


@pytest.fixture
def made_key(member: Member) -> MadeKey:
    """Make a key by the API: `made_key("media:read", by="admin")` is acme's."""

    def make(*scopes: str, by: str = "owner", slug: str = "acme", name: str = "A machine") -> dict[str, Any]:
        reply = member(by, slug).post("/v1/api-keys", {"name": name, "scopes": list(scopes)})
        assert reply.status == 201, reply
        made: dict[str, Any] = reply.json
        return made

    return make
