"""Uploads and media items."""

from datetime import timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from aws_lambda_powertools.event_handler.openapi.params import Query

from functions.api_media.known import Known
from functions.api_media.schemas import (
    CaptionOut,
    CaptionVersionsOut,
    DownloadOut,
    MediaOut,
    MediaPageOut,
    UploadIn,
    UploadKept,
    UploadOut,
)
from socialflow.captions import service as captions
from socialflow.identity import door
from socialflow.media import gateway, service
from socialflow.media.model import State, UploadIdTaken
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.http import (
    DEFAULT_LIMIT,
    Cursor,
    Limit,
    Position,
    Response,
    after,
    api,
    caller,
    entry,
    next_cursor,
    once,
    requires,
    stored,
    tagged,
)
from socialflow.platform.idempotency import Answer
from socialflow.platform.settings import DatabaseSettings, DoorbellSettings, OidcSettings, StorageSettings

NEEDS = (DatabaseSettings, OidcSettings, StorageSettings, DoorbellSettings)
app = api(door)

THUMB = ("thumb",)


@app.post("/v1/media/uploads", status_code=201, summary="Begin an upload", tags=["media"])
@requires("media:write")
def begin(body: UploadIn) -> Response[UploadOut]:
    """Announce a file; the answer says where and how to send it."""
    who, at = caller(), now()
    with transaction(who.tenant) as tx:

        def announce() -> Answer:
            item, is_new = service.begin_upload(tx, body.announcement, media_id=body.id, by=who.user.id, at=at)
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
def confirm(media_id: UUID) -> MediaOut:
    """Look for the file and begin its workflow. Needed only to be told at once where something went wrong."""
    who = caller()
    with transaction(who.tenant) as tx:
        item = service.get(tx, media_id)
    if not item.arrived:
        service.check_arrival(item, gateway.head(item.object_key))
    with transaction(who.tenant) as tx:
        service.arrive(tx, media_id, at=now())
        (known,) = Known.of(tx, [service.get(tx, media_id)])
    return known.shaped()


@app.get("/v1/media", summary="List media items", tags=["media"])
@requires("media:read")
def listed(
    state: Annotated[State | None, Query(description="Only media items in this state.")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> MediaPageOut:
    """Return media items, the newest first."""
    filters = {"state": state}
    begin_at = after(cursor, filters)
    with transaction(caller().tenant) as tx:
        position = (begin_at.at, begin_at.id) if begin_at else None
        found = service.page(tx, state=state, after=position, limit=limit + 1)
        known = Known.of(tx, found[:limit])
    last = found[limit - 1] if len(found) > limit else None
    return MediaPageOut(
        items=[one.shaped(only=THUMB) for one in known],
        next_cursor=next_cursor(Position(last.created_at, last.id), filters) if last else None,
    )


@app.get("/v1/media/<media_id>", summary="Read a media item", tags=["media"])
@requires("media:read")
def read(media_id: UUID) -> Response[MediaOut]:
    """Return a media item with its progress, its caption and its derivatives."""
    with transaction(caller().tenant) as tx:
        (known,) = Known.of(tx, [service.get(tx, media_id)])
    return tagged(known.shaped(), known.item.version)


@app.get("/v1/media/<media_id>/download", summary="Get an address to download from", tags=["media"])
@requires("media:read")
def download(
    media_id: UUID,
    variant: Annotated[
        Literal["original", "thumb", "small", "medium", "large"],
        Query(description="An original is always saved as a file, never shown."),
    ] = "original",
) -> DownloadOut:
    """Return a signed address of one variant, of exactly the version that was inspected or made."""
    at = now()
    with transaction(caller().tenant) as tx:
        wanted = service.download(tx, media_id, variant)
    if variant == "original":
        url = gateway.sign_download(wanted.object_key, wanted.object_version, wanted.content_type, wanted.file_name)
    else:
        url = gateway.sign_view(wanted.object_key, wanted.object_version, wanted.content_type)
    return DownloadOut(url=url, expires_at=at + timedelta(seconds=gateway.view_ttl()))


@app.get("/v1/media/<media_id>/captions", summary="List every version of the caption", tags=["media"])
@requires("media:read")
def caption_versions(media_id: UUID) -> CaptionVersionsOut:
    """Return every version of the caption with its author, the oldest first."""
    with transaction(caller().tenant) as tx:
        service.get(tx, media_id)
        found = captions.versions(tx, media_id)
    return CaptionVersionsOut(items=[CaptionOut.of(version) for version in found])


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
