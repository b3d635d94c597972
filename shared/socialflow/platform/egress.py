"""The one way out to hosts that users name: a Mastodon instance, a PDS, a webhook's receiver.

The name is resolved here, every address is judged, and the connection goes to the very address that was judged, so that
a second answer of the resolver changes nothing. No redirects, no proxies, no other scheme than https, a bound on size,
and one deadline for everything that a client does, however slowly the other side drips.
"""

import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx

from socialflow.errors import FieldError, Invalid
from socialflow.platform.settings import EgressSettings

MAX_BYTES = 2_000_000
"""The most that an answer may have, decompressed: the answers read here are JSON documents."""
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class HostRefused(httpx.ConnectError):
    """The host is not one that may be called; nothing was sent."""


class AnswerTooLarge(httpx.ReadError):
    """The answer is longer than the bound; the request has arrived."""


class UnusableHost(Invalid):
    """An address that a user gave and that must not be called."""

    code, title = "unusable-host", "That address cannot be called"


@contextmanager
def client(
    base_url: str, *, seconds: float, headers: dict[str, str] | None = None, max_bytes: int | None = None
) -> Iterator[httpx.Client]:
    """Open a client for one host whose requests, all together, end within `seconds`.

    With `max_bytes` no answer is longer, and none is compressed: for a library that reads answers whole by itself.
    """
    allowed = EgressSettings.from_env().egress_allowed_hosts
    transport = _Transport(allowed, deadline=time.monotonic() + seconds, max_bytes=max_bytes)
    with httpx.Client(
        base_url=base_url,
        headers={"User-Agent": "SocialFlow", **(headers or {})},
        transport=transport,
        timeout=httpx.Timeout(seconds),
        follow_redirects=False,
        trust_env=False,
    ) as opened:
        yield opened


def send(opened: httpx.Client, request: httpx.Request, *, max_bytes: int = MAX_BYTES) -> httpx.Response:
    """Send a request and read its answer up to `max_bytes`; raises httpx's errors, `AnswerTooLarge` among them."""
    response = opened.send(request, stream=True)
    try:
        content = bytearray()
        for chunk in response.iter_bytes():
            content += chunk
            if len(content) > max_bytes:
                raise AnswerTooLarge(f"The answer has more than {max_bytes} bytes", request=request)
    finally:
        response.close()
    kept = [(name, value) for name, value in response.headers.multi_items() if name not in _OF_THE_WIRE]
    return httpx.Response(response.status_code, headers=kept, content=bytes(content), request=request)


_OF_THE_WIRE = ("content-encoding", "content-length", "transfer-encoding")


def origin(address: str) -> str:
    """Return the origin of an address that a user typed, normalised; raises `UnusableHost` in words."""
    try:
        parts = urlsplit(address.strip())
        port = parts.port
    except ValueError:
        raise _unusable("That is no web address. Give one such as https://mastodon.social.") from None
    host = (parts.hostname or "").rstrip(".")
    if not host or parts.username or parts.password or parts.query or parts.fragment or parts.path not in ("", "/"):
        raise _unusable("Give the server's address and nothing after it, such as https://mastodon.social.")
    try:
        host = host if ":" in host else host.encode("idna").decode("ascii")
    except UnicodeError:
        raise _unusable(f"{host!r} is no name of a host.") from None
    if ":" not in host and not _HOST.fullmatch(host):
        raise _unusable(f"{host!r} is no name of a host.")
    shown = f"[{host}]" if ":" in host else host
    default = {"https": 443, "http": 80}.get(parts.scheme)
    netloc = shown if port in (None, default) else f"{shown}:{port}"
    if parts.scheme != "https" and not _is_allowed(host, port or default, _allowed()):
        raise _unusable("Only https addresses are called.")
    return f"{parts.scheme}://{netloc}"


def _unusable(detail: str) -> UnusableHost:
    return UnusableHost(detail, errors=[FieldError("/base_url", "unusable-host", detail)])


@cache
def ready() -> ssl.SSLContext:
    """Read the authorities that are trusted, once for each process: it takes longer than most calls."""
    return httpx.create_ssl_context(trust_env=False)


def _allowed() -> tuple[str, ...]:
    return EgressSettings.from_env().egress_allowed_hosts


def _is_allowed(host: str, port: int | None, allowed: Iterable[str]) -> bool:
    return f"{host}:{port}" in allowed


