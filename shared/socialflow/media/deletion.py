"""A media item is deleted: its row becomes a tombstone that tells clients so, everything else of it goes.

Rows go at once, in one transaction. Objects go after it: on the fact, and once more when the last one who might still
have written some (a worker under way, an address that was signed) is done.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from socialflow.entitlements import service as entitlements
from socialflow.errors import Conflict
from socialflow.media import deletion_repository as repository
from socialflow.media import events
from socialflow.media.library_repository import lock_many
from socialflow.media.model import MediaItem, State
from socialflow.platform import work
from socialflow.platform.database import Transaction

LATE = timedelta(hours=6)
"""Longer than a worker or an address to upload to lives: past it nobody writes objects of what was deleted."""
_UNCOUNTED = (State.AWAITING_UPLOAD, State.REFUSED)
"""Their bytes are not in the tenant's storage: not yet, or not any more."""


class MediaInUse(Conflict):
    """Posts need the media item."""

    code, title = "media-in-use", "Posts need the media item"


def doomed(tx: Transaction, media_ids: Sequence[UUID]) -> dict[UUID, MediaItem]:
    """Return media items by their ids, locked: nobody puts them into a post, or works on them, before the commit."""
    return lock_many(tx, media_ids)


def delete(
    tx: Transaction, items: Sequence[MediaItem], *, posts: Mapping[UUID, Sequence[UUID]], by: UUID, at: datetime
) -> None:
    """Delete locked media items that are there; `posts` are those that were planned with each and no longer are."""
    ids = [item.id for item in items]
    repository.bury(tx, ids, by=by, at=at)
    renditions = repository.drop_renditions(tx, ids)
    work.end(tx, [*ids, *(one.id for one in renditions)])
    # In the order in which an upload that begins takes them.
    for item in items:
        if item.state is State.AWAITING_UPLOAD:
            entitlements.give_back(tx, "uploads", at=item.created_at)
    stored = sum(item.declared_size for item in items if item.state not in _UNCOUNTED)
    stored += sum(one.stored for one in renditions)
    if stored:
        entitlements.give_back(tx, "storage_bytes", stored, at=at)
    for media_id in ids:
        told = [str(post_id) for post_id in posts.get(media_id, ())]
        tx.emit(events.MediaDeleted(subject_id=media_id, by=by, posts=told))


def is_deleted(tx: Transaction, media_id: UUID) -> bool:
    """Tell whether a media item's objects may be erased."""
    return repository.is_deleted(tx, media_id)


def to_erase(tx: Transaction, *, at: datetime, limit: int) -> list[UUID]:
    """Return media items whose objects are to be looked for once more, the longest deleted first."""
    return repository.to_erase(tx, before=at - LATE, limit=limit)


def erased(tx: Transaction, media_ids: Sequence[UUID], *, at: datetime) -> None:
    """Note that nothing is left of the objects of media items."""
    repository.erased(tx, media_ids, at=at)
