"""Lists: a page and the cursor of the next one, bound to the tenant, the list and its filters."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from aws_lambda_powertools.event_handler.openapi.params import Query

from socialflow.platform.http.guard import caller, current_request
from socialflow.platform.http.refusals import CursorExpired

Limit = Annotated[int, Query(ge=1, le=200, description="How many items a page has at most.")]
"""Use as `limit: Limit = DEFAULT_LIMIT`."""
Cursor = Annotated[str | None, Query(description="`next_cursor` of the page before, with the same filters.")]
DEFAULT_LIMIT = 50

_DIGEST = 9


@dataclass(frozen=True)
class Position:
    """Where a page ended: lists are ordered by a time and then by id."""

    at: datetime
    id: UUID


def after(cursor: str | None, filters: Mapping[str, object] | None = None) -> Position | None:
    """Return where the caller's page begins, None for the first; raises `CursorExpired` for another list's cursor."""
    if cursor is None:
        return None
    try:
        raw = base64.b64decode(cursor, altchars=b"-_", validate=True)
        digest, payload = raw[:_DIGEST], raw[_DIGEST:]
        at, item = json.loads(payload)
        position = Position(datetime.fromisoformat(at), UUID(item))
    except (ValueError, TypeError, AttributeError, RecursionError):
        digest, payload, position = b"", b"", None
    if position is None or digest != _digest(payload, filters):
        raise CursorExpired("Ask for the first page again, without a cursor.")
    return position


def cursor(position: Position, filters: Mapping[str, object] | None = None) -> str:
    """Return the opaque cursor of what follows a position in the list that the caller asked for."""
    payload = json.dumps([position.at.isoformat(), str(position.id)]).encode()
    return base64.urlsafe_b64encode(_digest(payload, filters) + payload).decode()


def _digest(payload: bytes, filters: Mapping[str, object] | None) -> bytes:
    # It need not be secret: statements are the tenant's own whatever a cursor says. It tells lists apart.
    which = [str(caller().tenant.id), current_request().route, sorted((filters or {}).items())]
    bound = json.dumps(which, default=str).encode()
    return hashlib.sha256(bound + b"\n" + payload).digest()[:_DIGEST]
