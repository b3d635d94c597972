"""The SQL of duplicates."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from socialflow.platform.database import Transaction

_THERE = "NOT IN ('awaiting_upload', 'refused', 'deleted')"
_SAME = f"""
SELECT m.id AS id, array_agg(o.id ORDER BY o.created_at, o.id) AS others
  FROM {{s}}.media_items m JOIN {{s}}.media_items o ON o.sha256 = m.sha256 AND o.id <> m.id AND o.state {_THERE}
 WHERE m.id = ANY(%(ids)s) GROUP BY m.id
"""
# Every hash of the tenant is read: a table of a hundred thousand takes some tens of milliseconds. A picture of one
# colour has a hash without a bit, as every other such picture: it is like none.
_SIMILAR = f"""
SELECT o.id, bit_count(o.dhash # m.dhash)::int AS bits
  FROM {{s}}.media_items m JOIN {{s}}.media_items o ON o.kind = m.kind AND o.id <> m.id AND o.state {_THERE}
 WHERE m.id = %(id)s AND bit_count(m.dhash) > 0 AND bit_count(o.dhash # m.dhash) <= %(most)s
 ORDER BY bits, o.created_at, o.id LIMIT %(limit)s
"""


@dataclass(frozen=True)
class Similar:
    """A media item that looks like another one; `bits` of its 64 differ."""

    id: UUID
    bits: int


@dataclass(frozen=True)
class _Same:
    id: UUID
    others: list[UUID]


def same(tx: Transaction, media_ids: Sequence[UUID]) -> dict[UUID, list[UUID]]:
    """Return the others with exactly the content of each media item that has any, the oldest first."""
    return {one.id: one.others for one in tx.all(_Same, _SAME, {"ids": list(media_ids)})}


def similar(tx: Transaction, media_id: UUID, *, most: int, limit: int) -> list[Similar]:
    """Return those that differ in so many bits at the most, the nearest first."""
    return tx.all(Similar, _SIMILAR, {"id": media_id, "most": most, "limit": limit})
