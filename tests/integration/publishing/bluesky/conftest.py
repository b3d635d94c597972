"""A post's life on Bluesky, step by step, against the stand-in or the real server on loopback."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import pytest

from socialflow.platform import settings
from tests import bluesky
from tests.api import Reply
from tests.bluesky import Owner, Pds
from tests.conftest import Cloud
from tests.integration.publishing.conftest import Desk
from tests.mastodon import Instance

PUT = "/xrpc/com.atproto.repo.putRecord"
GET = "/xrpc/com.atproto.repo.getRecord"
REFRESH = "/xrpc/com.atproto.server.refreshSession"


@pytest.fixture(scope="session", params=["stand_in", pytest.param("real", marks=pytest.mark.pds)])
def pds_server(request: pytest.FixtureRequest, cloud: Cloud, mastodon_server: Instance) -> Iterator[Pds]:
    """The server, reachable although it is on loopback."""
    start: Callable[[], AbstractContextManager[Pds]] = getattr(bluesky, request.param)
    with start() as running, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOCIALFLOW_EGRESS_ALLOWED_HOSTS", f"{mastodon_server.host},{running.host}")
        settings.forget()
        yield running
    settings.forget()


@dataclass(frozen=True)
class Sky:
    """The desk, and a Bluesky account of acme's."""

    desk: Desk
    pds: Pds
    owner: Owner

    def connect(self, **changed: Any) -> Reply:
        """Ask for the account to be connected."""
        body = {"network": "bluesky", "base_url": self.pds.url, "handle": self.owner.handle}
        body |= {"app_password": self.owner.app_password} | changed
        return self.desk.admin.post("/v1/accounts", {name: value for name, value in body.items() if value is not None})

    def account(self) -> str:
        """Connect the account; return its id."""
        reply = self.connect()
        assert reply.status in (200, 201), reply
        return str(reply.json["id"])

    def sealed(self) -> bytes:
        """Return the account's token as it is kept."""
        return bytes(self.desk.value("SELECT secret FROM t_acme.social_accounts WHERE network = 'bluesky'"))

    def texts(self) -> list[str]:
        """Return what the server lists."""
        return self.pds.texts(self.owner)


@pytest.fixture
def sky(desk: Desk, pds_server: Pds) -> Iterator[Sky]:
    """A desk with an account on Bluesky, not yet connected."""
    pds_server.wire.reset()
    yield Sky(desk, pds_server, pds_server.owner())
    pds_server.wire.release.set()
