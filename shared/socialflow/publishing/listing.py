"""Lists of posts: the newest first, as they are sought; and those that are due in a span."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from socialflow.platform.database import Transaction
from socialflow.publishing.model import Post, PostState
from socialflow.publishing.repository import POST, Row

_PAGE = (
    POST
    + """
 WHERE (%(states)s::text[] IS NULL OR p.state = ANY(%(states)s))
   AND (%(text)s::text IS NULL OR position(lower(%(text)s) IN lower(p.text)) > 0)
   AND ((%(network)s::text IS NULL AND %(account_id)s::uuid IS NULL) OR EXISTS (
        SELECT FROM {s}.targets t
         WHERE t.post_id = p.id AND (%(network)s::text IS NULL OR t.network = %(network)s)
           AND (%(account_id)s::uuid IS NULL OR t.account_id = %(account_id)s)))
   AND (%(created_at)s::timestamptz IS NULL OR (p.created_at, p.id) < (%(created_at)s, %(id)s))
 ORDER BY p.created_at DESC, p.id DESC LIMIT %(limit)s
"""
)
_DUE = (
    POST
    + """
 WHERE p.due_at >= %(begin)s AND p.due_at < %(end)s
   AND (%(state)s::text IS NULL OR p.state = %(state)s)
   AND (%(due_at)s::timestamptz IS NULL OR (p.due_at, p.id) > (%(due_at)s, %(id)s))
 ORDER BY p.due_at, p.id LIMIT %(limit)s
"""
)


@dataclass(frozen=True)
class Sought:
    """Which posts are sought; None: all. `text` is a part of what the post says, in any case of its letters."""

    states: Sequence[PostState] | None = None
    network: str | None = None
    account_id: UUID | None = None
    text: str | None = None


def page(tx: Transaction, sought: Sought, *, before: tuple[datetime, UUID] | None, limit: int) -> list[Post]:
    """Return posts, the newest first, after a place in that order."""
    created_at, post_id = before or (None, None)
    states = list(sought.states) if sought.states else None
    values = {**asdict(sought), "states": states, "created_at": created_at, "id": post_id, "limit": limit}
    return [row.post() for row in tx.all(Row, _PAGE, values)]


def due(
    tx: Transaction,
    span: tuple[datetime, datetime],
    *,
    state: str | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Post]:
    """Return posts that are due in a span, of which the end is no part, the first one first, after a place in it."""
    (begin, end), (due_at, post_id) = span, after or (None, None)
    values = {"begin": begin, "end": end, "state": state, "due_at": due_at, "id": post_id, "limit": limit}
    return [row.post() for row in tx.all(Row, _DUE, values)]
