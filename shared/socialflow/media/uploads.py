"""What happens to uploads, in order: announced, sent, and come or given up; what has come is a media item."""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from socialflow.entitlements import service as entitlements
from socialflow.errors import FieldError, Invalid
from socialflow.media import events, gateway, repository, service, upload_repository
from socialflow.media.model import MediaItem, StoredObject, UnfitFile, object_key
from socialflow.media.upload_model import (
    ABANDONED,
    PARTS_TTL,
    Announcement,
    DuplicateMedia,
    Expired,
    Upload,
    UploadArrived,
    UploadExpired,
    UploadIdTaken,
    UploadMissing,
    UploadSizeDiffers,
)
from socialflow.platform import work
from socialflow.platform.database import Transaction
from socialflow.platform.ids import new_id


def begin(  # noqa: PLR0913 # an announcement, and who makes it when
    tx: Transaction,
    announced: Announcement,
    *,
    media_id: UUID | None,
    by: UUID,
    at: datetime,
    keep_duplicate: bool = False,
) -> tuple[MediaItem, bool]:
    """Write the row of an upload; return it, and whether it is new.

    A client may choose the id (UUIDv7). The same upload announced again is the same upload, its address signed anew.
    """
    announced.check()
    entitlements.check_size(tx, "upload_bytes", announced.size)
    if media_id is not None and media_id.version != 7:
        detail = "An id of your own is a UUID of version 7."
        raise Invalid(detail, errors=[FieldError("/id", "uuid-version", detail)])
    queue(tx, [media_id] if media_id else [])
    media_id = media_id or new_id()
    expires_at = at + (PARTS_TTL if announced.in_parts else gateway.upload_ttl())
    key = object_key(tx.tenant.slug, media_id, "original", announced.extension)
    is_new = upload_repository.add(tx, Upload(media_id, announced, key, expires_at, by, at))
    item = service.held(tx, media_id)
    if is_new:
        if not keep_duplicate:
            _refuse_duplicate(tx, item)
        entitlements.take(tx, "uploads", at=at)
        _make_room(tx, item, at=at)
        return item, True
    if Announcement.of(item) != announced or item.created_by != by:
        raise UploadIdTaken("Another upload has this id. Choose a new one.")
    if item.arrived:
        raise UploadArrived("The file of this upload has arrived. Read the media item.", state=item.state)
    upload_repository.renew(tx, media_id, expires_at=expires_at)
    _make_room(tx, item, at=at)  # its address may have died, and its bytes have counted for nothing since
    return service.held(tx, media_id), False


def queue(tx: Transaction, media_ids: Sequence[UUID]) -> None:
    """Wait for whoever announces under one of these ids now; whoever announces several waits for all of them first."""
    upload_repository.queue(tx, media_ids)


def awaited(tx: Transaction, media_id: UUID, *, at: datetime) -> MediaItem:
    """Return an upload that may still be sent; raises `UploadArrived` and `UploadExpired`."""
    item = service.get(tx, media_id)
    if item.arrived:
        raise UploadArrived("The file of this upload has arrived. Read the media item.", state=item.state)
    if item.upload_expires_at <= at:
        raise UploadExpired(
            "Announce it again with POST /v1/media/uploads: under an id of your own it is the same upload, and parts "
            "that have come may still be there.",
            expired_at=item.upload_expires_at.isoformat(),
        )
    return item


def open_parts(tx: Transaction, media_id: UUID, upload_id: str, *, instead_of: str | None) -> MediaItem:
    """Keep where the bucket collects an upload's parts, unless somebody was first; return the upload as it stands."""
    upload_repository.open_parts(tx, media_id, upload_id, instead_of=instead_of)
    return service.get(tx, media_id)


def announced_bytes(tx: Transaction, *, at: datetime) -> int:
    """Return the bytes of uploads that are awaited; one whose address has died takes no room."""
    return upload_repository.announced_bytes(tx, at=at)


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


def check_content(item: MediaItem, *, size: int, sha256: bytes | None = None) -> None:
    """Raise `UnfitFile` where what has come is not what was announced; without its SHA-256, by the size alone."""
    if size != item.declared_size:
        raise UnfitFile(
            "size-differs", f"The file has {size} bytes; {item.declared_size} were announced. Upload it again."
        )
    if sha256 is not None and item.declared_sha256 is not None and sha256 != item.declared_sha256:
        raise UnfitFile(
            "checksum-differs",
            "The file is not the one that was announced: its SHA-256 is another. It was damaged on its way, or changed "
            "meanwhile. Upload it again.",
        )


def arrive(tx: Transaction, media_id: UUID, *, at: datetime, key: str | None = None) -> MediaItem | None:
    """Note that an upload's file has come, and ask for its workflow; None where the key is not
    the upload's own, or the media item is deleted.

    A confirmation and the bucket's event both end here, in any order and any number: the first one counts.
    """
    item = repository.lock(tx, media_id)
    if item is None or item.deleted_at or (key is not None and key != item.object_key):
        return None
    if upload_repository.arrive(tx, media_id, at=at):
        work.schedule(tx, "ingest", media_id, wake_at=at)
        entitlements.add(tx, "storage_bytes", item.declared_size, at=at)
        tx.emit(events.MediaUploaded(subject_id=media_id, by=item.created_by))
    return repository.find(tx, media_id)


def give_up(tx: Transaction, media_id: UUID, *, by: UUID | None, at: datetime) -> MediaItem:
    """Give up an upload that has not come, and give back what it took of the plan; repeated, it changes nothing.

    The row stays as a tombstone, so that clients learn of it, and whatever is still sent to its address is nobody's.
    """
    item = repository.lock(tx, media_id)
    if item is not None and item.given_up:
        return item
    item = service.present(item, media_id)
    if not upload_repository.give_up(tx, media_id, by=by, at=at):
        raise UploadArrived(
            f"The file has arrived. DELETE /v1/media/{media_id} deletes the media item.", state=item.state
        )
    entitlements.give_back(tx, "uploads", at=item.created_at)
    return item


def expired(tx: Transaction, *, at: datetime, after: Expired | None, limit: int) -> list[Expired]:
    """Return uploads to which nothing can be sent any more, behind one: what the bucket has of them is not known."""
    return upload_repository.expired(tx, at=at, after=after, limit=limit)


def abandon(tx: Transaction, media_id: UUID, *, at: datetime) -> bool:
    """Give up an upload that nobody has gone on with for a day; False where somebody has, or may yet."""
    item = repository.lock(tx, media_id)
    if item is None or item.arrived or item.upload_expires_at > at - ABANDONED:
        return False
    give_up(tx, media_id, by=None, at=at)
    return True


def unknown(tx: Transaction, media_ids: Collection[UUID]) -> set[UUID]:
    """Return those ids of which there is no media item, not even a tombstone."""
    return upload_repository.unknown(tx, media_ids)


def _refuse_duplicate(tx: Transaction, item: MediaItem) -> None:
    if item.declared_sha256 is None:
        return
    other = upload_repository.with_content(tx, item.declared_sha256, but=item.id)
    if other is not None:
        where = f"/v1/media/{other}"
        raise DuplicateMedia(
            f"A file with this content is there: GET {where}. Use that one, or announce this one with "
            '"on_duplicate": "keep".',
            media_id=str(other),
            location=where,
        )


def _make_room(tx: Transaction, item: MediaItem, *, at: datetime) -> None:
    waiting = partial(announced_bytes, tx, at=at)
    entitlements.make_room(tx, "storage_bytes", item.declared_size, waiting, at=at)
