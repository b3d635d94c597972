"""The issuer's keys over HTTP: with limits, without redirects."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

import httpx
import pytest

from socialflow.identity import gateway
from tests import doors


@contextmanager
def serving(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with doors.opened(Handler) as door:
        yield f"{door.url}/"


def test_a_document_is_fetched() -> None:
    with serving(200, b'{"keys": []}') as url:
        assert gateway.fetch(url) == {"keys": []}


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (500, b"{}", {}),
        (302, b"", {"Location": "http://169.254.169.254/"}),
        (200, b"not json", {}),
        (200, b"[]", {}),
        (200, b'{"keys": "' + b"x" * 200_000 + b'"}', {}),
        (200, b"\xff\xfe", {}),
    ],
)
def test_what_is_no_document_of_keys_is_refused(status: int, body: bytes, headers: dict[str, str]) -> None:
    with serving(status, body, headers) as url, pytest.raises((ValueError, httpx.HTTPError)):
        gateway.fetch(url)


def test_an_issuer_that_is_not_there_is_an_error_of_http() -> None:
    with pytest.raises(httpx.HTTPError):
        gateway.fetch("http://127.0.0.1:1/")
