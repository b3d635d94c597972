"""A gate in front of a network: requests pass, and the chosen one is held after the network has taken it, or is lost.

The stack believes that the gate is the network. A test waits until the chosen request has come to the named point,
kills whatever it wants to kill, and opens the gate again. Nothing in the product knows of it.
"""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "host", "content-length"}
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]
Point = Literal["after", "instead"]


@dataclass
class Hold:
    """One request that is to be held at `POST <path>`: after the network has answered, or instead of reaching it."""

    path: str
    point: Point
    reached: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)


class Gate:
    """The proxy's switches. `forget_keys` drops Idempotency-Key, as a server does that does not know it."""

    def __init__(self, network: str, port: int) -> None:
        """Stand on `port` in front of `network` (a base URL)."""
        self.network = network
        self.url = f"http://127.0.0.1:{port}"
        self.forget_keys = False
        self.hold: Hold | None = None
        self.taken: list[str] = []
        """The answers' status and path of each POST that the network has answered."""

    @contextmanager
    def holding(self, path: str) -> Iterator[Hold]:
        """Hold every POST of that path until the end of the block, once the network has answered it."""
        with self._armed(Hold(path, "after")) as hold:
            yield hold

    @contextmanager
    def losing(self, path: str) -> Iterator[Hold]:
        """Hold every POST of that path until the end of the block, and never pass it on."""
        with self._armed(Hold(path, "instead")) as hold:
            yield hold

    @contextmanager
    def _armed(self, hold: Hold) -> Iterator[Hold]:
        self.hold = hold
        try:
            yield hold
        finally:
            self.hold = None
            hold.released.set()

    async def pass_on(self, request: Request) -> Response:
        """Send a request to the network and its answer back."""
        hold = self.hold
        held = hold if hold and request.method == "POST" and request.url.path == hold.path else None
        if held and held.point == "instead":
            await self._wait(held)
            return Response(status_code=502)
        dropped = HOP_BY_HOP | ({"idempotency-key"} if self.forget_keys else set())
        headers = [(name, value) for name, value in request.headers.items() if name not in dropped]
        target = f"{self.network}{request.url.path}" + (f"?{request.url.query}" if request.url.query else "")
        async with httpx.AsyncClient(timeout=20) as client:
            answer = await client.request(request.method, target, headers=headers, content=await request.body())
        if request.method == "POST":
            self.taken.append(f"{answer.status_code} {request.url.path}")
        if held and held.point == "after":
            await self._wait(held)
        kept = {name: value for name, value in answer.headers.items() if name not in {*HOP_BY_HOP, "content-encoding"}}
        return Response(answer.content, answer.status_code, kept)

    async def _wait(self, hold: Hold) -> None:
        hold.reached.set()
        await asyncio.to_thread(hold.released.wait, 120)


@contextmanager
def gate_before(network: str, port: int) -> Iterator[Gate]:
    """Run a gate on 127.0.0.1 until the end of the block."""
    gate = Gate(network, port)
    app = Starlette(routes=[Route("/{path:path}", gate.pass_on, methods=METHODS)])
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 10
    while not server.started:
        if time.monotonic() > until:
            raise TimeoutError("The gate did not open within 10 s")
        time.sleep(0.02)
    try:
        yield gate
    finally:
        server.should_exit = True
        thread.join(10)
