"""What people do with the media items that are there, in order: list, describe, tag."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from socialflow.errors import FieldError, Invalid, PreconditionFailed, Refusal
from socialflow.media import library_repository
from socialflow.media.changes import Changes, Retagging, normal
from socialflow.media.library_repository import Counted, Progress, Tag
from socialflow.media.listing import Filters, Part
from socialflow.media.model import MediaItem
from socialflow.media.service import held, present
from socialflow.platform.database import Transaction

MAX_BATCH = 100


class MediaChanged(PreconditionFailed):
    """Somebody, or its workflow, has changed it since the caller read it."""

    code, title = "media-changed", "The media item has changed since you read it"


class NothingToChange(Invalid):
    """The request names no change."""

    code, title = "nothing-to-change", "Nothing is to be changed"


@dataclass(frozen=True)
class Done:
    """What became of one media item of many: the refusal, or the version that it has now."""

    id: UUID
    version: int | None = None
    refusal: Refusal | None = None


def page(tx: Transaction, filters: Filters, part: Part, *, at: datetime) -> list[MediaItem]:
    """Return a part of the media items that pass the filters, in its order."""
    return library_repository.page(tx, filters, part, at=at)


def counts(tx: Transaction) -> list[Counted]:
    """Return how many media items there are of each kind in each state."""
    return library_repository.counts(tx)


def tags(tx: Transaction, *, beginning: str, limit: int) -> list[Tag]:
    """Return the tags that begin so, the most used first."""
    return library_repository.tags(tx, beginning=normal(beginning), limit=limit)


def progress(tx: Transaction, media_ids: Sequence[UUID]) -> dict[UUID, Progress]:
    """Return where media items stand, by their ids: for whoever asks again and again."""
    return library_repository.progress(tx, media_ids)


def check_version(item: MediaItem, version: int | None) -> None:
    """Raise `MediaChanged` where the caller has read another version; None stands for any."""
    if version is not None and version != item.version:
        raise MediaChanged("Read it again, and change it as it is now.", current_version=item.version)


def change(tx: Transaction, media_id: UUID, changes: Changes, *, version: int | None, at: datetime) -> MediaItem:
    """Write what people say of a media item that they have read; what a post took of it stays as it was taken."""
    if changes.empty:
        detail = "Send at least one of title, alt_text, tags and focal_point."
        raise NothingToChange(detail, errors=[FieldError("", "nothing-to-change", detail)])
    item = held(tx, media_id)
    check_version(item, version)
    made = changes.made_to(item)
    if made == item:
        return item
    library_repository.save(tx, made, at=at)
    return held(tx, media_id)


def retag(tx: Transaction, media_ids: Sequence[UUID], retagging: Retagging, *, at: datetime) -> list[Done]:
    """Give many media items tags, and take some away; return what became of each."""
    if not retagging.add and not retagging.remove:
        raise NothingToChange("Send tags to add, to remove, or both.")
    found = library_repository.lock_many(tx, media_ids)
    done: dict[UUID, Done] = {}
    changed: dict[UUID, list[str]] = {}
    for media_id in dict.fromkeys(media_ids):
        try:
            item = present(found.get(media_id), media_id)
            wanted = retagging.made_to(item.tags)
        except Refusal as refusal:
            done[media_id] = Done(media_id, refusal=refusal)
            continue
        if wanted != item.tags:
            changed[media_id] = wanted
        done[media_id] = Done(media_id, version=item.version + (wanted != item.tags))
    library_repository.save_tags(tx, changed, at=at)
    return list(done.values())
