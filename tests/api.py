"""Talking to the API in tests: an issuer on loopback, events of the HTTP API, and a client that routes them.

The client sends a request to the function whose application has the route, as the HTTP API would, and holds every
answer of 400 and more against the shape of a problem document.
"""

import base64
import importlib
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from socialflow.platform.http.problems import MEDIA_TYPE, TYPE_PREFIX
from tests import doors

FUNCTIONS = Path(__file__).parents[1] / "functions"
PROBLEM_MEMBERS = {"type", "title", "status", "detail", "code", "request_id"}


@dataclass(frozen=True)
class SigningKey:
    """A private key under an id."""

    kid: str = "test-key"
    private: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))

    def jwk(self) -> dict[str, Any]:
        """The public half, as an issuer publishes it."""
        public = RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return {**public, "kid": self.kid, "use": "sig", "alg": "RS256"}


@dataclass(frozen=True)
class Issuer:
    """Signs tokens of one issuer with one key."""

    name: str
    key: SigningKey

    def token(self, subject: str, *, headers: Mapping[str, Any] | None = None, **claims: Any) -> str:
        """Sign a token that is good for a minute; a claim of None is left out."""
        now = int(time.time())
        payload = {"iss": self.name, "sub": subject, "iat": now, "nbf": now, "exp": now + 60, **claims}
        payload = {name: value for name, value in payload.items() if value is not None}
        return jwt.encode(
            payload, self.key.private, algorithm="RS256", headers={"kid": self.key.kid, **(headers or {})}
        )


@contextmanager
def published(document: Mapping[str, Any]) -> Iterator[str]:
    """Serve a document of keys on loopback; yield its address."""
    body = json.dumps(document).encode()

    class Keys(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with doors.opened(Keys) as door:
        yield f"{door.url}/jwks.json"


def event(
    method: str, target: str, *, headers: Mapping[str, str] | None = None, body: str | bytes | None = None
) -> dict[str, Any]:
    """Return an event of the HTTP API, payload format 2.0; a body of bytes is sent in base64."""
    parts = urlsplit(target)
    query: dict[str, str] = {}
    for name, value in parse_qsl(parts.query, keep_blank_values=True):  # the HTTP API joins repeated ones
        query[name] = f"{query[name]},{value}" if name in query else value
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": parts.path,
        "rawQueryString": parts.query,
        "headers": {"host": "api.test", **{name.lower(): value for name, value in (headers or {}).items()}},
        "queryStringParameters": query or None,
        "pathParameters": None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api",
            "domainName": "api.test",
            "http": {
                "method": method,
                "path": parts.path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "tests",
            },
            "requestId": "request-of-the-gateway",
            "routeKey": "$default",
            "stage": "$default",
            "time": "01/Jan/2026:00:00:00 +0000",
            "timeEpoch": 1767225600000,
        },
        "body": base64.b64encode(body).decode() if isinstance(body, bytes) else body,
        "isBase64Encoded": isinstance(body, bytes),
    }


@dataclass(frozen=True)
class Reply:
    """An answer, read as a client reads it."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.text)

    @property
    def code(self) -> str:
        """The code of a problem; empty for any other answer."""
        return str(self.json["code"]) if self.status >= 400 else ""

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> "Reply":
        """Read a function's answer; a failure that is no problem document is an error of the test's own."""
        body = answer["body"] or ""
        text = base64.b64decode(body).decode() if answer["isBase64Encoded"] else body
        reply = cls(answer["statusCode"], {name.lower(): value for name, value in answer["headers"].items()}, text)
        if reply.status >= 400 and text:
            _check_problem(reply)
        return reply


@dataclass(frozen=True)
class Client:
    """A caller with their headers."""

    headers: Mapping[str, str] = field(default_factory=dict)

    def with_headers(self, **headers: str) -> "Client":
        """Return the same caller with more headers; `if_match` stands for `If-Match`."""
        return replace(self, headers={**self.headers, **{name.replace("_", "-"): headers[name] for name in headers}})

    def request(self, method: str, target: str, json_body: object = None, **headers: str) -> Reply:
        """Send a request, with a JSON body if there is one."""
        every = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if json_body is not None:
            every = {"content-type": "application/json", **every}
        body = None if json_body is None else json.dumps(json_body)
        return self.send(event(method, target, headers=every, body=body))

    def send(self, raw: dict[str, Any]) -> Reply:
        """Send an event to the function that has its route."""
        answer = function_of(raw["rawPath"]).handler(raw, None)
        return Reply.read(json.loads(json.dumps(answer)))

    def get(self, target: str, **headers: str) -> Reply:
        """Send a GET."""
        return self.request("GET", target, **headers)

    def post(self, target: str, json_body: object = None, **headers: str) -> Reply:
        """Send a POST."""
        return self.request("POST", target, json_body, **headers)

    def patch(self, target: str, json_body: object = None, **headers: str) -> Reply:
        """Send a PATCH."""
        return self.request("PATCH", target, json_body, **headers)

    def delete(self, target: str, **headers: str) -> Reply:
        """Send a DELETE."""
        return self.request("DELETE", target, **headers)


@cache
def handlers() -> Mapping[str, ModuleType]:
    """Return the handler module of every HTTP function."""
    names = sorted(path.parent.name for path in FUNCTIONS.glob("api_*/handler.py"))
    return {name: importlib.import_module(f"functions.{name}.handler") for name in names}


def function_of(path: str) -> ModuleType:
    """Return the function that the HTTP API would call: whose path it is, else the one behind `$default`.

    Of several the one that names the most of the path: /v1/media/uploads is no media item.
    """
    matching = (
        (pattern.pattern.count("[^/]+"), name)
        for name, module in handlers().items()
        for _, pattern in module.app._paths
        if pattern.fullmatch(path)
    )
    return handlers()[min(matching, default=(0, "api_system"))[1]]


def _check_problem(reply: Reply) -> None:
    assert reply.headers["content-type"] == MEDIA_TYPE, reply
    problem = reply.json
    assert not PROBLEM_MEMBERS - problem.keys(), reply
    assert problem["status"] == reply.status, reply
    assert problem["type"] == TYPE_PREFIX + problem["code"], reply
    assert problem["request_id"] == reply.headers["x-request-id"], reply
    assert problem["detail"], reply
