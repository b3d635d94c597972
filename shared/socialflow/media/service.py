"""What happens to media items, in order. Every change of the workflow is fenced by the run that makes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from socialflow.entitlements import service as entitlements
from socialflow.errors import FieldError, Invalid
from socialflow.media import events, gateway, repository
from socialflow.media.model import (
    MAX_INSPECTIONS,
    Announcement,
    Derivative,
    Downloadable,
    MediaItem,
    MediaNotFound,
    Outcome,
    Photo,
    Stage,
    State,
    StoredObject,
    UnfitFile,
    Upload,
    UploadArrived,
    UploadIdTaken,
    UploadMissing,
    UploadSizeDiffers,
    VariantMissing,
    object_key,
)
from socialflow.platform import work
from socialflow.platform.database import Transaction
from socialflow.platform.ids import new_id

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


def begin_upload(
    tx: Transaction, announced: Announcement, *, media_id: UUID | None, by: UUID, at: datetime
) -> tuple[MediaItem, bool]:
    """Write the row of an upload; return it, and whether it is new.

    A client may choose the id (UUIDv7). The same upload announced again is the same upload, its address signed anew.
    """
    announced.check()
    if media_id is not None and media_id.version != 7:
        detail = "An id of your own is a UUID of version 7."
        raise Invalid(detail, errors=[FieldError("/id", "uuid-version", detail)])
    media_id = media_id or new_id()
    expires_at = at + gateway.upload_ttl()
    key = object_key(tx.tenant.slug, media_id, "original", announced.extension)
    is_new = repository.add(tx, Upload(media_id, announced, key, expires_at, by, at))
    item = _locked(tx, media_id)
    if is_new:
        entitlements.take(tx, "uploads", at=at)
        _make_room(tx, item, at=at)
        return item, True
    if item.announced != announced or item.created_by != by:
        raise UploadIdTaken("Another upload has this id. Choose a new one.")
    if item.arrived:
        raise UploadArrived("The file of this upload has arrived. Read the media item.", state=item.state)
    repository.renew(tx, media_id, expires_at=expires_at)
    _make_room(tx, item, at=at)  # its address may have died, and its bytes have counted for nothing since
    return item, False


def get(tx: Transaction, media_id: UUID) -> MediaItem:
    """Return a media item; raises `MediaNotFound`."""
    item = repository.find(tx, media_id)
    if item is None:
        raise _not_found(media_id)
    return item


def page(tx: Transaction, *, state: State | None, after: tuple[datetime, UUID] | None, limit: int) -> list[MediaItem]:
    """Return media items, the newest first, below a position."""
    return repository.page(tx, state=state, after=after, limit=limit)


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
            return Downloadable(item.object_key, item.object_version, item.content_type, item.file_name)
    else:
        for made in repository.derivatives(tx, media_id):
            if made.variant == variant:
                return Downloadable(made.object_key, made.object_version, made.content_type, item.file_name)
    raise VariantMissing(
        f"There is no {variant} of this media item. GET /v1/media/{media_id} tells its state.",
        state=item.state,
        variant=variant,
    )


def announced_bytes(tx: Transaction, *, at: datetime) -> int:
    """Return the bytes of uploads that are awaited; one whose address has died takes no room."""
    return repository.announced_bytes(tx, at=at)


def held(tx: Transaction, media_id: UUID) -> MediaItem:
    """Return a media item, locked: whoever changes its review or its work locks it first."""
    return _locked(tx, media_id)


def check_arrival(item: MediaItem, stored: StoredObject | None) -> None:
    """Raise the refusal that a confirmation meets, given what the bucket has."""
    if stored is None:
        raise UploadMissing(
            "The bucket has no file of this upload. Send it to the signed address first, or begin a new upload."
        )
    if stored.size != item.declared_size:
        raise UploadSizeDiffers(
            f"The file has {stored.size} bytes; {item.declared_size} were announced. Begin a new upload.",
            size=stored.size,
            announced=item.declared_size,
        )


def arrive(tx: Transaction, media_id: UUID, *, at: datetime, key: str | None = None) -> MediaItem | None:
    """Note that an upload's file has come, and ask for its workflow; None where the key is not the upload's own.

    A confirmation and the bucket's event both end here, in any order and any number: the first one counts.
    """
    item = repository.lock(tx, media_id)
    if item is None or (key is not None and key != item.object_key):
        return None
    if repository.arrive(tx, media_id, at=at):
        work.schedule(tx, "ingest", media_id, wake_at=at)
        entitlements.add(tx, "storage_bytes", item.declared_size, at=at)
        tx.emit(events.MediaUploaded(subject_id=media_id, by=item.created_by))
    return get(tx, media_id)


def stand(tx: Transaction, media_id: UUID, *, run: int, at: datetime) -> Standing:
    """Tell a started run where its media item stands; one that takes its worker down each time is given up."""
    item = _fenced(tx, media_id, run=run, at=at)
    if item is None:
        return Standing(None, "superseded")
    outcome = item.reached
    if outcome is None and item.inspections >= MAX_INSPECTIONS:
        why = UnfitFile("unreadable", "The picture could not be read. Open it, save it anew, and upload that.")
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

    The run also says that it is alive: it is not started again for a grace period.
    """
    item = repository.lock(tx, media_id)
    if not work.postpone(tx, "ingest", media_id, run=run, wake_at=at + work.GRACE):
        return None
    return item


def _make_room(tx: Transaction, item: MediaItem, *, at: datetime) -> None:
    awaited = partial(announced_bytes, tx, at=at)
    entitlements.make_room(tx, "storage_bytes", item.declared_size, awaited, at=at)


def _locked(tx: Transaction, media_id: UUID) -> MediaItem:
    item = repository.lock(tx, media_id)
    if item is None:
        raise _not_found(media_id)
    return item


def _not_found(media_id: UUID) -> MediaNotFound:
    return MediaNotFound("There is no such media item. GET /v1/media lists them.", media_id=str(media_id))
