"""The front door between a client and an upstream that tells what reached it, over real sockets."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import httpx
import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from infra_cdk.local import front_door

PREFIX = "/_aws/execute-api/abc/$default"


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with what arrived: method, raw path, raw query, headers, and how many bytes of which sum."""
    if scope["type"] != "http":
        return
    size = total = 0
    more = True
    while more:
        message = await receive()
        size, total = size + len(message.get("body", b"")), total + sum(message.get("body", b""))
        more = message.get("more_body", False)
    told = {
        "method": scope["method"],
        "path": scope["raw_path"].decode(),
        "query": scope["query_string"].decode(),
        "headers": [[key.decode(), value.decode("latin-1")] for key, value in scope["headers"]],
        "size": size,
        "sum": total,
    }
    body = json.dumps(told).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"set-cookie", b"a=1"),
        (b"set-cookie", b"b=2"),
    ]
    await send({"type": "http.response.start", "status": 299, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@contextmanager
def served(app: ASGIApp) -> Iterator[str]:
    """The application on a free port, in a thread."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(app, http="h11", log_level="error", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + 10
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        try:
            yield address
        finally:
            server.should_exit = True
            thread.join(10)


@pytest.fixture(scope="module")
def front() -> Iterator[str]:
    with served(echo) as upstream, served(front_door.build(upstream + PREFIX, {"API": "http://a"})) as door:
        yield door


def _raw(front: str, request: bytes) -> bytes:
    """What the door answers to exactly these bytes."""
    host, port = front.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(request)
        answer = b""
        while chunk := connection.recv(65_536):
            answer += chunk
    return answer


def _told(front: str, target: str, *lines: str) -> dict[str, object]:
    request = "\r\n".join([f"GET {target} HTTP/1.1", "Host: somewhere.else", "Connection: close", *lines, "", ""])
    head, _, body = _raw(front, request.encode("latin-1")).partition(b"\r\n\r\n")
    assert b" 299 " in head.split(b"\r\n", 1)[0], head
    found: dict[str, object] = json.loads(body)
    return found


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/v1/me", "/v1/me", ""),
        ("/v1/media?state=a&state=b&&=&x", "/v1/media", "state=a&state=b&&=&x"),
        ("/v1/a%2Fb/%zz/%C3%A9?q=%2B+%25%zz", "/v1/a%2Fb/%zz/%C3%A9", "q=%2B+%25%zz"),
        ("//v1//me/", "//v1//me/", ""),
        ("/v1/../v1/./me;p=1?a=[1]|{2}^`", "/v1/../v1/./me;p=1", "a=[1]|{2}^`"),
    ],
)
def test_paths_and_queries_arrive_as_they_were_sent(front: str, target: str, path: str, query: str) -> None:
    told = _told(front, target)

    assert (told["path"], told["query"]) == (PREFIX + path, query)


def test_headers_of_the_connection_stay_behind_and_the_others_pass(front: str) -> None:
    told = _told(
        front, "/v1/me", "Connection: x-secret", "X-Secret: 1", "Keep-Alive: 5", "X-Two: a", "X-Two: b", "TE: x"
    )

    headers = [tuple(pair) for pair in told["headers"]]  # type: ignore[attr-defined] # JSON
    assert [value for name, value in headers if name == "x-two"] == ["a", "b"]
    assert not {name for name, _ in headers} & {"x-secret", "keep-alive", "te", "connection"}
    assert dict(headers)["host"] != "somewhere.else"  # the engine routes by it


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"])
def test_every_method_passes(front: str, method: str) -> None:
    answer = httpx.request(method, f"{front}/v1/me", trust_env=False)

    assert (answer.status_code, answer.json()["method"], answer.json()["size"]) == (299, method, 0)
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]


@pytest.mark.parametrize("known_length", [True, False])
def test_a_large_body_passes_unchanged(front: str, known_length: bool) -> None:
    chunk = bytes(range(256)) * 4_096
    content = chunk * 30 if known_length else (chunk for _ in range(30))

    told = httpx.post(f"{front}/v1/media", content=content, timeout=60, trust_env=False).json()

    assert (told["size"], told["sum"]) == (30 * len(chunk), 30 * sum(chunk))
    names = {name for name, _ in told["headers"]}
    assert ("content-length" in names) is known_length


def test_the_first_page_says_what_is_where(front: str) -> None:
    page = httpx.get(f"{front}/", trust_env=False)

    assert page.headers["content-type"].startswith("text/html")
    assert "http://a" in page.text


def test_a_crowd_waits_for_its_turn() -> None:
    under_way: list[int] = []
    most = 0

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal most
        if scope["type"] == "http":
            under_way.append(1)
            most = max(most, len(under_way))
            await asyncio.sleep(0.05)
            under_way.pop()
            await echo(scope, receive, send)

    with served(slow) as upstream, served(front_door.build(upstream, {})) as door:
        ask = partial(httpx.get, f"{door}/v1/me", trust_env=False, timeout=30)
        with ThreadPoolExecutor(30) as crowd:
            answers = [future.result().status_code for future in [crowd.submit(ask) for _ in range(60)]]

    assert answers == [299] * 60
    assert most == front_door.AT_ONCE


def test_an_engine_that_is_gone_is_a_problem_document() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        gone = taken.getsockname()[1]
    with served(front_door.build(f"http://127.0.0.1:{gone}", {})) as door:
        answer = httpx.post(f"{door}/v1/posts", json={}, headers={"X-Request-Id": "mine-1"}, trust_env=False)

    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    problem = answer.json()
    assert (problem["code"], problem["status"], problem["request_id"]) == ("unavailable", 503, "mine-1")
    assert answer.headers["x-request-id"] == "mine-1"
    assert int(answer.headers["retry-after"]) >= 1


def test_an_engine_that_hangs_up_is_a_problem_document() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up() -> None:
            connection, _ = listener.accept()
            connection.recv(65_536)
            connection.close()

        thread = threading.Thread(target=hang_up, daemon=True)
        thread.start()
        with served(front_door.build(f"http://127.0.0.1:{listener.getsockname()[1]}", {})) as door:
            answer = httpx.get(f"{door}/v1/posts", trust_env=False)
        thread.join(10)

    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [("application/json", 503, "unavailable"), ("application/problem+json; charset=utf-8", 429, "slow-down")],
)
def test_a_refusal_of_the_engine_becomes_a_problem_document_and_the_apis_own_stays(
    kind: str, status: int, code: str
) -> None:
    async def full(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            body = json.dumps({"__type": "TooManyRequestsException", "code": "slow-down"}).encode()
            headers = [(b"content-type", kind.encode()), (b"retry-after", b"7")]
            await send({"type": "http.response.start", "status": 429, "headers": headers})
            await send({"type": "http.response.body", "body": body})

    with served(full) as upstream, served(front_door.build(upstream, {})) as door:
        ask = partial(httpx.get, f"{door}/v1/posts", headers={"X-Request-Id": "mine-1"}, trust_env=False)
        answers = [ask() for _ in range(front_door.AT_ONCE + 1)]  # none of them keeps its place

    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer.headers["content-type"].startswith("application/problem+json")
        assert answer.headers["retry-after"] == ("7" if status == 429 else str(front_door.RETRY_AFTER_S))
    assert status == 429 or answers[0].json()["request_id"] == "mine-1"
