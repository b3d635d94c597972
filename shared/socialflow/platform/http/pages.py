"""Lists: a page and the cursor of the next one, bound to the tenant, the list and its filters."""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

from aws_lambda_powertools.event_handler.openapi.params import Query

from socialflow.platform.http.guard import caller, current_request
from socialflow.platform.http.refusals import CursorExpired

Limit = Annotated[int, Query(ge=1, le=200, description="How many items a page has at most.")]
"""Use as `limit: Limit = DEFAULT_LIMIT`."""
Cursor = Annotated[str | None, Query(description="`next_cursor` of the page before, with the same filters.")]
DEFAULT_LIMIT = 50

_DIGEST = 9
T = TypeVar("T")


@dataclass(frozen=True)
class Position:
    """Where a page ended: lists are ordered by a time and then by id."""

    at: datetime
    id: UUID


def after(cursor: str | None, filters: Mapping[str, object] | None = None) -> Position | None:
    """Return where the caller's page begins, None for the first; raises `CursorExpired` for another list's cursor."""
    return opened(cursor, filters, lambda at, item: Position(datetime.fromisoformat(at), UUID(item)))


def cursor(position: Position, filters: Mapping[str, object] | None = None) -> str:
    """Return the opaque cursor of what follows a position in the list that the caller asked for."""
    return sealed([position.at.isoformat(), str(position.id)], filters)


def opened(cursor: str | None, filters: Mapping[str, object] | None, read: Callable[..., T]) -> T | None:
    """Return what `read` makes of the values that a cursor was sealed with, for a list of an order of its own.

    What it cannot read, by a ValueError or TypeError, is no cursor of ours either.
    """
    if cursor is None:
        return None
    try:
        raw = base64.b64decode(cursor, altchars=b"-_", validate=True)
        digest, payload = raw[:_DIGEST], raw[_DIGEST:]
        position = read(*json.loads(payload))
    except (ValueError, TypeError, AttributeError, RecursionError):
        digest, payload, position = b"", b"", None
    if position is None or digest != _digest(payload, filters):
        raise CursorExpired("Ask for the first page again, without a cursor.")
    return position


def sealed(values: list[Any], filters: Mapping[str, object] | None) -> str:
    """Return the opaque cursor of JSON values that `opened` reads again."""
    payload = json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_digest(payload, filters) + payload).decode()


def _digest(payload: bytes, filters: Mapping[str, object] | None) -> bytes:
    # It need not be secret: statements are the tenant's own whatever a cursor says. It tells lists apart.
    which = [str(caller().tenant.id), current_request().route, sorted((filters or {}).items())]
    bound = json.dumps(which, default=str).encode()
    return hashlib.sha256(bound + b"\n" + payload).digest()[:_DIGEST]
