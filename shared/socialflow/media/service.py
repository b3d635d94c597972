"""What happens to media items, in order. Every change of the workflow is fenced by the run that makes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from socialflow.entitlements import service as entitlements
from socialflow.media import events, repository
from socialflow.media.model import (
    MAX_INSPECTIONS,
    Derivative,
    Downloadable,
    MediaDeleted,
    MediaItem,
    MediaNotFound,
    Outcome,
    Photo,
    Stage,
    State,
    UnfitFile,
    VariantMissing,
)
from socialflow.media.naming import saved_as
from socialflow.platform import work
from socialflow.platform.database import Transaction

_ENDED: dict[State, type[events.MediaFact]] = {
    State.APPROVED: events.MediaApproved,
    State.REJECTED: events.MediaRejected,
    State.EXPIRED: events.MediaExpired,
}


@dataclass(frozen=True)
class Standing:
    """Where a started workflow finds its media item: `outcome` is None where the file is to be processed now."""

    item: MediaItem | None
    outcome: Outcome | None


def get(tx: Transaction, media_id: UUID) -> MediaItem:
    """Return a media item; raises `MediaNotFound`, and `MediaDeleted` for one that is no more."""
    return present(repository.find(tx, media_id), media_id)


def present(item: MediaItem | None, media_id: UUID) -> MediaItem:
    """Return what was found of a media item; raises `MediaNotFound` and `MediaDeleted`."""
    if item is None:
        raise MediaNotFound("There is no such media item. GET /v1/media lists them.", media_id=str(media_id))
    if item.deleted_at is not None:
        raise MediaDeleted(
            "The media item has been deleted, and cannot be brought back.",
            media_id=str(media_id),
            deleted_at=item.deleted_at.isoformat(),
        )
    return item


def many(tx: Transaction, media_ids: Sequence[UUID]) -> dict[UUID, MediaItem]:
    """Return media items by their ids."""
    return repository.many(tx, media_ids)


def derivatives_of(tx: Transaction, media_id: UUID) -> list[Derivative]:
    """Return a media item's derivatives, the smallest first."""
    return repository.derivatives(tx, media_id)


def derivatives(tx: Transaction, media_ids: Sequence[UUID]) -> dict[UUID, list[Derivative]]:
    """Return the derivatives of media items, the smallest first."""
    return repository.derivatives_of(tx, media_ids)


def download(tx: Transaction, media_id: UUID, variant: str) -> Downloadable:
    """Return what may be downloaded; raises `VariantMissing` for what does not exist yet, or was refused."""
    item = get(tx, media_id)
    if variant == "original":
        if item.object_version and item.content_type and item.state is not State.REFUSED:
            name = saved_as(item, variant, item.object_key)
            return Downloadable(item.object_key, item.object_version, item.content_type, name)
    else:
        for made in repository.derivatives(tx, media_id):
            if made.variant == variant:
                name = saved_as(item, variant, made.object_key)
                return Downloadable(made.object_key, made.object_version, made.content_type, name)
    raise VariantMissing(
        f"There is no {variant} of this media item. GET /v1/media/{media_id} tells its state.",
        state=item.state,
        variant=variant,
    )


def chosen(tx: Transaction, media_ids: Sequence[UUID]) -> dict[UUID, MediaItem]:
    """Return media items that are about to be put into a post: until the commit nobody deletes them."""
    return repository.many(tx, media_ids, hold=True)


def remaining(tx: Transaction, media_id: UUID) -> MediaItem | None:
    """Return a media item, locked; None where it is no more."""
    item = repository.lock(tx, media_id)
    return None if item is None or item.deleted_at is not None else item


def held(tx: Transaction, media_id: UUID) -> MediaItem:
    """Return a media item, locked: whoever changes its review or its work locks it first."""
    return _locked(tx, media_id)


def stand(tx: Transaction, media_id: UUID, *, run: int, at: datetime) -> Standing:
    """Tell a started run where its media item stands; one that takes its worker down each time is given up."""
    item = _fenced(tx, media_id, run=run, at=at)
    if item is None:
        return Standing(None, "superseded")
    outcome = item.reached
    if outcome is None and item.inspections >= MAX_INSPECTIONS:
        why = UnfitFile("unreadable", "The file could not be read. Open it, save it anew, and upload that.")
        refuse(tx, media_id, why, run=run, at=at)
        outcome = "refused"
    if outcome == "refused":
        work.finish(tx, "ingest", media_id, run=run)
    return Standing(item, outcome)


