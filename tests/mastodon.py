"""A Mastodon server on loopback behind a wire that can be cut: the independent mastodon_mock, not one of ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from mastodon_mock.config import DatabaseConfig, MastodonMockConfig, SeedAccount, SeedConfig
from mastodon_mock.testing.server import MockServer

from socialflow.publishing.networks.evidence import plain
from tests.wire import Wire, wired

TOKEN = "mock_token"
OTHER_TOKEN = "other_token"


@dataclass(frozen=True)
class Instance:
    """The server, the wire before it, and what the server itself shows."""

    server: MockServer
    wire: Wire
    url: str

    @property
    def host(self) -> str:
        """host:port of the wire."""
        return self.url.removeprefix("http://")

    def account(self, token: str = TOKEN) -> dict[str, Any]:
        """Return whose token it is."""
        found: dict[str, Any] = self._get("/api/v1/accounts/verify_credentials", token)
        return found

    def statuses(self, token: str = TOKEN) -> list[dict[str, Any]]:
        """Return the account's statuses as the server lists them, the newest first."""
        found: list[dict[str, Any]] = self._get(
            f"/api/v1/accounts/{self.account(token)['id']}/statuses?limit=40", token
        )
        return found

    def texts(self) -> list[str]:
        """Return the texts of the account's statuses, the oldest first."""
        return [self._get(f"/api/v1/statuses/{one['id']}/source")["text"] for one in reversed(self.statuses())]

    def every_text(self) -> list[str]:
        """Return the texts of all the account's statuses, as the server lists them, the oldest first."""
        found: list[dict[str, Any]] = []
        path, older = f"/api/v1/accounts/{self.account()['id']}/statuses?limit=40", ""
        while page := self._get(path + older):
            found += page
            older = f"&max_id={page[-1]['id']}"
        return [plain(one["content"]).strip() for one in reversed(found)]

    def answered(self) -> list[tuple[str, str]]:
        """Return the texts of the account's statuses with what each is a reply to, the oldest first."""
        said = {one["id"]: plain(one["content"]).strip() for one in self.statuses()}
        return [(said[one["id"]], said.get(one["in_reply_to_id"], "")) for one in reversed(self.statuses())]

    def post(self, text: str, *, key: str | None = None) -> str:
        """Post as the account's owner would in another client, or under a key of ours; return the id."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        if key is not None and not self.wire.strips_keys:
            headers["Idempotency-Key"] = key
        made = self.wire.client.post("/api/v1/statuses", json={"status": text}, headers=headers)
        return str(made.raise_for_status().json()["id"])

    def fault(self, method: str, path: str, *, count: int = 1, **effect: Any) -> None:
        """Let the server itself fail: its own fault injection."""
        rule = {"match": {"methods": [method], "path": path}, "effect": effect, "count": count}
        self.wire.client.post("/api/v1/_mock/faults", json=rule).raise_for_status()

    def reset(self) -> None:
        """Bring server and wire back to their beginning."""
        self.wire.client.delete("/api/v1/_mock/faults").raise_for_status()
        self.wire.client.post("/api/v1/_mock/reset").raise_for_status()
        self.wire.reset()

    def _get(self, path: str, token: str = TOKEN) -> Any:
        answer = self.wire.client.get(path, headers={"Authorization": f"Bearer {token}"})
        return answer.raise_for_status().json()


def _config(seed: SeedConfig, media: str) -> MastodonMockConfig:
    return MastodonMockConfig(database=DatabaseConfig(path=":memory:"), seed=seed, media_storage_path=media)


@contextmanager
def instance() -> Iterator[Instance]:
    """Start a server and its wire on loopback; stop both at the end."""
    seed = SeedConfig(
        accounts=[
            SeedAccount(username="acme", display_name="Acme", access_token=TOKEN),
            SeedAccount(username="other", display_name="Other", access_token=OTHER_TOKEN),
        ]
    )
    with (
        TemporaryDirectory() as media,
        MockServer(config=_config(seed, media)) as server,
        httpx.Client(base_url=server.base_url, timeout=40) as client,
        wired(client) as (wire, url),
    ):
        yield Instance(server, wire, url)
