"""What the stand-ins have in common: a server that reads a request whole and gives it to one function."""

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import Message
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests import doors


@dataclass(frozen=True)
class Asked:
    """A request as it came; names of headers in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    raw: bytes

    @property
    def token(self) -> str:
        """The bearer token."""
        return self.headers.get("authorization", "").removeprefix("Bearer ")

    @property
    def body(self) -> dict[str, Any]:
        """The JSON that was sent; empty where it is none."""
        try:
            found = json.loads(self.raw or b"{}")
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def form(self) -> dict[str, str]:
        """The fields of a form."""
        return dict(parse_qsl(self.raw.decode(), keep_blank_values=True))

    @property
    def parts(self) -> dict[str, bytes]:
        """The parts of a form with files, by name."""
        head = b"Content-Type: " + self.headers["content-type"].encode() + b"\r\n\r\n"
        message = message_from_bytes(head + self.raw, policy=policy.HTTP)
        return {str(part.get_param("name", header="content-disposition")): _content(part) for part in message.walk()}


def _content(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


@dataclass(frozen=True)
class Told:
    """An answer; a body that is no bytes goes out as JSON."""

    status: int
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)


Route = tuple[str, str, Callable[..., Told]]
"""A method, a pattern of paths, and what answers: it is given the request and the pattern's groups."""


def routed(routes: Sequence[Route], asked: Asked) -> Told | None:
    """Let the first route that fits answer; None where none does."""
    for method, pattern, answer in routes:
        if method == asked.method and (found := re.fullmatch(pattern, asked.path)):
            return answer(asked, *found.groups())
    return None


@contextmanager
def serving(answer: Callable[[Asked], Told]) -> Iterator[str]:
    """Serve until the end of the block, one request at a time; yield the address."""
    lock = threading.Lock()

    class Door(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            parts = urlsplit(self.path)
            raw = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            with lock:
                told = answer(Asked(self.command, parts.path, dict(parse_qsl(parts.query)), headers, raw))
            content = told.body if isinstance(told.body, bytes) else json.dumps(told.body).encode()
            if told.body is None:
                content = b""
            self.send_response(told.status)
            for name, value in {"Content-Type": "application/json", **told.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def do_PUT(self) -> None:
            self._serve()

        def do_DELETE(self) -> None:
            self._serve()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with doors.opened(Door) as door:
        yield door.url