def alive(tx: Transaction, media_id: UUID, *, run: int, at: datetime) -> MediaItem | None:
    """Return the media item, locked, to a run that is the newest and says that it is alive; else None."""
    return _fenced(tx, media_id, run=run, at=at)


def inspecting(tx: Transaction, media_id: UUID, *, object_version: str, run: int, at: datetime) -> bool:
    """Pin the object's version and count the inspection that begins; False where the run is superseded."""
    if _fenced(tx, media_id, run=run, at=at) is None:
        return False
    repository.pin(tx, media_id, object_version=object_version)
    repository.advance(tx, media_id, Stage.INSPECTING, at=at)
    return True


def processing(tx: Transaction, media_id: UUID, *, run: int, at: datetime) -> bool:
    """Note that the picture was inspected and is being rendered; False where the run is superseded."""
    if _fenced(tx, media_id, run=run, at=at) is None:
        return False
    repository.advance(tx, media_id, Stage.PROCESSING, at=at)
    return True


def describe(tx: Transaction, media_id: UUID, photo: Photo, *, run: int, at: datetime) -> bool:
    """Keep what was found out, once the picture has been rendered; False where the run is superseded."""
    if _fenced(tx, media_id, run=run, at=at) is None:
        return False
    repository.describe(tx, media_id, photo)
    return True


def processed(tx: Transaction, media_id: UUID, made: Sequence[Derivative], *, run: int, at: datetime) -> bool:
    """Keep the derivatives; the caption is next. False where the run is superseded."""
    item = _fenced(tx, media_id, run=run, at=at)
    if item is None:
        return False
    repository.put_derivatives(tx, media_id, made)
    if repository.advance(tx, media_id, Stage.CAPTIONING, at=at):
        tx.emit(events.MediaProcessed(subject_id=media_id, sha256=(item.sha256 or b"").hex()))
    return True


def refuse(tx: Transaction, media_id: UUID, why: UnfitFile, *, run: int, at: datetime) -> bool:
    """Give a file up, with the reason that its uploader is shown; False where the run is superseded."""
    item = _fenced(tx, media_id, run=run, at=at)
    if item is None:
        return False
    if repository.refuse(tx, media_id, why, at=at):
        entitlements.give_back(tx, "storage_bytes", item.declared_size, at=at)
        tx.emit(events.MediaRefused(subject_id=media_id, code=why.code))
    work.finish(tx, "ingest", media_id, run=run)
    return True


def open_review(tx: Transaction, media_id: UUID, *, run: int, at: datetime) -> bool:
    """Put a processed media item into review; False where the run is superseded."""
    if _fenced(tx, media_id, run=run, at=at) is None:
        return False
    if repository.open_review(tx, media_id, at=at):
        repository.advance(tx, media_id, Stage.IN_REVIEW, at=at)
    return True


def settle(tx: Transaction, media_id: UUID, state: State, *, run: int, at: datetime) -> bool:
    """Give a media item the state that its review ended in, and end its workflow; False where superseded."""
    if _fenced(tx, media_id, run=run, at=at) is None:
        return False
    if repository.settle(tx, media_id, state, at=at):
        tx.emit(_ENDED[state](subject_id=media_id))
    work.finish(tx, "ingest", media_id, run=run)
    return True


def _fenced(tx: Transaction, media_id: UUID, *, run: int, at: datetime) -> MediaItem | None:
    """Lock the item and then its work row (in that order everywhere); None where the run is superseded.

    Of what is deleted every run is. The run also says that it is alive: it is not started again for a grace period.
    """
    item = repository.lock(tx, media_id)
    if item is not None and item.deleted_at is not None:
        work.finish(tx, "ingest", media_id, run=run)
        return None
    if not work.postpone(tx, "ingest", media_id, run=run, wake_at=at + work.GRACE):
        return None
    return item


def _locked(tx: Transaction, media_id: UUID) -> MediaItem:
    return present(repository.lock(tx, media_id), media_id)
