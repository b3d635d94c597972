"""What the document says once for every route: the guard's parameters, problem documents, the list of their types."""

import importlib
import pkgutil
import re
from collections.abc import Iterator, Mapping
from typing import Any

import socialflow
from socialflow.errors import Refusal
from socialflow.platform.http.problems import MEDIA_TYPE, TYPE_PREFIX

_REASONS = {
    400: "A header or a cursor is missing or cannot be used",
    401: "Nobody is signed in",
    402: "The tenant's plan includes no more of it: `meter`, `limit`, `used` and `plan` say of what",
    403: "Not a member of the tenant, a permission is missing, or the tenant is suspended",
    404: "There is no such thing for this caller",
    409: "The state of things forbids it now",
    412: "It has changed since it was read; `current_version` tells the present one",
    413: "The body is too large",
    415: "The body is not JSON",
    422: "Something in the request is wrong; `errors` says where",
    428: "If-Match is missing",
}


_BEARER = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT or API key",
    "description": "A person's token from the issuer, or a machine's API key, `sf_…`: both on the same routes.",
}


class Unmergeable(Exception):
    """The functions cannot be described in one document; the message says why."""


def of(schemas: Mapping[str, Any]) -> dict[str, Any]:
    """Return the components of a document with these models; raises `Unmergeable`."""
    responses = {f"Problem{status}": _response(reason) for status, reason in _REASONS.items()}
    responses["Problem"] = _response("Any other problem: 429 and 503 carry Retry-After, 500 is our fault")
    return {
        "schemas": {**schemas, "Problem": _problem()},
        "parameters": _parameters(),
        "headers": {"ETag": {"description": "The version that If-Match names.", "schema": {"type": "string"}}},
        "responses": responses,
        "securitySchemes": {"bearer": _BEARER},
    }


def _parameters() -> dict[str, Any]:
    return {
        "Tenant": {
            "name": "X-Tenant-Id",
            "in": "header",
            "required": False,
            "description": "The slug or the id of a tenant that you belong to. Required of a person; "
            "an API key has but one tenant and may leave it out.",
            "schema": {"type": "string"},
        },
        "IfMatch": {
            "name": "If-Match",
            "in": "header",
            "required": True,
            "description": 'The ETag of what you read, or `*` for whatever is there, for example `"3"`.',
            "schema": {"type": "string"},
        },
        "OptionalIfMatch": {
            "name": "If-Match",
            "in": "header",
            "required": False,
            "description": "The ETag of what you read: where another version stands by now, nothing is done. "
            "Needed only where the body does not say what you have read.",
            "schema": {"type": "string"},
        },
        "IdempotencyKey": {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "description": "Makes a repeat safe for 24 hours: it is answered with the first answer and "
            "`Idempotency-Replayed: true`.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        },
    }


def _response(reason: str) -> dict[str, Any]:
    return {"description": reason, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}


def _problem() -> dict[str, Any]:
    codes = sorted(refusals())
    return {
        "type": "object",
        "description": "RFC 9457. Facts of a kind of problem stand beside these members.",
        "required": ["type", "title", "status", "detail", "code", "request_id"],
        "properties": {
            "type": {"type": "string", "format": "uri", "enum": [TYPE_PREFIX + code for code in codes]},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string", "description": "What happened and what to do next."},
            "code": {"type": "string", "enum": codes},
            "request_id": {"type": "string", "description": "Also the header X-Request-Id, and in our logs."},
            "errors": {"type": "array", "items": _field_error()},
        },
        "additionalProperties": True,
    }


def _field_error() -> dict[str, Any]:
    where = "A JSON pointer (RFC 6901) into the body, or `?name` for a query parameter."
    return {
        "type": "object",
        "required": ["pointer", "code"],
        "properties": {
            "pointer": {"type": "string", "description": where},
            "code": {"type": "string"},
            "detail": {"type": "string"},
        },
    }


def refusals() -> dict[str, type[Refusal]]:
    """Return every kind of refusal by its code: the closed list of problem types; raises `Unmergeable`."""
    for module in pkgutil.walk_packages(socialflow.__path__, "socialflow."):
        importlib.import_module(module.name)
    found: dict[str, type[Refusal]] = {}
    for kind in _kinds(Refusal):
        other = found.setdefault(kind.code, kind)
        if (other.status, other.title) != (kind.status, kind.title):
            raise Unmergeable(f"{other.__qualname__} and {kind.__qualname__} have one code, {kind.code}")
        if not re.fullmatch(r"[a-z]+(-[a-z0-9]+)*", kind.code):
            raise Unmergeable(f"{kind.__qualname__}: the code {kind.code!r} is not in kebab case")
    return found


def _kinds(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    if kind.__module__.startswith(("socialflow.", "functions.")):
        yield kind
    for below in kind.__subclasses__():
        yield from _kinds(below)
