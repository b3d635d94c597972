"""Captions of a media item: every version, another one by a model, and what differs."""

from typing import Annotated
from uuid import UUID

from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from functions.api_captions.schemas import (
    CaptionAskedOut,
    CaptionDiffOut,
    CaptionVersionOut,
    CaptionVersionsOut,
    CaptionWishIn,
    ChangeOut,
)
from socialflow.ai.model import captions_key
from socialflow.captions import service
from socialflow.captions.comparing import changes
from socialflow.captions.model import CannotCaption, Wish, checked_prompt
from socialflow.errors import TooManyRequests
from socialflow.identity import door
from socialflow.media import service as media
from socialflow.media.model import MediaItem, State
from socialflow.platform import pace
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.http import DEFAULT_LIMIT, Limit, Response, api, caller, entry, once, requires, stored
from socialflow.platform.http.pages import Cursor, Position, after
from socialflow.platform.http.pages import cursor as next_cursor
from socialflow.platform.idempotency import Answer
from socialflow.platform.settings import CaptionPaceSettings, DatabaseSettings, DoorbellSettings, OidcSettings
from socialflow.platform.tenancy import Tenant

NEEDS = (DatabaseSettings, OidcSettings, DoorbellSettings, CaptionPaceSettings)
app = api(door)

PATIENCE = 60.0
"""Seconds that a person waits for their turn at the most; past that they are told to come again."""
VARIANTS = (State.IN_REVIEW, State.APPROVED)
"""Where a variant for a network may be asked for; the caption under review only while it is under review."""


@app.post(
    "/v1/media/<media_id>/captions", status_code=202, summary="Have a caption written by a model", tags=["captions"]
)
@requires("ai:use")
def generate(media_id: UUID, body: Annotated[CaptionWishIn | None, Body()] = None) -> Response[CaptionAskedOut]:
    """Ask for another caption, or for a variant for a network. The answer's address tells what becomes of it."""
    who, at, wished = caller(), now(), body or CaptionWishIn()
    style = wished.style.checked()
    wish = Wish(checked_prompt(wished.prompt, "/prompt"), style.stored())
    _check_pace(who.tenant)
    with transaction(who.tenant) as tx:

        def ask() -> Answer:
            _check(media.held(tx, media_id), style.network)
            request = service.ask_again(tx, media_id, wish, by=who.user.id, at=at)
            where = f"/v1/media/{media_id}/captions/requests/{request.id}"
            return stored(CaptionAskedOut.of(request, []), status=202, location=where)

        return once(tx, ask)


@app.get(
    "/v1/media/<media_id>/captions/requests/<request_id>", summary="Read a request for a caption", tags=["captions"]
)
@requires("media:read")
def asked(media_id: UUID, request_id: UUID) -> CaptionAskedOut:
    """Return what became of it, with the versions that were written for it."""
    with transaction(caller().tenant) as tx:
        media.get(tx, media_id)
        return CaptionAskedOut.of(service.request(tx, media_id, request_id), service.written_for(tx, request_id))


@app.get("/v1/media/<media_id>/captions", summary="List every version of the caption", tags=["captions"])
@requires("media:read")
def versions(media_id: UUID, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> CaptionVersionsOut:
    """Return every version of the caption with its author, the oldest first; variants for networks are among them."""
    filters = {"media": str(media_id)}
    begin_at = after(cursor, filters)
    with transaction(caller().tenant) as tx:
        media.get(tx, media_id)
        found = service.versions(tx, media_id)
    if begin_at is not None:
        found = [one for one in found if (one.created_at, one.id) > (begin_at.at, begin_at.id)]
    last = found[limit - 1] if len(found) > limit else None
    return CaptionVersionsOut(
        items=[CaptionVersionOut.of(version) for version in found[:limit]],
        next_cursor=next_cursor(Position(last.created_at, last.id), filters) if last else None,
    )


@app.get("/v1/media/<media_id>/captions/diff", summary="Compare two versions of the caption", tags=["captions"])
@requires("media:read")
def diff(
    media_id: UUID,
    from_version: Annotated[int, Query(alias="from", ge=1, le=1_000_000)],
    to_version: Annotated[int, Query(alias="to", ge=1, le=1_000_000)],
) -> CaptionDiffOut:
    """Return what differs in text and alternative text, word by word, and in hashtags."""
    with transaction(caller().tenant) as tx:
        media.get(tx, media_id)
        old, new = (service.version(tx, media_id, number) for number in (from_version, to_version))
    return CaptionDiffOut(
        from_version=from_version,
        to_version=to_version,
        text=[ChangeOut.of(change) for change in changes(old.text, new.text)],
        alt_text=[ChangeOut.of(change) for change in changes(old.alt_text, new.alt_text)],
        hashtags_removed=[tag for tag in old.hashtags if tag not in new.hashtags],
        hashtags_added=[tag for tag in new.hashtags if tag not in old.hashtags],
    )


def _check(item: MediaItem, network: str | None) -> None:
    """Raise `CannotCaption` for a media item that has no picture yet, or whose caption is decided about."""
    if item.state is State.IN_REVIEW or (network and item.state in VARIANTS):
        return
    if item.state in {State.AWAITING_UPLOAD, State.PROCESSING}:
        detail = "The media item is not processed yet, and gets its first caption then. Try again once it is in review."
    elif item.state is State.APPROVED:
        detail = "The caption is approved. Name a `network` for a variant of it, or write in the post itself."
    else:
        detail = "The media item is not in review any more."
    raise CannotCaption(detail, state=str(item.state))


def _check_pace(tenant: Tenant) -> None:
    """Raise `TooManyRequests` where a turn would be too long in coming; it is booked by the workflow."""
    if pace.ahead(captions_key(tenant.slug), cell=tenant.cell) > PATIENCE:
        most = CaptionPaceSettings.from_env().captions_per_minute
        raise TooManyRequests(
            f"Your team has {most} captions a minute, and more than that are waiting. Try again later.",
            retry_after=PATIENCE,
        )


handler = entry(app, *NEEDS)
