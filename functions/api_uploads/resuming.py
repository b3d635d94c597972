"""Uploads in parts, between the database and the bucket: no transaction is open while the bucket is asked."""

from datetime import datetime, timedelta
from uuid import UUID

from functions.api_uploads.schemas import PartOut, UploadOut
from socialflow.media import gateway, parts_gateway, service, uploads
from socialflow.media.model import MediaItem
from socialflow.media.upload_model import Part, Parts, UploadArrived, UploadIncomplete, UploadSentWhole
from socialflow.platform.database import transaction
from socialflow.platform.tenancy import Tenant


def continued(tenant: Tenant, media_id: UUID, *, after: int = 0, at: datetime) -> UploadOut:
    """Return how to send what is missing of an upload, its addresses signed now; they die with the upload."""
    with transaction(tenant) as tx:
        item = uploads.awaited(tx, media_id, at=at)
    seconds = max(1, min(gateway.upload_ttl(), item.upload_expires_at - at) // timedelta(seconds=1))
    until = at + timedelta(seconds=seconds)
    if item.part_size is None:
        signed = gateway.sign_upload(
            item.object_key, item.declared_type, item.declared_size, sha256=item.declared_sha256, seconds=seconds
        )
        return UploadOut.whole(item.id, signed, until)
    item, found = _collected(tenant, item)
    assert item.upload_id is not None
    assert item.part_size is not None
    parts = Parts(item.declared_size, item.part_size)
    wanted = parts.missing(found, after=after)
    more = parts.missing(found, after=wanted[-1], most=1) if wanted else []
    return UploadOut(
        id=item.id,
        method="multipart",
        part_size=item.part_size,
        part_count=parts.count,
        received=parts.received(found),
        parts=[_signed(item, item.upload_id, number, parts.size_of(number), seconds) for number in wanted],
        next_after=wanted[-1] if more else None,
        expires_at=until,
    )


def completed(tenant: Tenant, media_id: UUID, *, at: datetime) -> MediaItem:
    """Put a file together from its parts and begin its workflow; the same again is the same."""
    with transaction(tenant) as tx:
        item = service.get(tx, media_id)
    if item.part_size is None:
        raise UploadSentWhole(f"Send it to its one address, then POST /v1/media/{media_id}/confirm.")
    if not item.arrived:
        _put_together(item)
    with transaction(tenant) as tx:
        uploads.arrive(tx, media_id, at=at)
        return service.get(tx, media_id)


def given_up(tenant: Tenant, media_id: UUID, *, by: UUID, at: datetime) -> None:
    """Give an upload up, and throw away what the bucket has of it. What is sent yet is found by the sweep."""
    with transaction(tenant) as tx:
        item = uploads.give_up(tx, media_id, by=by, at=at)
    if item.upload_id is not None:
        parts_gateway.abort(item.object_key, item.upload_id)


def _put_together(item: MediaItem) -> None:
    """Have the bucket put a file together from all of its parts; raises what is wrong with them."""
    assert item.part_size is not None
    found = parts_gateway.received(item.object_key, item.upload_id) if item.upload_id else {}
    if found is not None:
        parts = Parts(item.declared_size, item.part_size).check(found)
        if item.upload_id and parts_gateway.complete(item.object_key, item.upload_id, parts):
            return
    # Somebody else was faster, or a part was sent again just now: what the bucket has tells which.
    stored = gateway.head(item.object_key)
    if stored is None and found is not None:
        raise UploadIncomplete("A part was sent again at the same moment. Complete it once more.", retry_after=1)
    uploads.check_arrival(item, stored)
    if item.upload_id:
        parts_gateway.abort(item.object_key, item.upload_id)


def _collected(tenant: Tenant, item: MediaItem) -> tuple[MediaItem, dict[int, Part]]:
    """Return the upload and the parts that have come, the bucket asked to collect them where it does not yet."""
    if item.upload_id is not None:
        found = parts_gateway.received(item.object_key, item.upload_id)
        if found is not None:
            return item, found
        if gateway.head(item.object_key) is not None:
            raise UploadArrived(f"All of it has come: POST /v1/media/{item.id}/upload/complete.", state=item.state)
    begun = parts_gateway.begin(item.object_key, item.declared_type)
    with transaction(tenant) as tx:
        kept = uploads.open_parts(tx, item.id, begun, instead_of=item.upload_id)
    if kept.upload_id == begun:
        return kept, {}
    parts_gateway.abort(item.object_key, begun)
    assert kept.upload_id is not None
    return kept, parts_gateway.received(kept.object_key, kept.upload_id) or {}


def _signed(item: MediaItem, upload_id: str, number: int, size: int, seconds: int) -> PartOut:
    signed = parts_gateway.sign(item.object_key, upload_id, number, size, seconds=seconds)
    return PartOut(number=number, size=size, url=signed.url, headers=signed.headers)
