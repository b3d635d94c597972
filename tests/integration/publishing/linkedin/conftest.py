"""LinkedIn on loopback, with an account of acme's."""

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
from tests.peers import linkedin
from tests.peers.linkedin import LinkedIn, Member


@pytest.fixture(scope="session")
def linkedin_server(cloud: Cloud, mastodon_server: Instance) -> Iterator[LinkedIn]:
    """The server, reachable although it is on loopback."""
    with linkedin.running() as server, reachable(server.host):
        yield server


@dataclass(frozen=True)
class Office:
    """The desk, the server, and an account of acme's there."""

    desk: Desk
    server: LinkedIn
    member: Member

    def account(self, *, expires_in: float = 7200.0) -> str:
        """Connect the account; return its id."""
        profile = Profile("linkedin", self.server.url, self.member.urn, "Acme Ltd")
        grant = Grant(self.member.token, self.member.refresh, now().timestamp() + expires_in)
        return granted(self.desk, profile, grant)

    def publish(self, text: str, **more: Any) -> dict[str, Any]:
        """Publish a post; return its target."""
        post = self.desk.post(text, accounts=[self.account()], **more)
        self.desk.publish(post["id"], self.desk.ready(post["id"]))
        return self.desk.target(post["id"])


@pytest.fixture
def office(desk: Desk, linkedin_server: LinkedIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """A desk with an account on LinkedIn."""
    linkedin_server.wire.reset()
    monkeypatch.setattr(linkedin_server, "shows_posts", True)
    monkeypatch.setattr(linkedin_server, "ghosts", False)
    monkeypatch.setattr(linkedin_server, "elsewhere", "")
    yield Office(desk, linkedin_server, linkedin_server.member())
    linkedin_server.wire.release.set()


@pytest.fixture
def place(office: Office) -> Place:
    """LinkedIn, as one of the networks."""
    return Place(
        network="linkedin",
        desk=office.desk,
        wire=office.server.wire,
        account=office.account,
        listed=lambda: office.server.said(office.member),
        mutation=("POST", "/rest/posts"),
        evidence=("GET", "/rest/posts"),
    )
