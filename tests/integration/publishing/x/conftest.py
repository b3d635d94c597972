"""X on loopback, with an account of acme's."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from socialflow.accounts.model import Profile
from socialflow.platform.clock import now
from socialflow.publishing.networks.grants import Grant
from tests.conftest import Cloud
from tests.integration.publishing.conftest import Desk
from tests.integration.publishing.places import Place, granted, reachable
from tests.mastodon import Instance
from tests.peers import x
from tests.peers.x import User, X


@pytest.fixture(scope="session")
def x_server(cloud: Cloud, mastodon_server: Instance) -> Iterator[X]:
    """The server, reachable although it is on loopback."""
    with x.running() as server, reachable(server.host):
        yield server


@dataclass(frozen=True)
class Desked:
    """The desk, the server, and an account of acme's there."""

    desk: Desk
    server: X
    user: User

    def account(self, *, expires_in: float = 7200.0) -> str:
        """Connect the account; return its id."""
        profile = Profile("x", self.server.url, self.user.id, f"@{self.user.username}")
        return granted(self.desk, profile, Grant(self.user.token, self.user.refresh, now().timestamp() + expires_in))

    def publish(self, text: str, **more: Any) -> dict[str, Any]:
        """Publish a post; return its target."""
        post = self.desk.post(text, accounts=[self.account()], **more)
        self.desk.publish(post["id"], self.desk.ready(post["id"]))
        return self.desk.target(post["id"])


@pytest.fixture
def xdesk(desk: Desk, x_server: X) -> Iterator[Desked]:
    """A desk with an account on X."""
    x_server.wire.reset()
    yield Desked(desk, x_server, x_server.user())
    x_server.wire.release.set()


@pytest.fixture
def place(xdesk: Desked) -> Place:
    """X, as one of the networks."""
    user = xdesk.user
    return Place(
        network="x",
        desk=xdesk.desk,
        wire=xdesk.server.wire,
        account=xdesk.account,
        listed=lambda: [said for said, _ in user.said],
        mutation=("POST", "/2/tweets"),
        evidence=("GET", f"/2/users/{user.id}/tweets"),
    )
