"""HTTP servers on loopback: each is gone at the end of its block, with its sockets and everybody who still asks."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATIENCE = 60.0
"""Seconds for a client that says nothing."""


class Door(ThreadingHTTPServer):
    """A server that waits for its answers under way: what they use is closed after it, and nobody opens it again."""

    daemon_threads = False

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_port}"

    def get_request(self) -> Any:
        """Take a connection, and not for ever."""
        connection, address = super().get_request()
        connection.settimeout(PATIENCE)
        return connection, address

    def close(self) -> None:
        """Go away: from then on a connection is refused."""
        self.shutdown()
        self.server_close()


@contextmanager
def opened(handler: type[BaseHTTPRequestHandler]) -> Iterator[Door]:
    """Serve, each request in a thread, until the end of the block, however that comes."""
    with Door(("127.0.0.1", 0), handler) as door:
        thread = threading.Thread(target=door.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield door
        finally:
            door.shutdown()
            thread.join()
