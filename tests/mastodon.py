"""A Mastodon server on loopback behind a wire that can be cut: the independent mastodon_mock, not one of ours.

The wire is a small proxy. It passes everything on, and on request loses an answer after the server has acted on the
question, loses the question before, holds an answer back, or answers something else.
"""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from tempfile import TemporaryDirectory
from typing import Any, Literal

import httpx
from mastodon_mock.config import DatabaseConfig, MastodonMockConfig, SeedAccount, SeedConfig
from mastodon_mock.testing.server import MockServer

TOKEN = "mock_token"
OTHER_TOKEN = "other_token"

Fault = Literal["answer lost", "question lost", "answer held", "garbage", "bad gateway", "redirect"]
_HOP_BY_HOP = {"host", "connection", "content-length", "transfer-encoding", "accept-encoding", "content-encoding"}


@dataclass
class Wire:
    """What happens to requests on their way. Faults are used up one by one."""

    client: httpx.Client
    faults: list[tuple[str, str, Fault]] = field(default_factory=list)
    strips_keys: bool = False
    errands: list[tuple[str, str, Callable[[], object]]] = field(default_factory=list)
    seen: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fail(self, method: str, path: str, fault: Fault, times: int = 1) -> None:
        """Let the next requests of that method, to a path that begins so, meet a fault."""
        self.faults.extend([(method, path, fault)] * times)

    def meanwhile(self, method: str, path: str, errand: Callable[[], object]) -> None:
        """Do something while the next such request is on its way."""
        self.errands.append((method, path, errand))

    def run_errands(self, method: str, path: str) -> None:
        """Do what was to be done while such a request is on its way."""
        for each in [one for one in self.errands if one[:2] == (method, path)]:
            self.errands.remove(each)
            each[2]()

    def take(self, method: str, path: str, headers: dict[str, str]) -> Fault | None:
        """Note a request; return the fault that it meets."""
        with self.lock:
            self.seen.append((method, path, headers))
            for each in self.faults:
                if each[0] == method and path.startswith(each[1]):
                    self.faults.remove(each)
                    return each[2]
        return None

    def forward(self, method: str, target: str, headers: dict[str, str], body: bytes) -> httpx.Response:
        """Let the server act on a request."""
        return self.client.request(method, target, headers=headers, content=body)

    def asked(self, method: str, path: str) -> int:
        """Return how many requests of that method went to that path."""
        return sum(1 for seen in self.seen if seen[:2] == (method, path))

    def keys(self) -> set[str]:
        """Return the idempotency keys that were sent."""
        return {headers["idempotency-key"] for _, _, headers in self.seen if "idempotency-key" in headers}

    def reset(self) -> None:
        """Forget everything."""
        self.release.set()
        self.errands = []
        self.faults, self.seen, self.strips_keys, self.release = [], [], False, threading.Event()


class _Proxy(BaseHTTPRequestHandler):
    wire: Wire

    def do_GET(self) -> None:
        self._pass()

    def do_POST(self) -> None:
        self._pass()

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
        fault = self.wire.take(self.command, self.path.split("?")[0], headers)
        self.wire.run_errands(self.command, self.path.split("?")[0])
        if self.wire.strips_keys:
            headers.pop("idempotency-key", None)
        if fault == "question lost":
            self._reset()
        elif fault == "redirect":
            self._answer(303, {"location": "/elsewhere"}, b"")
        else:
            self._give_back(fault, self.wire.forward(self.command, self.path, headers, body))

    def _give_back(self, fault: Fault | None, answer: httpx.Response) -> None:
        if fault == "answer held":
            self.wire.release.wait(timeout=30)
        if fault in ("answer lost", "answer held"):
            self._reset()
        elif fault == "garbage":
            self._answer(200, {"content-type": "application/json"}, b'{"error": "trunc')
        elif fault == "bad gateway":
            self._answer(502, {"content-type": "text/html"}, b"<h1>Bad gateway</h1>")
        else:
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP_BY_HOP}
            self._answer(answer.status_code, kept, answer.content)

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _reset(self) -> None:
        """Close with a reset, as a machine does that has lost the connection."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()
        self.wfile = self.rfile = open("/dev/null", "r+b")  # noqa: SIM115, PTH123 # the handler flushes and closes both

    def log_message(self, *_: object) -> None:
        """Say nothing."""


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
    ):
        wire = Wire(client)
        handler = type("Proxy", (_Proxy,), {"wire": wire})
        with ThreadingHTTPServer(("127.0.0.1", 0), handler) as proxy:
            proxy.daemon_threads = True
            thread = threading.Thread(target=proxy.serve_forever, daemon=True)
            thread.start()
            yield Instance(server, wire, f"http://127.0.0.1:{proxy.server_port}")
            wire.release.set()
            proxy.shutdown()
            thread.join()
