"""Providers of models on loopback: answers as scripted, and what was asked, byte for byte."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests import doors


@dataclass
class Wire:
    """What a server answers: one after the other, the last one for all later; and what it was asked."""

    script: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    base: str = ""
    pause: float = 0.0
    cut: bool = False
    close: Callable[[], None] = lambda: None
    """Go away: from then on a connection is refused."""

    def answers(self, status: int, body: Any, **headers: str) -> None:
        """Script one more answer."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.script.append((status, {name.replace("_", "-"): value for name, value in headers.items()}, raw))

    @property
    def address(self) -> str:
        """Host and port."""
        return self.base.removeprefix("http://")

    def text(self) -> str:
        """Everything that was asked, headers included."""
        return "\n".join(f"{m} {p} {h} {b.decode(errors='replace')}" for m, p, h, b in self.asked)


@contextmanager
def server() -> Iterator[Wire]:
    """Serve a wire on loopback."""
    wire = Wire()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            wire.asked.append((self.command, self.path, dict(self.headers), body))
            status, headers, raw = wire.script[min(len(wire.asked), len(wire.script)) - 1]
            time.sleep(wire.pause)
            self.send_response(status)
            for name, value in ({"content-type": "application/json"} | headers).items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(raw) + (1_000 if wire.cut else 0)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = _answer  # noqa: N815 # the library's names

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    with doors.opened(Handler) as door:
        wire.base, wire.close = door.url, door.close
        yield wire
