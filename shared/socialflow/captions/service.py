"""What happens to captions, in order.

Whoever writes a version holds the media item's lock: versions are numbered one after another.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from socialflow.captions import events, repository
from socialflow.captions.model import Author, Caption, CaptionRequest, Draft, Edit, Skipped, checked_prompt, edited
from socialflow.platform.database import Transaction


def ask(tx: Transaction, media_id: UUID, prompt: str, *, by: UUID, at: datetime) -> None:
    """Ask for a caption, once the media item has been processed; raises `CaptionInvalid` for a wish over its limit."""
    repository.ask(tx, media_id, checked_prompt(prompt), by=by, at=at)


def is_wish(tx: Transaction, media_id: UUID, prompt: str | None) -> bool:
    """Tell whether the newest wish is this one; None stands for none."""
    wish = latest_request(tx, media_id)
    return (wish and wish.prompt) == (prompt if prompt is None else checked_prompt(prompt))


def latest_request(tx: Transaction, media_id: UUID) -> CaptionRequest | None:
    """Return the newest wish for a caption, None where there was none."""
    return repository.latest_requests(tx, [media_id]).get(media_id)


def latest_requests(tx: Transaction, media_ids: Sequence[UUID]) -> dict[UUID, CaptionRequest]:
    """Return the newest wish of each media item that has one."""
    return repository.latest_requests(tx, media_ids)


def fulfil(tx: Transaction, request: CaptionRequest, draft: Draft, *, model: str, at: datetime) -> Caption | None:
    """Write the captioner's version; None where the wish was closed before: a repetition writes no second one."""
    if not repository.close_written(tx, request.id, at=at):
        return None
    author = Author("ai", model=model, request=request.id)
    caption = repository.add(tx, request.media_id, draft, author=author, at=at)
    tx.emit(
        events.CaptionGenerated(
            subject_id=request.media_id, caption_id=caption.id, version=caption.version, model=model
        )
    )
    return caption


def skip(tx: Transaction, request: CaptionRequest, why: Skipped, *, at: datetime) -> None:
    """Close a wish without a caption, with the reason that people are shown."""
    repository.close_skipped(tx, request.id, why, at=at)


def edit(tx: Transaction, media_id: UUID, change: Edit, *, author: Author, at: datetime) -> Caption:
    """Write a person's version over the current one; raises `CaptionInvalid`."""
    assert author.user is not None
    draft = edited(current(tx, media_id), change)
    caption = repository.add(tx, media_id, draft, author=author, at=at)
    tx.emit(events.CaptionEdited(subject_id=media_id, caption_id=caption.id, version=caption.version, by=author.user))
    return caption


def current(tx: Transaction, media_id: UUID) -> Caption | None:
    """Return the newest version."""
    return repository.current(tx, [media_id]).get(media_id)


def currents(tx: Transaction, media_ids: Sequence[UUID]) -> dict[UUID, Caption]:
    """Return the newest version of each media item that has one."""
    return repository.current(tx, media_ids)


def versions(tx: Transaction, media_id: UUID) -> list[Caption]:
    """Return every version, the oldest first."""
    return repository.versions(tx, media_id)
