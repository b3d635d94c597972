"""Renditions: a media item as a network takes it. Asked for here, made by a workflow, fetched from the bucket."""

from typing import Annotated
from uuid import UUID

from aws_lambda_powertools.event_handler.openapi.params import Query

from functions.api_renditions.schemas import FitOut, FitsOut, RenditionIn, RenditionOut, RenditionPageOut
from socialflow.identity import door
from socialflow.media import gateway, renditions
from socialflow.media.rendition_model import Rendition
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.http import (
    DEFAULT_LIMIT,
    Cursor,
    Limit,
    Position,
    Response,
    after,
    answered,
    api,
    caller,
    entry,
    next_cursor,
    once,
    requires,
)
from socialflow.platform.idempotency import Answer
from socialflow.platform.settings import DatabaseSettings, DoorbellSettings, OidcSettings, StorageSettings

NEEDS = (DatabaseSettings, OidcSettings, StorageSettings, DoorbellSettings)
app = api(door)

ASK_AGAIN = {"Retry-After": "2"}


@app.post("/v1/media/<media_id>/renditions", status_code=202, summary="Ask for a rendition", tags=["media"])
@requires("media:write")
def ask(media_id: UUID, body: RenditionIn) -> Response[RenditionOut]:
    """Ask for a media item as a network takes it: 202 where it is to be made, 200 where the same one was asked for."""
    who, at = caller(), now()
    with transaction(who.tenant) as tx:

        def order() -> Answer:
            rendition, is_new = renditions.ask(tx, media_id, body.wish, by=who.user.id, at=at)
            headers = {"Location": f"/v1/media/{media_id}/renditions/{rendition.id}"}
            headers |= ASK_AGAIN if rendition.open else {}
            return Answer(202 if is_new else 200, {"id": str(rendition.id)}, headers)

        # What is kept is its id alone: a replay shows it as it stands then, with an address of its own.
        return once(
            tx,
            order,
            present=lambda kept: _shaped(renditions.get(tx, media_id, UUID(kept["id"]))).model_dump(mode="json"),
        )


@app.get("/v1/media/<media_id>/renditions", summary="List renditions", tags=["media"])
@requires("media:read")
def listed(
    media_id: UUID,
    network: Annotated[str | None, Query(max_length=50, description="Only those for this network.")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> RenditionPageOut:
    """Return a media item's renditions, the newest first."""
    filters = {"media_id": media_id, "network": network}
    begin_at = after(cursor, filters)
    with transaction(caller().tenant) as tx:
        position = (begin_at.at, begin_at.id) if begin_at else None
        found = renditions.page(tx, media_id, network=network, after=position, limit=limit + 1)
    last = found[limit - 1] if len(found) > limit else None
    return RenditionPageOut(
        items=[_shaped(rendition) for rendition in found[:limit]],
        next_cursor=next_cursor(Position(last.requested_at, last.id), filters) if last else None,
    )


@app.get("/v1/media/<media_id>/renditions/<rendition_id>", summary="Read a rendition", tags=["media"])
@requires("media:read")
def read(media_id: UUID, rendition_id: UUID) -> Response[RenditionOut]:
    """Return a rendition: how far it is, why it was refused, or where to fetch it."""
    with transaction(caller().tenant) as tx:
        rendition = renditions.get(tx, media_id, rendition_id)
    return answered(_shaped(rendition), headers=dict(ASK_AGAIN) if rendition.open else None)


@app.get("/v1/media/<media_id>/fit", summary="Tell which networks take a media item", tags=["media"])
@requires("media:read")
def fits(media_id: UUID) -> FitsOut:
    """Return for each network whether it takes the media item as it is, after a rendition, or not, and why."""
    with transaction(caller().tenant) as tx:
        found = renditions.fits(tx, media_id)
    return FitsOut(items=[FitOut.of(fit) for fit in found])


def _shaped(rendition: Rendition) -> RenditionOut:
    """Shape a rendition; only the version that its row names is ever shown."""
    url = None
    if rendition.object_key and rendition.object_version and rendition.content_type:
        url = gateway.sign_view(rendition.object_key, rendition.object_version, rendition.content_type)
    return RenditionOut.of(rendition, url)


handler = entry(app, *NEEDS)
