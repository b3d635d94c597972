"""Announcements: one, or many of which each has its own outcome. What is kept of an answer holds no address."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from functions.api_uploads import resuming
from functions.api_uploads.schemas import UploadIn, UploadKept, UploadOut
from socialflow.captions import service as captions
from socialflow.errors import Refusal
from socialflow.media import gateway, uploads
from socialflow.media.model import MediaItem
from socialflow.media.upload_model import PARTS_TTL, Parts, UploadIdTaken
from socialflow.platform.caller import Caller
from socialflow.platform.database import Transaction
from socialflow.platform.http import stored
from socialflow.platform.http.problems import document
from socialflow.platform.idempotency import Answer
from socialflow.platform.tenancy import Tenant


def announced(tx: Transaction, body: UploadIn, *, by: UUID, at: datetime) -> Answer:
    """Announce one file."""
    item, is_new = _begun(tx, body, by=by, at=at)
    return stored(UploadKept.of(item), status=201 if is_new else 200, location=f"/v1/media/{item.id}")


def announced_each(tx: Transaction, bodies: Sequence[UploadIn], who: Caller, *, at: datetime) -> Answer:
    """Announce many files: what is refused of one leaves nothing, and says nothing of the others."""
    uploads.queue(tx, [body.id for body in bodies if body.id])
    results = []
    for body in bodies:
        try:
            with tx.attempt():
                item, is_new = _begun(tx, body, by=who.user.id, at=at)
        except Refusal as refusal:
            problem = document(refusal, who.request_id)
            results.append({"id": body.id and str(body.id), "status": refusal.status, "problem": problem})
        else:
            kept = UploadKept.of(item).model_dump(mode="json")
            results.append({"id": str(item.id), "status": 201 if is_new else 200, "upload": kept})
    return Answer(200, {"results": [{"upload": None, "problem": None, **result} for result in results]})


def presented(tenant: Tenant, kept: dict[str, Any], *, at: datetime, sign_parts: bool = True) -> dict[str, Any]:
    """Return an upload's answer as it is sent: what was kept of it, with addresses signed now."""
    upload = UploadKept.model_validate(kept)
    if upload.part_size is None:
        sha256 = bytes.fromhex(upload.sha256) if upload.sha256 else None
        signed = gateway.sign_upload(upload.object_key, upload.content_type, upload.size, sha256=sha256)
        shown = UploadOut.whole(upload.id, signed, at + gateway.upload_ttl())
    elif sign_parts:
        shown = resuming.continued(tenant, upload.id, at=at)
    else:
        count = Parts(upload.size, upload.part_size).count
        shown = UploadOut(
            id=upload.id,
            method="multipart",
            part_size=upload.part_size,
            part_count=count,
            next_after=0,
            expires_at=at + PARTS_TTL,
        )
    return shown.model_dump(mode="json")


def _begun(tx: Transaction, body: UploadIn, *, by: UUID, at: datetime) -> tuple[MediaItem, bool]:
    keep = body.on_duplicate == "keep"
    item, is_new = uploads.begin(tx, body.announcement, media_id=body.id, by=by, at=at, keep_duplicate=keep)
    wish = None if body.caption.skip else body.caption.prompt
    if is_new and wish is not None:
        captions.ask(tx, item.id, wish, by=by, at=at)
    if not is_new and not captions.is_wish(tx, item.id, wish):
        raise UploadIdTaken("Another upload has this id: its caption was wished for in another way.")
    return item, is_new
