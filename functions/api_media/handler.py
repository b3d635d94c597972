"""Media items: what is in the library, and where it stands."""

from datetime import timedelta
from typing import Annotated, Literal
from uuid import UUID

from aws_lambda_powertools.event_handler.openapi.params import Query

from functions.api_media.known import Known
from functions.api_media.schemas import (
    CaptionOut,
    CaptionVersionsOut,
    DownloadOut,
    MediaOut,
    MediaPageOut,
)
from socialflow.captions import service as captions
from socialflow.identity import door
from socialflow.media import gateway, service
from socialflow.media.model import State
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
    requires,
    tagged,
)
from socialflow.platform.settings import DatabaseSettings, OidcSettings, StorageSettings

NEEDS = (DatabaseSettings, OidcSettings, StorageSettings)
app = api(door)

THUMB = ("thumb",)


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


handler = entry(app, *NEEDS)
