"""Uploads: announced here, sent to the bucket, told of here or by the bucket itself."""

from typing import Annotated
from uuid import UUID

from aws_lambda_powertools.event_handler.openapi.params import Query

from functions.api_uploads import resuming
from functions.api_uploads.announcing import announced, announced_each, presented
from functions.api_uploads.schemas import ArrivalOut, UploadBatchIn, UploadBatchOut, UploadIn, UploadOut
from socialflow.identity import door
from socialflow.media import gateway, service, uploads
from socialflow.media.upload_model import MOST_PARTS
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.http import Response, api, caller, entry, once, requires
from socialflow.platform.settings import DatabaseSettings, DoorbellSettings, OidcSettings, StorageSettings

NEEDS = (DatabaseSettings, OidcSettings, StorageSettings, DoorbellSettings)
app = api(door)

After = Annotated[int, Query(ge=0, le=MOST_PARTS, description="Sign parts behind this number.")]


@app.post("/v1/media/uploads", status_code=201, summary="Begin an upload", tags=["media"])
@requires("media:write")
def begin(body: UploadIn) -> Response[UploadOut]:
    """Announce a file; the answer says where and how to send it."""
    who, at = caller(), now()
    with transaction(who.tenant) as tx:
        answer = once(tx, lambda: announced(tx, body, by=who.user.id, at=at))
    assert answer.body is not None
    answer.body = presented(who.tenant, answer.body, at=at)  # after the commit: the bucket may be asked
    return answer


@app.post("/v1/media/uploads/batch", summary="Begin up to 100 uploads", tags=["media"])
@requires("media:write")
def begin_many(body: UploadBatchIn) -> Response[UploadBatchOut]:
    """Announce many files; each has its own outcome, as if it had been announced by itself."""
    who, at = caller(), now()
    with transaction(who.tenant) as tx:
        answer = once(tx, lambda: announced_each(tx, body.uploads, who, at=at))
    assert answer.body is not None
    for result in answer.body["results"]:
        if result["upload"] is not None:
            result["upload"] = presented(who.tenant, result["upload"], at=at, sign_parts=False)
    return answer


@app.post("/v1/media/<media_id>/confirm", summary="Say that the file has been sent", tags=["media"])
@requires("media:write")
def confirm(media_id: UUID) -> ArrivalOut:
    """Look for the file and begin its workflow. Needed only to be told at once where something went wrong."""
    who = caller()
    with transaction(who.tenant) as tx:
        item = service.get(tx, media_id)
    if not item.arrived:
        uploads.check_arrival(item, gateway.head(item.object_key))
    with transaction(who.tenant) as tx:
        uploads.arrive(tx, media_id, at=now())
        return ArrivalOut.of(service.get(tx, media_id))


@app.get("/v1/media/<media_id>/upload", summary="Resume an upload", tags=["media"])
@requires("media:write", mutates=True)  # what it signs writes
def resume(media_id: UUID, after: After = 0) -> UploadOut:
    """Return which parts are there, and addresses, signed now, for those that are missing."""
    return resuming.continued(caller().tenant, media_id, after=after, at=now())


@app.post("/v1/media/<media_id>/upload/complete", summary="Complete an upload in parts", tags=["media"])
@requires("media:write")
def complete(media_id: UUID) -> ArrivalOut:
    """Put the file together from the parts that the bucket has, and begin its workflow."""
    return ArrivalOut.of(resuming.completed(caller().tenant, media_id, at=now()))


@app.delete("/v1/media/<media_id>/upload", status_code=204, summary="Give an upload up", tags=["media"])
@requires("media:write")
def give_up(media_id: UUID) -> None:
    """Give up an upload that has not come; what it took of the plan is given back."""
    who = caller()
    resuming.given_up(who.tenant, media_id, by=who.user.id, at=now())


handler = entry(app, *NEEDS)
