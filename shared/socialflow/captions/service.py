"""What happens to captions, in order.

Whoever writes a version holds the media item's lock: versions are numbered one after another.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from socialflow.captions import events, repository
from socialflow.captions.model import (
    Author,
    Caption,
    CaptionRequest,
    CaptionUnderWay,
    Draft,
    Edit,
    RequestNotFound,
    Skipped,
    VersionNotFound,
    Wish,
    checked_prompt,
    edited,
)
from socialflow.platform import work
from socialflow.platform.database import Transaction

UNDER_WAY_SECONDS = 5
MOST_EXAMPLES = 3
EXAMPLE_LENGTH = 300


def ask(tx: Transaction, media_id: UUID, prompt: str, *, by: UUID, at: datetime) -> None:
    """Ask for a caption, once the media item has been processed; raises `CaptionInvalid` for a wish over its limit."""
    repository.ask(tx, media_id, Wish(checked_prompt(prompt)), by=by, at=at)


def ask_again(tx: Transaction, media_id: UUID, wish: Wish, *, by: UUID, at: datetime) -> CaptionRequest:
    """Ask for another caption of a media item that the caller has locked; raises `CaptionUnderWay`."""
    latest = latest_request(tx, media_id)
    if latest is not None and latest.state == "open":
        raise CaptionUnderWay(
            "A caption of this media item is being written. Wait for it, then ask again.",
            retry_after=UNDER_WAY_SECONDS,
            caption_request=str(latest.id),
        )
    request_id = repository.ask(tx, media_id, wish, by=by, at=at)
    work.schedule(tx, "caption", request_id, wake_at=at)
    tx.emit(events.CaptionRequested(subject_id=media_id, request_id=request_id, by=by))
    return request(tx, media_id, request_id)


def request(tx: Transaction, media_id: UUID, request_id: UUID) -> CaptionRequest:
    """Return a wish of a media item; raises `RequestNotFound`."""
    found = repository.request(tx, request_id)
    if found is None or found.media_id != media_id:
        raise RequestNotFound(
            "There is no such request of this media item. POST …/captions makes one.", caption_request=str(request_id)
        )
    return found


def find_request(tx: Transaction, request_id: UUID) -> CaptionRequest | None:
    """Return a wish by its id alone, for its own workflow."""
    return repository.request(tx, request_id)


def written_for(tx: Transaction, request_id: UUID) -> list[Caption]:
    """Return the versions that were written for a wish, the first alternative first."""
    return repository.of_request(tx, request_id)


def version(tx: Transaction, media_id: UUID, number: int) -> Caption:
    """Return one version of a caption; raises `VersionNotFound`."""
    found = repository.version(tx, media_id, number)
    if found is None:
        raise VersionNotFound(f"There is no version {number}. GET …/captions lists them.", version=number)
    return found


def take_turn(tx: Transaction, request_id: UUID, turn_at: datetime) -> None:
    """Note when it is a wish's turn."""
    repository.take_turn(tx, request_id, turn_at)


def examples(tx: Transaction, media_id: UUID) -> list[str]:
    """Return a few short texts that this tenant's people have approved, the newest first."""
    return [text[:EXAMPLE_LENGTH] for text in repository.approved(tx, media_id, most=MOST_EXAMPLES)]


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


def fulfil(
    tx: Transaction, request: CaptionRequest, drafts: Sequence[Draft], *, model: str, at: datetime
) -> list[Caption]:
    """Write the captioner's versions, the best one last: it is the present one.

    Nothing where the wish was closed before: a repetition writes no second one.
    """
    if not repository.close_written(tx, request.id, at=at):
        return []
    network, written = request.style.get("network"), []
    for alternative in range(len(drafts), 0, -1):
        author = Author("ai", model=model, request=request.id, network=network, alternative=alternative)
        written.append(repository.add(tx, request.media_id, drafts[alternative - 1], author=author, at=at))
    best = written[-1]
    tx.emit(events.CaptionGenerated(subject_id=request.media_id, caption_id=best.id, version=best.version, model=model))
    return written


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


def forget(tx: Transaction, media_ids: Sequence[UUID]) -> None:
    """Delete every version of the captions of media items that are deleted, and every wish for one, with its work."""
    work.end(tx, repository.forget(tx, media_ids))


def versions(tx: Transaction, media_id: UUID) -> list[Caption]:
    """Return every version, the oldest first."""
    return repository.versions(tx, media_id)
