"""Posts that wait for a person: to approve them, or to say what is to become of them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from socialflow.platform.database import Transaction
from socialflow.publishing.model import PostState

MEMORY = timedelta(days=30)
"""So long a person is asked about what has failed: nothing obliges them to answer. About the unconfirmed, always."""

EXCERPT = 140

# Counted no further than to `most`: who has more is told so.
_WAITING = f"""
SELECT id, state, excerpt, due_at, updated_at, count(*) OVER () AS count FROM (
    SELECT id, state, left(text, {EXCERPT}) AS excerpt, due_at, updated_at FROM {{s}}.posts
     WHERE state = ANY(%(states)s)
       AND (%(since)s::timestamptz IS NULL OR state = 'unconfirmed' OR updated_at > %(since)s)
     ORDER BY due_at NULLS LAST, id LIMIT %(most)s) waiting
 ORDER BY due_at NULLS LAST, id LIMIT %(limit)s
"""


@dataclass(frozen=True)
class WaitingPost:
    """A post that waits, of so many."""

    id: UUID
    state: PostState
    excerpt: str
    due_at: datetime | None
    updated_at: datetime
    count: int


def for_approval(tx: Transaction, *, limit: int, most: int) -> list[WaitingPost]:
    """Return the posts that wait for an approval, the next due first."""
    return _waiting(tx, ["awaiting_approval"], None, limit, most)


def in_trouble(tx: Transaction, *, at: datetime, limit: int, most: int) -> list[WaitingPost]:
    """Return the posts that failed, wholly or in part, or of which nobody knows; the longest due first."""
    return _waiting(tx, ["failed", "partial", "unconfirmed"], at - MEMORY, limit, most)


def _waiting(
    tx: Transaction, states: list[PostState], since: datetime | None, limit: int, most: int
) -> list[WaitingPost]:
    return tx.all(WaitingPost, _WAITING, {"states": states, "since": since, "limit": limit, "most": most})
