"""The Graph API on loopback, with an account of acme's on each of its networks."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from socialflow.accounts.model import Profile
from socialflow.platform.clock import now
from socialflow.publishing.networks import gateway
from socialflow.publishing.networks.grants import Grant
from tests.conftest import Cloud
from tests.integration.publishing.conftest import Desk
from tests.integration.publishing.places import Place, granted, reachable
from tests.mastodon import Instance
from tests.peers import graph
from tests.peers.graph import Account, Graph

MUTATIONS = {
    "instagram": "/v25.0/{}/media_publish",
    "threads": "/v1.0/{}/threads_publish",
    "facebook": "/v25.0/{}/feed",
}
EVIDENCE = {
    "instagram": "/v25.0/{}/media",
    "threads": "/v1.0/{}/threads",
    "facebook": "/v25.0/{}/published_posts",
}


@pytest.fixture(scope="session")
def graph_server(cloud: Cloud, mastodon_server: Instance) -> Iterator[Graph]:
    """The server, reachable although it is on loopback."""
    with graph.running() as server, reachable(server.host):
        yield server


@dataclass(frozen=True)
class Studio:
    """The desk, the server, and an account of acme's on one of the networks."""

    desk: Desk
    server: Graph
    network: str
    owner: Account

    def account(self, *, expires_in: float = 864_000.0) -> str:
        """Connect the account; return its id."""
        profile = Profile(self.network, self.server.url, self.owner.id, self.owner.name)
        ends = None if self.network == "facebook" else now().timestamp() + expires_in
        return granted(self.desk, profile, Grant(self.owner.token, expires_at=ends))

    def acting(self) -> Any:
        """Return the account's gateway."""
        return gateway(self.network, base_url=self.server.url, token=Grant(self.owner.token).document())

    def pictures(self, number: int) -> list[dict[str, str]]:
        """Return pictures, each with an alt text of its own."""
        return [{"id": self.desk.media(alt_text=f"Picture {each}")} for each in range(number)]

    def publish(self, text: str, **more: Any) -> dict[str, Any]:
        """Publish a post; return its target."""
        if self.network == "instagram" and "media" not in more:
            more["media"] = self.pictures(1)
        post = self.desk.post(text, accounts=[self.account()], **more)
        self.desk.publish(post["id"], self.desk.ready(post["id"]))
        return self.desk.target(post["id"])

    @property
    def mutation(self) -> tuple[str, str]:
        """The request that publishes."""
        return "POST", MUTATIONS[self.network].format(self.owner.id)


@pytest.fixture(params=sorted(MUTATIONS))
def studio(
    request: pytest.FixtureRequest, desk: Desk, graph_server: Graph, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Studio]:
    """A desk with an account on one of the networks."""
    graph_server.wire.reset()
    for name, value in {"processes": 0, "fails": False, "lists": True, "error": None}.items():
        monkeypatch.setattr(graph_server, name, value)
    monkeypatch.setattr("socialflow.publishing.networks.containers.POLL", 0.01)
    yield Studio(desk, graph_server, request.param, graph_server.account())
    graph_server.wire.release.set()


@pytest.fixture
def place(studio: Studio) -> Place:
    """One of the networks."""
    return Place(
        network=studio.network,
        desk=studio.desk,
        wire=studio.server.wire,
        account=studio.account,
        listed=studio.owner.said,
        mutation=studio.mutation,
        evidence=("GET", EVIDENCE[studio.network].format(studio.owner.id)),
        media_first=studio.network == "instagram",
    )
