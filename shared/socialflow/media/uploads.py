"""What happens to uploads, in order: announced, signed, come. From then on they are media items like any other."""

from datetime import datetime
from functools import partial
from uuid import UUID

from socialflow.entitlements import service as entitlements
from socialflow.errors import FieldError, Invalid
from socialflow.media import events, gateway, repository, upload_repository
from socialflow.media.model import (
    Announcement,
    MediaItem,
    StoredObject,
    Upload,
    UploadArrived,
    UploadIdTaken,
    UploadMissing,
    UploadSizeDiffers,
    object_key,
)
from socialflow.media.service import present
from socialflow.platform import work
from socialflow.platform.database import Transaction
from socialflow.platform.ids import new_id


def begin(
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
    is_new = upload_repository.add(tx, Upload(media_id, announced, key, expires_at, by, at))
    item = _locked(tx, media_id)
    if is_new:
        entitlements.take(tx, "uploads", at=at)
        _make_room(tx, item, at=at)
        return item, True
    if item.announced != announced or item.created_by != by:
        raise UploadIdTaken("Another upload has this id. Choose a new one.")
    if item.arrived:
        raise UploadArrived("The file of this upload has arrived. Read the media item.", state=item.state)
    upload_repository.renew(tx, media_id, expires_at=expires_at)
    _make_room(tx, item, at=at)  # its address may have died, and its bytes have counted for nothing since
    return item, False


def get(tx: Transaction, media_id: UUID) -> MediaItem:
    """Return a media item, also one whose file is awaited; raises `MediaNotFound` and `MediaDeleted`."""
    return present(repository.find(tx, media_id), media_id)


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


def _make_room(tx: Transaction, item: MediaItem, *, at: datetime) -> None:
    awaited = partial(announced_bytes, tx, at=at)
    entitlements.make_room(tx, "storage_bytes", item.declared_size, awaited, at=at)


def _locked(tx: Transaction, media_id: UUID) -> MediaItem:
    return present(repository.lock(tx, media_id), media_id)
