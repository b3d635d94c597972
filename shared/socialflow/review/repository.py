"""Reviews in the tenant's schema."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from socialflow.platform.database import Transaction
from socialflow.review.model import Review, State, Waiting

_COLUMNS = """media_id, version, state, caption_id, requested_at, expires_at, decided_at, decided_by, decided_by_name,
       reason"""
_OPEN = """
INSERT INTO {s}.reviews (media_id, requested_at, expires_at) VALUES (%(id)s, %(at)s, %(expires_at)s)
ON CONFLICT (media_id) DO NOTHING
"""
_FIND = f"SELECT {_COLUMNS} FROM {{s}}.reviews WHERE media_id = %(id)s"
_SAVE = """
UPDATE {s}.reviews SET version = %(version)s, state = %(state)s, caption_id = %(caption_id)s,
       decided_at = %(decided_at)s, decided_by = %(decided_by)s, decided_by_name = %(decided_by_name)s,
       reason = %(reason)s
 WHERE media_id = %(media_id)s
"""
_PAGE = f"""
SELECT {_COLUMNS} FROM {{s}}.reviews
 WHERE state = ANY(%(states)s)
   AND (%(at)s::timestamptz IS NULL OR (requested_at, media_id) > (%(at)s, %(id)s))
 ORDER BY requested_at, media_id LIMIT %(limit)s
"""

# Counted no further than to `most`: who has more is told so.
_WAITING = """
SELECT media_id, requested_at, expires_at, count(*) OVER () AS count FROM (
    SELECT media_id, requested_at, expires_at FROM {s}.reviews
     WHERE state = 'open' AND expires_at > %(at)s ORDER BY requested_at, media_id LIMIT %(most)s) open
 ORDER BY requested_at, media_id LIMIT %(limit)s
"""


def open_once(tx: Transaction, media_id: UUID, *, at: datetime, expires_at: datetime) -> bool:
    """Write the row of a new review; False where there is one: its time is not begun again."""
    return tx.execute(_OPEN, {"id": media_id, "at": at, "expires_at": expires_at}) == 1


def find(tx: Transaction, media_id: UUID) -> Review | None:
    """Return the review of a media item."""
    return tx.one(Review, _FIND, {"id": media_id})


def lock(tx: Transaction, media_id: UUID) -> Review | None:
    """Return the review of a media item, its row locked until the commit."""
    return tx.one(Review, _FIND + " FOR UPDATE", {"id": media_id})


def save(tx: Transaction, review: Review) -> None:
    """Write a locked review."""
    tx.execute(_SAVE, asdict(review))


def forget(tx: Transaction, media_ids: Sequence[UUID]) -> None:
    """Delete the reviews of media items."""
    tx.execute("DELETE FROM {s}.reviews WHERE media_id = ANY(%(ids)s)", {"ids": list(media_ids)})


def waiting(tx: Transaction, *, at: datetime, limit: int, most: int) -> list[Waiting]:
    """Return the reviews that have waited longest for a decision; each says how many there are, up to `most`."""
    return tx.all(Waiting, _WAITING, {"at": at, "limit": limit, "most": most})


def page(tx: Transaction, *, states: Sequence[State], after: tuple[datetime, UUID] | None, limit: int) -> list[Review]:
    """Return reviews in some states, the oldest first, past a position."""
    at, media_id = after or (None, None)
    return tx.all(Review, _PAGE, {"states": list(states), "at": at, "id": media_id, "limit": limit})
