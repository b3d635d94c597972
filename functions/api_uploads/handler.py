"""Uploads: announced here, sent to the bucket, told of here or by the bucket itself."""

from typing import Any
from uuid import UUID

from functions.api_uploads.schemas import ArrivalOut, UploadIn, UploadKept, UploadOut
from socialflow.captions import service as captions
from socialflow.identity import door
from socialflow.media import gateway, uploads
from socialflow.media.model import UploadIdTaken
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.http import Response, api, caller, entry, once, requires, stored
from socialflow.platform.idempotency import Answer
from socialflow.platform.settings import DatabaseSettings, DoorbellSettings, OidcSettings, StorageSettings

NEEDS = (DatabaseSettings, OidcSettings, StorageSettings, DoorbellSettings)
app = api(door)


@app.post("/v1/media/uploads", status_code=201, summary="Begin an upload", tags=["media"])
@requires("media:write")
def begin(body: UploadIn) -> Response[UploadOut]:
    """Announce a file; the answer says where and how to send it."""
    who, at = caller(), now()
    with transaction(who.tenant) as tx:

        def announce() -> Answer:
            item, is_new = uploads.begin(tx, body.announcement, media_id=body.id, by=who.user.id, at=at)
            wish = None if body.caption.skip else body.caption.prompt
            if is_new and wish is not None:
                captions.ask(tx, item.id, wish, by=who.user.id, at=at)
            if not is_new and not captions.is_wish(tx, item.id, wish):
                raise UploadIdTaken("Another upload has this id: its caption was wished for in another way.")
            where = f"/v1/media/{item.id}"
            return stored(UploadKept.of(item), status=201 if is_new else 200, location=where)

        return once(tx, announce, present=_with_address)


@app.post("/v1/media/<media_id>/confirm", summary="Say that the file has been sent", tags=["media"])
@requires("media:write")
def confirm(media_id: UUID) -> ArrivalOut:
    """Look for the file and begin its workflow. Needed only to be told at once where something went wrong."""
    who = caller()
    with transaction(who.tenant) as tx:
        item = uploads.get(tx, media_id)
    if not item.arrived:
        uploads.check_arrival(item, gateway.head(item.object_key))
    with transaction(who.tenant) as tx:
        uploads.arrive(tx, media_id, at=now())
        return ArrivalOut.of(uploads.get(tx, media_id))


def _with_address(kept: dict[str, Any]) -> dict[str, Any]:
    """Return an upload's answer as it is sent: what was kept of it, with an address signed now."""
    upload = UploadKept.model_validate(kept)
    signed = gateway.sign_upload(upload.object_key, upload.content_type, upload.size)
    expires_at = now() + gateway.upload_ttl()
    answer = UploadOut(
        id=upload.id, method=signed.method, url=signed.url, headers=signed.headers, expires_at=expires_at
    )
    return answer.model_dump(mode="json")


handler = entry(app, *NEEDS)
