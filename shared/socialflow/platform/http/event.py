"""An event of the HTTP API (payload format 2.0), made sound: what is missing or of another type becomes empty."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from socialflow.platform.ids import new_id

REQUEST_ID_HEADER = "x-request-id"

_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:=+/-]{0,127}")


@dataclass(frozen=True)
class Request:
    """A request as the application reads it. A HEAD is a GET whose answer loses its body."""

    event: dict[str, Any]
    request_id: str
    head: bool


def sound(raw: object) -> Request:
    """Return the event with every part that the resolver reads present and of its type."""
    event = _mapping(raw)
    context = _mapping(event.get("requestContext"))
    http = _mapping(context.get("http"))
    method = (_text(http.get("method")) or "GET").upper()
    headers = {name.lower(): value for name, value in _texts(event.get("headers")).items()}
    path = _text(event.get("rawPath")) or "/"
    body = event.get("body")
    made = {
        **event,
        "version": "2.0",
        "routeKey": _text(event.get("routeKey")),
        "rawPath": path,
        "rawQueryString": _text(event.get("rawQueryString")),
        "headers": headers,
        "queryStringParameters": _texts(event.get("queryStringParameters")),
        "pathParameters": _texts(event.get("pathParameters")),
        "cookies": [],
        "body": body if isinstance(body, str) else None,
        "isBase64Encoded": event.get("isBase64Encoded") is True,
        "requestContext": {
            **context,
            "stage": _text(context.get("stage")) or "$default",
            "http": {
                **http,
                "method": "GET" if method == "HEAD" else method,
                "path": path,
                "sourceIp": _text(http.get("sourceIp")),
            },
        },
    }
    return Request(made, _request_id(headers, context), head=method == "HEAD")


def _request_id(headers: Mapping[str, str], context: Mapping[str, Any]) -> str:
    for given in (headers.get(REQUEST_ID_HEADER, ""), _text(context.get("requestId"))):
        if _REQUEST_ID.fullmatch(given):
            return given
    return str(new_id())


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: object) -> dict[str, str]:
    pairs = _mapping(value).items()
    return {name: text for name, text in pairs if isinstance(name, str) and isinstance(text, str)}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
