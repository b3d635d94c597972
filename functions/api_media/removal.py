"""Deleting media items: what posts, reviews and captions have to say about it, put together."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from socialflow.captions import service as captions
from socialflow.errors import Refusal
from socialflow.media import deletion
from socialflow.media.deletion import MediaInUse
from socialflow.media.library import Done, check_version
from socialflow.media.model import MediaDeleted, MediaItem
from socialflow.media.service import present
from socialflow.platform.database import Transaction
from socialflow.publishing import usage
from socialflow.publishing.usage import Need
from socialflow.review import service as review
from socialflow.search import service as search

REASON = "A media item of the post was deleted. Choose another, then schedule it again."
_MOST_TOLD = 50


@dataclass(frozen=True)
class Wish:
    """Who wants media items deleted, and whether also those that posts need. `version` None: whatever is there."""

    by: UUID
    at: datetime
    force: bool = False
    version: int | None = None


def remove(tx: Transaction, media_ids: Sequence[UUID], wish: Wish) -> list[Done]:
    """Delete media items; return what became of each: one that is refused keeps no other."""
    items = deletion.doomed(tx, media_ids)
    if wish.force:
        usage.hold(tx, list(items))
    needed: dict[UUID, list[Need]] = {}
    for need in usage.needs(tx, list(items)):
        needed.setdefault(need.media_id, []).append(need)
    done, going = [], []
    for media_id in dict.fromkeys(media_ids):
        try:
            going += _going(items.get(media_id), media_id, needed.get(media_id, []), wish)
        except MediaDeleted:  # it is what was wanted
            done.append(Done(media_id, version=items[media_id].version))
        except Refusal as refusal:
            done.append(Done(media_id, refusal=refusal))
        else:
            done.append(Done(media_id, version=items[media_id].version + 1))
    _delete(tx, going, needed, wish)
    return done


def _going(item: MediaItem | None, media_id: UUID, needed: Sequence[Need], wish: Wish) -> list[MediaItem]:
    """Return a media item that may go; raises what stands in the way."""
    there = present(item, media_id)
    check_version(there, wish.version)
    if (needed and not wish.force) or any(need.leaving for need in needed):
        raise _in_use(needed)
    return [there]


def _in_use(needed: Sequence[Need]) -> MediaInUse:
    posts: list[dict[str, Any]] = [{"id": str(need.post_id), "state": need.state} for need in needed[:_MOST_TOLD]]
    leaving = any(need.leaving for need in needed)
    way = (
        "One is on its way out: wait for that."
        if leaving
        else "Take it out of them, or repeat with force=true: planned posts become drafts again."
    )
    return MediaInUse(f"{len(needed)} posts need it. {way}", posts=posts, forcible=not leaving)


def _delete(tx: Transaction, items: Sequence[MediaItem], needed: dict[UUID, list[Need]], wish: Wish) -> None:
    if not items:
        return
    planned = {item.id: [need.post_id for need in needed.get(item.id, ()) if need.planned] for item in items}
    usage.release(tx, {post_id for posts in planned.values() for post_id in posts}, reason=REASON)
    ids = [item.id for item in items]
    review.forget(tx, ids)
    captions.forget(tx, ids)
    search.forget(tx, ids)
    deletion.delete(tx, items, posts=planned, by=wish.by, at=wish.at)
