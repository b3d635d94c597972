"""The API on loopback: what others send over HTTP comes to the function that has the route."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer

from socialflow.platform import database
from tests.api import Reply, event, function_of


@dataclass
class Arrivals:
    """Where the API listens, and what came there: the body and what it was answered."""

    url: str = ""
    came: list[tuple[bytes, Reply]] = field(default_factory=list)


@contextmanager
def listening() -> Iterator[Arrivals]:
    """Take requests, one at a time as a function does, until the end of the block."""
    arrivals = Arrivals()

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked = event("POST", self.path, headers=dict(self.headers), body=raw)
            try:
                reply = Reply.read(json.loads(json.dumps(function_of(asked["rawPath"]).handler(asked, None))))
            finally:
                database.forget()  # the connections of this thread
            body = reply.text.encode()
            self.send_response(reply.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            arrivals.came.append((raw, reply))

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Door) as server:
        arrivals.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield arrivals
        finally:
            server.shutdown()
            thread.join()
