"""Late on loopback, with accounts of acme's there."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from socialflow.platform import settings
from tests.api import Reply
from tests.conftest import Cloud
from tests.integration.publishing.conftest import Desk
from tests.integration.publishing.places import Place, reachable
from tests.mastodon import Instance
from tests.peers import late
from tests.peers.late import Account, Late

KEY = "sk_acme_0123"


@pytest.fixture(scope="session")
def late_server(cloud: Cloud, mastodon_server: Instance) -> Iterator[Late]:
    """The server, reachable although it is on loopback."""
    with late.running() as server, pytest.MonkeyPatch.context() as patch, reachable(server.host):
        patch.setenv("SOCIALFLOW_LATE_API_BASE", server.url)
        settings.forget()
        yield server
    settings.forget()


@dataclass(frozen=True)
class Desked:
    """The desk, the server, and an account of acme's there."""

    desk: Desk
    server: Late
    theirs: Account

    def put(self, **body: Any) -> Reply:
        """Set the key."""
        return self.desk.admin.request("PUT", "/v1/networks/late", {"api_key": KEY, **body})

    def account(self) -> str:
        """Connect the account by way of Late; return its id."""
        reply = self.put(accounts=[self.theirs.id])
        assert reply.status == 200, reply
        (found,) = [one["account_id"] for one in reply.json["accounts"] if one["id"] == self.theirs.id]
        return str(found)

    def said(self) -> list[str]:
        """Return what came out on the account's network."""
        return [text for text, _ in self.server.said[self.theirs.id]]

    def publish(self, text: str, **more: Any) -> dict[str, Any]:
        """Publish a post; return its target."""
        post = self.desk.post(text, accounts=[self.account()], **more)
        self.desk.publish(post["id"], self.desk.ready(post["id"]))
        return self.desk.target(post["id"])

    def choose(self, network: str, route: str) -> Reply:
        """Choose the way to a network."""
        return self.desk.admin.request("PUT", f"/v1/networks/{network}/route", {"route": route})


@pytest.fixture
def ldesk(desk: Desk, late_server: Late) -> Iterator[Desked]:
    """A desk with an account that Late reaches."""
    late_server.reset()
    yield Desked(desk, late_server, late_server.account("twitter", KEY))
    late_server.wire.release.set()


@pytest.fixture
def place(ldesk: Desked) -> Place:
    """X by way of Late, as one of the networks."""
    return Place(
        network="x",
        desk=ldesk.desk,
        wire=ldesk.server.wire,
        account=ldesk.account,
        listed=ldesk.said,
        mutation=("PUT", "/api/v1/posts/"),
        evidence=("GET", "/api/v1/posts/"),
        repeats=True,
    )
