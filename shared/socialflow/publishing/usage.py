"""Which posts have a media item: who deletes it is told, and a post that needs it is never left to find out."""

from collections.abc import Sequence
from uuid import UUID

from socialflow.platform.database import Transaction

_USED = """
SELECT m.id FROM unnest(%(ids)s::uuid[]) m (id)
 WHERE EXISTS (SELECT FROM {s}.posts_with(m.id) p WHERE p.state <> 'cancelled')
"""


def used(tx: Transaction, media_ids: Sequence[UUID]) -> frozenset[UUID]:
    """Return which of these media items are in a post that is not cancelled."""
    return frozenset(row["id"] for row in tx.all(dict, _USED, {"ids": list(media_ids)}))
