"""A wire to a network's server that can be cut: a small proxy on loopback.

It passes everything on, and on request loses an answer after the server has acted on the question, loses the question
before, holds an answer back, or answers something else.
"""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Literal

import httpx

from tests import doors

Fault = (
    Literal["answer lost", "question lost", "answer held", "garbage", "bad gateway", "redirect", "limited", "down"]
    | int
)
"""What may happen; a number is a status that is answered in the server's place, with nothing told."""
LIMITED = 90
"""Seconds until a limit of the wire's ends."""
_HOP_BY_HOP = {"host", "connection", "content-length", "transfer-encoding", "accept-encoding", "content-encoding"}


@dataclass
class Wire:
    """What happens to requests on their way. Faults are used up one by one."""

    client: httpx.Client
    faults: list[tuple[str, str, Fault]] = field(default_factory=list)
    strips_keys: bool = False
    errands: list[tuple[str, str, Callable[[], object]]] = field(default_factory=list)
    seen: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    kept: tuple[str, str] | None = None
    remembered: list[bytes] = field(default_factory=list)
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

    def remember(self, method: str, path: str) -> None:
        """Keep what such requests send from here on."""
        self.kept = (method, path)

    def forward(self, method: str, target: str, headers: dict[str, str], body: bytes) -> httpx.Response:
        """Let the server act on a request."""
        if self.kept == (method, target.split("?", maxsplit=1)[0]):
            self.remembered.append(body)
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
        self.kept, self.remembered = None, []
        self.faults, self.seen, self.strips_keys, self.release = [], [], False, threading.Event()


class _Proxy(BaseHTTPRequestHandler):
    wire: Wire

    def do_GET(self) -> None:
        self._pass()

    def do_POST(self) -> None:
        self._pass()

    def do_PUT(self) -> None:
        self._pass()

    def do_PATCH(self) -> None:
        self._pass()

    def do_DELETE(self) -> None:
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
        elif fault == "limited":
            reset = {"ratelimit-reset": str(int(time.time()) + LIMITED), "content-type": "application/json"}
            self._answer(
                429, reset, json.dumps({"error": "RateLimitExceeded", "message": "Rate Limit Exceeded"}).encode()
            )
        elif isinstance(fault, int):
            self._answer(fault, {"content-type": "application/json"}, b"{}")
        elif fault == "down":
            self._answer(503, {"content-type": "text/html"}, b"<h1>Down</h1>")
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


@contextmanager
def wired(client: httpx.Client) -> Iterator[tuple[Wire, str]]:
    """Lay a wire to the server that a client speaks with; return it and its address."""
    wire = Wire(client)
    handler = type("Proxy", (_Proxy,), {"wire": wire})
    with doors.opened(handler) as door:
        try:
            yield wire, door.url
        finally:
            wire.release.set()
