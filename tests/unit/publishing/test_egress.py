"""The way out: which addresses are public, what is connected to, and how long anything may take."""

import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from socialflow.platform import egress, settings

PUBLIC = ("8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808")
NOT_PUBLIC = (
    "0.0.0.0",  # noqa: S104 # not bound to: refused
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2001:0:7f00:1::",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "ff02::1",
)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address(address: str) -> None:
    assert egress.is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_that_is_not_public(address: str) -> None:
    assert not egress.is_public(ipaddress.ip_address(address))


@pytest.fixture
def allow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Exempt a host:port, as the local stage's settings do."""

    def exempt(host: str) -> None:
        monkeypatch.setenv("SOCIALFLOW_EGRESS_ALLOWED_HOSTS", host)
        settings.forget()

    exempt("")
    yield exempt
    monkeypatch.undo()
    settings.forget()


@contextmanager
def speaker(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """Listen on loopback and let `talk` answer each connection; yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)

        def serve() -> None:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                try:
                    talk(connection)
                except OSError:
                    return  # the client has had enough

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
    thread.join()


def get(port: int, *, seconds: float = 5.0, host: str = "127.0.0.1") -> httpx.Response:
    with egress.client(f"http://{host}:{port}", seconds=seconds) as client:
        return egress.send(client, client.build_request("GET", "/"))


def hello(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")


def test_an_exempt_host_is_called(allow: Callable[[str], None]) -> None:
    with speaker(hello) as port:
        allow(f"127.0.0.1:{port}")
        assert get(port).text == "hi"


def test_the_exemption_is_of_one_port_and_one_name(allow: Callable[[str], None]) -> None:
    allow("127.0.0.1:1")
    with pytest.raises(egress.HostRefused):
        get(2)
    with pytest.raises(egress.HostRefused):
        get(1, host="localhost")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "[::ffff:127.0.0.1]", "0"])
def test_a_private_host_is_refused_before_anything_is_sent(allow: Callable[[str], None], host: str) -> None:
    with egress.client(f"https://{host}", seconds=5) as client, pytest.raises(egress.HostRefused):
        egress.send(client, client.build_request("GET", "/"))


def test_the_name_is_resolved_once_and_the_judged_address_is_called(
    allow: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A resolver whose second answer is private gets nowhere."""
    answers = ["203.0.114.7", "127.0.0.1"]
    called: list[object] = []

    def resolve(host: object, port: object, *_: object, **__: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answers.pop(0), port))]

    def connect(address: object, *_: object, **__: object) -> socket.socket:
        called.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", connect)
    with egress.client("https://rebinding.example", seconds=5) as client, pytest.raises(httpx.ConnectError):
        egress.send(client, client.build_request("GET", "/"))
    assert called == [("203.0.114.7", 443)]


def test_one_private_address_among_several_refuses_the_name(
    allow: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 443)) for one in ("203.0.114.7", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with egress.client("https://half.example", seconds=5) as client, pytest.raises(egress.HostRefused):
        egress.send(client, client.build_request("GET", "/"))


def test_plain_http_is_refused(allow: Callable[[str], None]) -> None:
    with egress.client("http://8.8.8.8", seconds=5) as client, pytest.raises(egress.HostRefused):
        egress.send(client, client.build_request("GET", "/"))


def test_a_redirect_is_an_answer(allow: Callable[[str], None]) -> None:
    def redirect(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")

    with speaker(redirect) as port:
        allow(f"127.0.0.1:{port}")
        assert get(port).status_code == 302


def test_a_proxy_of_the_environment_is_not_used(allow: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    with speaker(hello) as port:
        allow(f"127.0.0.1:{port}")
        assert get(port).text == "hi"


@pytest.mark.parametrize("start", [b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"])
def test_a_dripping_answer_ends_at_the_deadline(allow: Callable[[str], None], start: bytes) -> None:
    """In the headers and in the body: each byte comes in time, all together do not."""

    def drip(connection: socket.socket) -> None:
        connection.sendall(start)
        for _ in range(200):
            connection.sendall(b"x")
            time.sleep(0.05)

    with speaker(drip) as port:
        allow(f"127.0.0.1:{port}")
        begun = time.monotonic()
        with pytest.raises(httpx.ReadTimeout):
            get(port, seconds=0.5)
        assert time.monotonic() - begun < 2.0


def test_a_long_answer_is_not_read_to_its_end(allow: Callable[[str], None]) -> None:
    def flood(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    with speaker(flood) as port:
        allow(f"127.0.0.1:{port}")
        with pytest.raises(egress.AnswerTooLarge):
            get(port)


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        ("https://Mastodon.Social", "https://mastodon.social"),
        ("  https://mastodon.social/ ", "https://mastodon.social"),
        ("https://mastodon.social:443", "https://mastodon.social"),
        ("https://mastodon.social:8443", "https://mastodon.social:8443"),
        ("https://mastodon.social.", "https://mastodon.social"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("https://[2606:4700::1111]", "https://[2606:4700::1111]"),
    ],
)
def test_an_origin_has_one_form(allow: Callable[[str], None], given: str, origin: str) -> None:
    assert egress.origin(given) == origin


class _Invocation:
    def __init__(self, milliseconds: int) -> None:
        self.milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


@pytest.mark.parametrize(("left", "expected"), [(60_000, 20.0), (20_000, 12.0), (3_000, 1.0)])
def test_calls_end_before_the_function_does(left: int, expected: float) -> None:
    assert egress.seconds_left(_Invocation(left), at_most=20.0) == expected
