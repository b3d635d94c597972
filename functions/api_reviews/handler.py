"""The queue of reviews, and the decision of each."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from functions.api_reviews.schemas import (
    ApproveReview,
    PatchReview,
    QueuedReviewOut,
    RejectReview,
    RequestChanges,
    ReviewedMediaOut,
    ReviewOut,
    ReviewPageOut,
)
from socialflow.captions import service as captions
from socialflow.captions.model import Author, Caption, Edit
from socialflow.errors import Invalid
from socialflow.identity import door
from socialflow.media import gateway
from socialflow.media import service as media
from socialflow.media.model import Derivative
from socialflow.platform.caller import Caller
from socialflow.platform.clock import now
from socialflow.platform.database import Transaction, transaction
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
    if_match,
    if_match_where_given,
    next_cursor,
    once,
    requires,
    stored,
    tagged,
)
from socialflow.platform.idempotency import Answer
from socialflow.platform.settings import DatabaseSettings, DoorbellSettings, OidcSettings, StorageSettings
from socialflow.review import service as review
from socialflow.review.model import Decider, Decision, Review, Seen, State, Verdict

NEEDS = (DatabaseSettings, OidcSettings, StorageSettings, DoorbellSettings)
app = api(door)


@app.get("/v1/reviews", summary="List the reviews that wait for a decision", tags=["review"])
@requires("media:read")
def queue(
    state: Annotated[
        State | None, Query(description="Left out: all that wait for a decision (open, changes_requested).")
    ] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> ReviewPageOut:
    """Return reviews, the longest waiting first."""
    filters, at = {"state": state}, now()
    begin_at = after(cursor, filters)
    with transaction(caller().tenant) as tx:
        position = (begin_at.at, begin_at.id) if begin_at else None
        found = review.page(tx, state=state, after=position, limit=limit + 1)
        ids = [one.media_id for one in found[:limit]]
        items, current, made = media.many(tx, ids), captions.currents(tx, ids), media.derivatives(tx, ids)
    last = found[limit - 1] if len(found) > limit else None
    return ReviewPageOut(
        items=[
            QueuedReviewOut(
                review=ReviewOut.of(one, current.get(one.media_id), at=at),
                media=ReviewedMediaOut.of(items[one.media_id], _thumb_url(made[one.media_id])),
            )
            for one in found[:limit]
        ],
        next_cursor=next_cursor(Position(last.requested_at, last.media_id), filters) if last else None,
    )


@app.get("/v1/media/<media_id>/review", summary="Read a review", tags=["review"])
@requires("media:read")
def read(media_id: UUID) -> Response[ReviewOut]:
    """Return the review of a media item; its ETag is what If-Match names."""
    with transaction(caller().tenant) as tx:
        media.get(tx, media_id)
        found = review.get(tx, media_id)
        return tagged(ReviewOut.of(found, captions.current(tx, media_id), at=now()), found.version)


@app.patch("/v1/media/<media_id>/review", summary="Edit the caption under review", tags=["review"])
@requires("media:write")
def change(media_id: UUID, body: PatchReview) -> Response[ReviewOut]:
    """Write a new version of the caption. Where changes were requested, the review is open again."""
    who, at, seen = caller(), now(), Seen(review_version=if_match())
    if body.edit.empty:
        raise Invalid("Send at least one of caption, alt_text and hashtags.")
    author = Author(body.source, user=who.user.id, model=body.model if body.source == "device" else None)
    with transaction(who.tenant) as tx:

        def edit() -> Answer:
            begun, _ = _begin(tx, media_id, seen, at)
            caption = captions.edit(tx, media_id, body.edit, author=author, at=at)
            return _kept(review.touch(tx, begun), caption, at)

        return once(tx, edit)


@app.post("/v1/media/<media_id>/review/approve", summary="Approve", tags=["review"])
@requires("review:decide")
def approve(media_id: UUID, body: Annotated[ApproveReview | None, Body()] = None) -> Response[ReviewOut]:
    """Approve the media item with its caption, which may be edited in the same step."""
    body = body or ApproveReview()
    return _decided(media_id, "approved", caption_version=body.caption_version, edit=body.edit)


@app.post("/v1/media/<media_id>/review/reject", summary="Reject", tags=["review"])
@requires("review:decide")
def reject(media_id: UUID, body: Annotated[RejectReview | None, Body()] = None) -> Response[ReviewOut]:
    """Reject the media item: it cannot be published."""
    body = body or RejectReview()
    return _decided(media_id, "rejected", caption_version=body.caption_version, reason=body.reason)


@app.post("/v1/media/<media_id>/review/request-changes", summary="Ask for another caption", tags=["review"])
@requires("review:decide")
def request_changes(media_id: UUID, body: RequestChanges) -> Response[ReviewOut]:
    """Ask for another caption; the review goes on waiting, and its time goes on running."""
    return _decided(media_id, "changes_requested", caption_version=body.caption_version, reason=body.reason)


def _decided(
    media_id: UUID, verdict: Verdict, *, caption_version: int | None, edit: Edit | None = None, reason: str = ""
) -> Response[ReviewOut]:
    who, at = caller(), now()
    # a decision may be bound by the caption's number instead
    seen = Seen(review_version=if_match_where_given(), caption_version=caption_version)
    with transaction(who.tenant) as tx:

        def decide() -> Answer:
            begun, caption = _begin(tx, media_id, seen, at)
            if edit is not None and not edit.empty:
                caption = captions.edit(tx, media_id, edit, author=Author("person", user=who.user.id), at=at)
            decision = Decision(verdict, caption.id if caption else None, reason.strip())
            return _kept(review.decide(tx, begun, decision, by=_decider(who), at=at), caption, at)

        return once(tx, decide)


def _begin(tx: Transaction, media_id: UUID, seen: Seen, at: datetime) -> tuple[Review, Caption | None]:
    """Lock the media item, then its review (in that order everywhere), where it may still be decided."""
    media.held(tx, media_id)
    caption = captions.current(tx, media_id)
    begun = review.begin(tx, media_id, seen=seen, caption_version=caption.version if caption else None, at=at)
    return begun, caption


def _kept(found: Review, caption: Caption | None, at: datetime) -> Answer:
    return stored(ReviewOut.of(found, caption, at=at), version=found.version)


def _decider(who: Caller) -> Decider:
    return Decider(who.user.id, who.user.name or who.user.email)


def _thumb_url(derivatives: list[Derivative]) -> str | None:
    thumb = next((made for made in derivatives if made.variant == "thumb"), None)
    return gateway.sign_view(thumb.object_key, thumb.object_version, thumb.content_type) if thumb else None


handler = entry(app, *NEEDS)
