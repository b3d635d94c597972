"""The SQL of deletion."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from socialflow.platform.database import Transaction

# What is left tells that there was something, since when it is no more, and how large it was: nothing of its content.
_BURY = """
UPDATE {s}.media_items
   SET state = 'deleted', stage = 'done', percent = 100, deleted_at = %(at)s, deleted_by = %(by)s,
       file_name = 'deleted', title = '', alt_text = '', tags = '{{}}', focal_x = NULL, focal_y = NULL,
       object_version = NULL, sha256 = NULL, declared_sha256 = NULL, upload_id = NULL, part_size = NULL, dhash = NULL,
       blurhash = NULL, colours = '{{}}', colour_names = '{{}}', captured_at = NULL, camera = NULL,
       refusal_code = NULL, refusal_detail = NULL, version = version + 1, updated_at = %(at)s
 WHERE id = ANY(%(ids)s)
"""
_DROP_DERIVATIVES = "DELETE FROM {s}.derivatives WHERE media_id = ANY(%(ids)s)"
_DROP_RENDITIONS = """
DELETE FROM {s}.renditions WHERE media_id = ANY(%(ids)s)
RETURNING id, CASE WHEN state = 'ready' THEN coalesce(size, 0) ELSE 0 END AS stored
"""
_IS_DELETED = "SELECT state = 'deleted' FROM {s}.media_items WHERE id = %(id)s"
_TO_ERASE = """
SELECT id FROM {s}.media_items WHERE state = 'deleted' AND erased_at IS NULL AND deleted_at < %(before)s
 ORDER BY deleted_at LIMIT %(limit)s
"""
_ERASED = "UPDATE {s}.media_items SET erased_at = %(at)s WHERE id = ANY(%(ids)s) AND state = 'deleted'"


@dataclass(frozen=True)
class _Id:
    id: UUID


@dataclass(frozen=True)
class Dropped:
    """A rendition that is no more, and the bytes that it took of the tenant's storage."""

    id: UUID
    stored: int


def bury(tx: Transaction, media_ids: Sequence[UUID], *, by: UUID, at: datetime) -> None:
    """Make tombstones of locked media items, and drop their derivatives."""
    ids = list(media_ids)
    tx.execute(_BURY, {"ids": ids, "by": by, "at": at})
    tx.execute(_DROP_DERIVATIVES, {"ids": ids})


def drop_renditions(tx: Transaction, media_ids: Sequence[UUID]) -> list[Dropped]:
    """Drop what was cut of media items for networks; return them: their work ends, their room is given back."""
    return tx.all(Dropped, _DROP_RENDITIONS, {"ids": list(media_ids)})


def is_deleted(tx: Transaction, media_id: UUID) -> bool:
    """Tell whether a media item is a tombstone; False also where there is none."""
    return tx.value(_IS_DELETED, {"id": media_id}) is True


def to_erase(tx: Transaction, *, before: datetime, limit: int) -> list[UUID]:
    """Return tombstones from before a moment whose objects nobody has looked for since."""
    return [one.id for one in tx.all(_Id, _TO_ERASE, {"before": before, "limit": limit})]


def erased(tx: Transaction, media_ids: Sequence[UUID], *, at: datetime) -> None:
    """Note that nothing is left of their objects."""
    tx.execute(_ERASED, {"ids": list(media_ids), "at": at})
