"""Answers beyond a plain 200: created, tagged with a version, or given once for each idempotency key."""

import json
import re
from collections.abc import Callable
from typing import Any, TypeVar

from aws_lambda_powertools.event_handler import Response, content_types
from pydantic import BaseModel

from socialflow.errors import FieldError, Invalid, PreconditionRequired
from socialflow.platform import idempotency
from socialflow.platform.database import Transaction
from socialflow.platform.http.guard import caller, current_request
from socialflow.platform.idempotency import Answer, Claim

Model = TypeVar("Model", bound=BaseModel)

_TAG = re.compile(r'"([^"]*)"')
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_NEVER = -1


def created(body: Model, location: str) -> Response[Model]:
    """Return 201 with the new thing's address."""
    return answered(body, status=201, headers={"Location": location})


def answered(body: Model, *, status: int = 200, headers: dict[str, str | list[str]] | None = None) -> Response[Model]:
    """Return a body with a status and headers of its own; it is validated like any other."""
    return Response(status_code=status, content_type=content_types.APPLICATION_JSON, body=body, headers=headers)


def tagged(body: Model, version: int, *, status: int = 200) -> Response[Model]:
    """Return a body with its version as the ETag that `If-Match` is to name."""
    return answered(body, status=status, headers={"ETag": f'"{version}"'})


def if_match() -> int | None:
    """Return the version that the caller read; None for `*` (any). Raises `PreconditionRequired` where it is missing.

    A tag that is not one of ours gives a version that nothing has: the use case then refuses with the current one.
    """
    given = current_request().header("If-Match")
    if not given:
        raise PreconditionRequired("Send If-Match with the ETag of what you read, so that no one's change is lost.")
    if given == "*":
        return None
    tag = _TAG.fullmatch(given)
    return int(tag[1]) if tag and tag[1].isascii() and tag[1].isdigit() and len(tag[1]) < 10 else _NEVER


def if_match_where_given() -> int | None:
    """Return the version of `If-Match`; None also where it is missing: for what is guarded in another way too."""
    return if_match() if current_request().header("If-Match") else None


def once(
    tx: Transaction,
    use_case: Callable[[], Answer],
    *,
    present: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
) -> Response[Any]:
    """Run a use case once for the caller's `Idempotency-Key`, in its own transaction; without a key, run it.

    `present` makes the stored body into the one sent, also of a replay: what must not be stored (a signed URL) or
    must be fresh is added there.
    """
    answer = idempotency.once(tx, idempotency_claim(), use_case)
    headers: dict[str, str | list[str]] = dict(answer.headers)
    if answer.replayed:
        headers["Idempotency-Replayed"] = "true"
    body = present(answer.body) if present else answer.body
    return Response(status_code=answer.status, content_type=content_types.APPLICATION_JSON, body=body, headers=headers)


def stored(body: BaseModel, *, status: int = 200, location: str | None = None, version: int | None = None) -> Answer:
    """Return an answer as it is kept for a replay."""
    headers = {}
    if location is not None:
        headers["Location"] = location
    if version is not None:
        headers["ETag"] = f'"{version}"'
    return Answer(status, body.model_dump(mode="json", by_alias=True), headers)


def idempotency_claim() -> Claim | None:
    """Return what the request's `Idempotency-Key` claims, None without one: for whom `once` cannot serve."""
    request = current_request()
    key = request.header("Idempotency-Key")
    if not key:
        return None
    if not _KEY.fullmatch(key):
        detail = "An idempotency key has 1 to 255 visible ASCII characters; a UUID is a good one."
        raise Invalid(detail, errors=[FieldError("", "idempotency-key-invalid", detail)])
    asked = json.dumps([request.path, request.query, request.body], sort_keys=True, separators=(",", ":"))
    return Claim(principal=str(caller().user.id), route=request.route, key=key, asked=asked.encode())