class _Transport(httpx.HTTPTransport):
    def __init__(self, allowed: tuple[str, ...], *, deadline: float, max_bytes: int | None) -> None:
        super().__init__(verify=ready(), trust_env=False, retries=0)
        self._allowed = allowed
        self._max_bytes = max_bytes
        # httpx has no parameter for the network backend, and httpcore has: the pool is made again, with ours.
        self._pool = httpcore.ConnectionPool(
            ssl_context=ready(),
            max_connections=4,
            http2=False,
            network_backend=_Guard(allowed, deadline),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Refuse every scheme but https, except to a host that the settings name."""
        url = request.url
        port = url.port or {"https": 443, "http": 80}.get(url.scheme)
        if url.scheme != "https" and not _is_allowed(url.host, port, self._allowed):
            raise HostRefused("Only https is spoken", request=request)
        if self._max_bytes is not None:
            request.headers["accept-encoding"] = "identity"
        try:
            response = super().handle_request(request)
        except _Refused as refused:
            raise HostRefused(str(refused), request=request) from refused
        return response if self._max_bytes is None else self._bounded(response, request, self._max_bytes)

    def _bounded(self, response: httpx.Response, request: httpx.Request, most: int) -> httpx.Response:
        """Read the answer here, where it has an end; what is compressed could be anything."""
        try:
            if response.headers.get("content-encoding", "identity") != "identity":
                raise AnswerTooLarge("The answer is compressed, and was not asked for like that", request=request)
            content = bytearray()
            for chunk in response.iter_raw():
                content += chunk
                if len(content) > most:
                    raise AnswerTooLarge(f"The answer has more than {most} bytes", request=request)
        finally:
            response.close()
        kept = [(name, value) for name, value in response.headers.multi_items() if name not in _OF_THE_WIRE]
        return httpx.Response(response.status_code, headers=kept, content=bytes(content), request=request)


class _Refused(Exception):
    """The guard's own word, which httpx passes through unchanged."""


class _Guard(httpcore.NetworkBackend):
    """Connects to judged addresses only, and keeps one deadline over all that a connection does."""

    def __init__(self, allowed: tuple[str, ...], deadline: float) -> None:
        self._allowed = allowed
        self._deadline = deadline
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        address = _resolve(host, port, judged=not _is_allowed(host, port, self._allowed))
        left = _left(self._deadline, timeout, httpcore.ConnectTimeout)
        stream = self._plain.connect_tcp(address, port, left, local_address, socket_options)
        return _Timed(stream, self._deadline)


class _Timed(httpcore.NetworkStream):
    """A stream each of whose waits is cut to what is left of the deadline."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._deadline, timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._deadline, timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        try:
            left = _left(self._deadline, timeout, httpcore.ConnectTimeout)
        except httpcore.ConnectTimeout:
            self._stream.close()  # nobody else has it yet
            raise
        return _Timed(self._stream.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(deadline: float, timeout: float | None, late: type[httpcore.TimeoutException]) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise late("The deadline has passed")
    return left if timeout is None else min(left, timeout)


def _resolve(host: str, port: int, *, judged: bool) -> str:
    """Return the address to connect to. One bad address among the answers refuses the host: it is no honest name."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpcore.ConnectError(f"{host} has no address") from error
    addresses = [str(entry[4][0]) for entry in found]
    if judged and any(not is_public(ipaddress.ip_address(address.split("%")[0])) for address in addresses):
        raise _Refused(f"{host} is not an address of the public internet")
    return addresses[0]


def is_public(address: _Address) -> bool:
    """Tell whether an address, and every address wrapped in it, belongs to the public internet."""
    if isinstance(address, ipaddress.IPv6Address):
        wrapped = _wrapped(address)
        if wrapped is not None:
            return all(is_public(one) for one in wrapped)
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _wrapped(address: ipaddress.IPv6Address) -> tuple[_Address, ...] | None:
    if address.ipv4_mapped:
        return (address.ipv4_mapped,)
    if address.sixtofour:
        return (address.sixtofour,)
    if address.teredo:
        return address.teredo
    if address in _NAT64:
        return (ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF),)
    return None


def seconds_left(context: Any, *, at_most: float, reserve: float = 8.0) -> float:
    """Return how long calls may take in this invocation: `reserve` seconds stay for writing what came of them."""
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    if remaining is None:  # not invoked by Lambda
        return at_most
    left = float(remaining()) / 1000.0 - reserve
    return max(1.0, min(at_most, left))
