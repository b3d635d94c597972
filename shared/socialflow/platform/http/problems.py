"""Refusals as problem documents (RFC 9457): one place, one shape, a closed list of types."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from aws_lambda_powertools.event_handler import Response

from socialflow.errors import FieldError, Invalid, NotFound, Refusal

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:problem-type:socialflow:"
_MOST_ERRORS = 50


def document(refusal: Refusal, request_id: str) -> dict[str, Any]:
    """Return a refusal as a problem document; facts become members and never replace the standard ones."""
    problem: dict[str, Any] = dict(refusal.facts)
    problem |= {
        "type": TYPE_PREFIX + refusal.code,
        "title": refusal.title,
        "status": refusal.status,
        "detail": refusal.detail,
        "code": refusal.code,
        "request_id": request_id,
    }
    if refusal.errors:
        problem["errors"] = [_field(error) for error in refusal.errors[:_MOST_ERRORS]]
    return problem


def response(refusal: Refusal, request_id: str) -> Response[str]:
    """Return a refusal as a response, with the headers that its status asks for."""
    # ASCII on the wire: whatever a client sent us back to quote, it cannot break the encoding of the answer.
    body = json.dumps(document(refusal, request_id), default=str, allow_nan=False)
    return Response(status_code=refusal.status, content_type=MEDIA_TYPE, body=body, headers=headers(refusal))


def headers(refusal: Refusal) -> dict[str, str | list[str]]:
    """Return the headers that belong to a refusal."""
    found: dict[str, str | list[str]] = {}
    if refusal.status == 401:
        found["WWW-Authenticate"] = 'Bearer realm="socialflow"'
    if refusal.retry_after is not None:
        found["Retry-After"] = str(max(1, math.ceil(refusal.retry_after)))
    allow = refusal.facts.get("allow")
    if isinstance(allow, list):
        found["Allow"] = ", ".join(str(method) for method in allow)
    version = refusal.facts.get("current_version")
    if refusal.status == 412 and version is not None:
        found["ETag"] = f'"{version}"'
    return found


def of_validation(errors: Sequence[Mapping[str, Any]], body: object) -> Refusal:
    """Return what pydantic found wrong: an id in the path that cannot be one is simply not there."""
    if any(error["loc"][:1] == ("path",) for error in errors):
        return NotFound("There is nothing at this address. Check the id in the path.")
    found = list({_of_pydantic(error, body): None for error in errors})
    return Invalid("Correct the fields that `errors` names, and send it again.", errors=found)


def pointer(parts: Sequence[int | str]) -> str:
    """Return a JSON pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def _field(error: FieldError) -> dict[str, str]:
    found = {"pointer": error.pointer, "code": error.code}
    return found | {"detail": error.detail} if error.detail else found


def _of_pydantic(error: Mapping[str, Any], body: object) -> FieldError:
    where, *parts = error["loc"]
    code = str(error["type"]).replace("_", "-")
    if where == "body":
        at = pointer(_in_body(parts, body, missing=code == "missing"))
    else:  # a query parameter has no place in the body's tree: it is named as in an address
        at = "?" + ".".join(map(str, parts))
    return FieldError(at, code, str(error.get("msg", "")))


def _in_body(parts: Sequence[int | str], body: object, *, missing: bool) -> list[int | str]:
    """Keep the parts that lead through the body: pydantic adds names of union members and validators."""
    kept: list[int | str] = []
    for index, part in enumerate(parts):
        found, inner = _step(body, part)
        if found or (missing and index == len(parts) - 1):
            kept.append(part)
            body = inner
    return kept


def _step(body: object, part: int | str) -> tuple[bool, object]:
    if isinstance(body, dict) and part in body:
        return True, body[part]
    if isinstance(body, list) and isinstance(part, int) and part < len(body):
        return True, body[part]
    return False, body
