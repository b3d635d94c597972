"""TikTok on loopback, with an account of acme's."""

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
from tests.integration.publishing.places import granted, reachable
from tests.integration.publishing.test_videos import hashed
from tests.mastodon import Instance
from tests.peers import tiktok
from tests.peers.tiktok import Creator, TikTok


@pytest.fixture(scope="session")
def tiktok_server(cloud: Cloud, mastodon_server: Instance) -> Iterator[TikTok]:
    """The server, reachable although it is on loopback."""
    with tiktok.running() as server, reachable(server.host):
        yield server


@dataclass(frozen=True)
class Stage:
    """The desk, the server, and an account of acme's there."""

    desk: Desk
    server: TikTok
    creator: Creator

    def account(self, *, expires_in: float = 7200.0) -> str:
        """Connect the account; return its id."""
        profile = Profile("tiktok", self.server.url, self.creator.open_id, "Acme")
        grant = Grant(self.creator.token, self.creator.refresh, now().timestamp() + expires_in)
        return granted(self.desk, profile, grant)

    def acting(self) -> Any:
        """Return the account's gateway."""
        return gateway("tiktok", base_url=self.server.url, token=Grant(self.creator.token).document())

    def video(self, *, seconds: float) -> str:
        """Return an approved video that is large enough for TikTok."""
        media_id = hashed(self.desk, seconds=seconds)
        self.desk.owner.execute("UPDATE t_acme.media_items SET width = 720, height = 1280 WHERE id = %s", (media_id,))
        return media_id

    def post(self, text: str = "Dancing", **more: Any) -> tuple[dict[str, Any], int]:
        """Make a post and a run of its workflow, opened."""
        more.setdefault("media", [{"id": self.desk.media()}])
        post = self.desk.post(text, accounts=[self.account()], **more)
        run = self.desk.start(post["id"])
        self.desk.open(post["id"], run)
        return post, run

    def ready(self, text: str = "Dancing", **more: Any) -> tuple[dict[str, Any], int]:
        """Make a post and prepare it."""
        post, run = self.post(text, **more)
        assert self.desk.prepare(post["id"], run)["outcome"] == "prepared"
        return post, run


@pytest.fixture
def stage(desk: Desk, tiktok_server: TikTok, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """A desk with an account on TikTok."""
    tiktok_server.wire.reset()
    for name, value in {"works": 0, "fails": None, "refuses": None, "lists": True}.items():
        monkeypatch.setattr(tiktok_server, name, value)
    yield Stage(desk, tiktok_server, tiktok_server.creator())
    tiktok_server.wire.release.set()
