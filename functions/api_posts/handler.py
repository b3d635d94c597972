"""Posts: made, read, changed, decided about."""

from dataclasses import replace
from typing import Annotated, get_args
from uuid import UUID

from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from functions.api_posts.bulk import File, ImportOut
from functions.api_posts.calendar import CalendarEntryOut, CalendarOut
from functions.api_posts.checking import ReportOut, ValidateIn
from functions.api_posts.queue import SlotsIn, SlotsOut
from functions.api_posts.receipts import ReceiptsOut
from functions.api_posts.schemas import (
    ApprovePost,
    DuplicatePost,
    PatchPost,
    PostIn,
    RejectPost,
    ResolveTarget,
)
from functions.api_posts.series import EndSeries, PatchSeries, SeriesIn, SeriesOut, SeriesPageOut
from functions.api_posts.sheet import MOST_BYTES
from functions.api_posts.shown import PostOut, PostPageOut, fitting
from socialflow.errors import FieldError, Invalid
from socialflow.identity import door
from socialflow.known import chosen, looked_at
from socialflow.limits import canonical
from socialflow.platform.clock import now
from socialflow.platform.database import snapshot, transaction
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
    csv_body,
    entry,
    if_match,
    next_cursor,
    once,
    only,
    requires,
    stored,
    tagged,
)
from socialflow.platform.http.guard import current_request
from socialflow.platform.idempotency import Answer
from socialflow.platform.settings import DatabaseSettings, DoorbellSettings, OidcSettings, PublishSettings
from socialflow.publishing import (
    calendar,
    composing,
    decisions,
    duplicating,
    editing,
    queueing,
    quotas,
    series,
    series_repository,
    service,
)
from socialflow.publishing.asking import Asked
from socialflow.publishing.decisions import Seen
from socialflow.publishing.listing import Sought
from socialflow.publishing.model import Pace, PostState
from socialflow.publishing.series import SeriesDetail
from socialflow.publishing.service import Detail

NEEDS = (DatabaseSettings, OidcSettings, DoorbellSettings, PublishSettings)
app = api(door)


@app.post("/v1/posts", status_code=201, summary="Make a post", tags=["posts"])
@requires("publishing:write")
def create(body: PostIn) -> Response[PostOut]:
    """Make a draft, or a post that goes out at its time. The same id with the same body is the same post (200)."""
    who = caller()
    with transaction(who.tenant) as tx:

        def make() -> Answer:
            asked = _asked()
            order = body.order(asked.at, current_request().body)
            known = chosen(tx, order.written.media_ids(), order.accounts)
            detail, is_new = service.create(tx, order, known, asked)
            return _made(detail, is_new=is_new)

        return once(tx, make)


@app.post("/v1/posts/validate", summary="Tell what networks would refuse", tags=["posts"])
@requires("publishing:write")
def validate(body: ValidateIn) -> ReportOut:
    """Tell while a post is written what scheduling it would refuse, and how much room is left. Nothing is kept."""
    at, wrong = body.moment(now())
    with transaction(caller().tenant) as tx:
        known = looked_at(tx, body.media_ids(), [target.account_id for target in body.targets])
        days = quotas.days(tx, known.quotas, at=at)
    return ReportOut.of(composing.check(body.draft(days, wrong), known))


@app.post("/v1/posts/import", summary="Make many posts from a file", tags=["posts"])
@requires("publishing:write")
def bring(
    *, dry_run: Annotated[bool, Query(description="Only tell what would come of each row; write nothing.")] = False
) -> Response[ImportOut]:
    """Make a post of each row of a CSV file: of all, or where one is refused of none.

    Its first line names the columns; each says what the field of that name says in `POST /v1/posts`. The same row sent
    again is the post that it made.
    """
    only("dry_run")
    who, file, asked = caller(), File(csv_body(MOST_BYTES)), _asked()
    if dry_run:
        with snapshot(who.tenant) as tx:
            return answered(file.look(tx, asked))
    with transaction(who.tenant) as tx:
        return once(tx, lambda: stored(file.bring(tx, asked)))


@app.get("/v1/posts", summary="List posts", tags=["posts"])
@requires("publishing:read")
def listed(  # noqa: PLR0913, PLR0917 # each filter is a parameter of the query
    state: Annotated[
        str | None, Query(max_length=200, description="Only in these states, a comma list: failed,unconfirmed,partial.")
    ] = None,
    network: Annotated[str | None, Query(max_length=40, description="Only with a target on this network.")] = None,
    account_id: Annotated[UUID | None, Query(description="Only with this account as a target.")] = None,
    text: Annotated[str | None, Query(min_length=1, max_length=200, description="Only what says this.")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> PostPageOut:
    """Return posts with their targets, the newest first."""
    sought = Sought(_states(state), canonical(network) if network else None, account_id, text)
    filters = {"state": state, "network": network, "account_id": str(account_id or ""), "text": text}
    begin_at = after(cursor, filters)
    with transaction(caller().tenant) as tx:
        position = (begin_at.at, begin_at.id) if begin_at else None
        found = service.page(tx, sought, before=position, limit=limit + 1)
    items = fitting(PostOut.of(detail) for detail in found[:limit])
    last = found[len(items) - 1].post if len(found) > len(items) else None
    return PostPageOut(
        items=items,
        next_cursor=next_cursor(Position(last.created_at, last.id), filters) if last else None,
    )


@app.get("/v1/posts/<post_id>/receipts", summary="Read a post's receipts", tags=["posts"])
@requires("publishing:read")
def receipts(post_id: UUID) -> ReceiptsOut:
    """Return every time that publishing was begun: under which key, with which content, and what came of it."""
    with transaction(caller().tenant) as tx:
        return ReceiptsOut.of(service.get(tx, post_id))


@app.get("/v1/calendar", summary="Show a calendar", tags=["posts"])
@requires("publishing:read")
def shown(  # noqa: PLR0913, PLR0917 # each filter is a parameter of the query
    first: Annotated[str, Query(alias="from", max_length=10, description="The first day: 2027-03-01.")],
    last: Annotated[str, Query(alias="to", max_length=10, description="The last day, at most 62 with it.")],
    zone: Annotated[
        str | None, Query(max_length=64, description="Whose days they are, an IANA name; else the tenant's own.")
    ] = None,
    state: Annotated[PostState | None, Query(description="Only posts in this state.")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> CalendarOut:
    """Return the posts that are due on some days, the first one first; drafts without a time are on none."""
    tenant = caller().tenant
    days = calendar.days(first, last, zone or str(tenant.settings.get("time_zone") or "UTC"))
    filters = {"from": first, "to": last, "zone": days.zone.key, "state": state}
    begin_at = after(cursor, filters)
    with transaction(tenant) as tx:
        position = (begin_at.at, begin_at.id) if begin_at else None
        found = calendar.between(tx, days, state=state, after=position, limit=limit + 1)
    entries = fitting(CalendarEntryOut.of(detail, days) for detail in found[:limit])
    last_one = found[len(entries) - 1].post if len(found) > len(entries) else None
    following = Position(last_one.due_at, last_one.id) if last_one and last_one.due_at else None
    return CalendarOut(
        zone=days.zone.key, items=entries, next_cursor=next_cursor(following, filters) if following else None
    )


@app.get("/v1/queue-slots", summary="Read the queue's slots", tags=["posts"])
@requires("publishing:read")
def slots() -> Response[SlotsOut]:
    """Return the weekly times that posts with `publish_at: "next_slot"` are given, each one once."""
    with transaction(caller().tenant) as tx:
        queue = queueing.read(tx)
    return tagged(SlotsOut.of(queue, now()), queue.version)


@app.put("/v1/queue-slots", summary="Set the queue's slots", tags=["posts"])
@requires("publishing:write")
def set_slots(body: SlotsIn) -> Response[SlotsOut]:
    """Set all slots. Posts that have a time already keep it, also where its slot is gone."""
    wanted, version = [slot.slot() for slot in body.slots], if_match()
    with transaction(caller().tenant) as tx:
        known = chosen(tx, [], {slot.account_id for slot in wanted if slot.account_id})
        queue = queueing.write(tx, wanted, known, version=version)
    return tagged(SlotsOut.of(queue, now()), queue.version)


@app.post("/v1/series", status_code=201, summary="Make a series", tags=["posts"])
@requires("publishing:write")
def make_series(body: SeriesIn) -> Response[SeriesOut]:
    """Let a post recur by a rule: each occurrence becomes a post a week ahead, and goes the way of every post."""
    wish = body.wish()
    with transaction(caller().tenant) as tx:

        def make() -> Answer:
            made = series.create(tx, wish, chosen(tx, wish.written.media_ids(), wish.accounts), _asked())
            where = f"/v1/series/{made.series.id}"
            return stored(SeriesOut.of(made), status=201, location=where, version=made.series.version)

        return once(tx, make)


@app.get("/v1/series", summary="List series", tags=["posts"])
@requires("publishing:read")
def all_series(limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> SeriesPageOut:
    """Return the posts that recur, the newest first."""
    begin_at = after(cursor, {})
    with transaction(caller().tenant) as tx:
        position = (begin_at.at, begin_at.id) if begin_at else None
        found = series_repository.page(tx, after=position, limit=limit + 1)
        items = [SeriesOut.of(series.detail(tx, one, at=now())) for one in found[:limit]]
    last = found[limit - 1] if len(found) > limit else None
    cursor = next_cursor(Position(last.created_at, last.id), {}) if last else None
    return SeriesPageOut(items=items, next_cursor=cursor)


@app.get("/v1/series/<series_id>", summary="Read a series", tags=["posts"])
@requires("publishing:read")
def read_series(series_id: UUID) -> Response[SeriesOut]:
    """Return a series with its posts that are not due yet, and the times that are foreseen."""
    with transaction(caller().tenant) as tx:
        return _series(series.get(tx, series_id, at=now()))


@app.patch("/v1/series/<series_id>", summary="Change, pause or resume a series", tags=["posts"])
@requires("publishing:write")
def change_series(series_id: UUID, body: PatchSeries) -> Response[SeriesOut]:
    """Change what is not made yet; with `apply_to_made` also the posts that are made and have not begun."""
    version = if_match()
    with transaction(caller().tenant) as tx:
        present = series.get(tx, series_id, at=now()).series
        changes = body.changes(present, version)
        written = replace(present.written, **changes.written)
        known = chosen(tx, written.media_ids(), changes.accounts or present.accounts)
        return _series(series.change(tx, series_id, changes, known, _asked()))


@app.post("/v1/series/<series_id>/end", summary="End a series", tags=["posts"])
@requires("publishing:write")
def end_series(series_id: UUID, body: Annotated[EndSeries | None, Body()] = None) -> Response[SeriesOut]:
    """Make nothing more of a series. Its posts stay, or with `cancel_made` those that have not begun are cancelled."""
    made = body is not None and body.cancel_made
    with transaction(caller().tenant) as tx:
        return _series(series.end(tx, series_id, version=None, made=made, asked=_asked()))


@app.get("/v1/posts/<post_id>", summary="Read a post", tags=["posts"])
@requires("publishing:read")
def read(post_id: UUID) -> Response[PostOut]:
    """Return a post with its targets, their attempts and receipts."""
    with transaction(caller().tenant) as tx:
        return _shown(service.get(tx, post_id))


@app.patch("/v1/posts/<post_id>", summary="Change a post", tags=["posts"])
@requires("publishing:write")
def change(post_id: UUID, body: PatchPost) -> Response[PostOut]:
    """Change content or time of a post of which nothing is out. Other content needs its approval again."""
    asked, version = _asked(), if_match()
    changes = body.changes(version, asked.at)
    with transaction(caller().tenant) as tx:
        present = service.get(tx, post_id)
        media_ids = present.post.content.media_ids() | changes.media_ids()
        account_ids = {target.account_id for target in present.targets} | set(changes.accounts or ())
        known = chosen(tx, media_ids, account_ids)
        return _shown(editing.edit(tx, post_id, changes, known, asked))


@app.post("/v1/posts/<post_id>/approve", summary="Approve a post", tags=["posts"])
@requires("posts:approve")
def approve(post_id: UUID, body: Annotated[ApprovePost | None, Body()] = None) -> Response[PostOut]:
    """Approve exactly what was seen: any change since is refused (412), and so is an approval after the time (409)."""
    seen = _seen(body or ApprovePost())
    with transaction(caller().tenant) as tx:
        return _shown(decisions.approve(tx, post_id, seen, _asked()))


@app.post("/v1/posts/<post_id>/reject", summary="Reject a post", tags=["posts"])
@requires("posts:approve")
def reject(post_id: UUID, body: Annotated[RejectPost | None, Body()] = None) -> Response[PostOut]:
    """Send a post back to its author as a draft, with a reason."""
    said = body or RejectPost()
    seen = _seen(said)
    with transaction(caller().tenant) as tx:
        return _shown(decisions.reject(tx, post_id, seen, _asked(), reason=said.reason))


@app.post("/v1/posts/<post_id>/cancel", summary="Cancel a post", tags=["posts"])
@requires("publishing:write")
def cancel(post_id: UUID) -> Response[PostOut]:
    """Stop what is not out. What is on its way right now settles when its outcome is known (cancel_requested)."""
    with transaction(caller().tenant) as tx:
        return _shown(decisions.cancel(tx, post_id))


@app.post("/v1/posts/<post_id>/duplicate", status_code=201, summary="Make a post once more", tags=["posts"])
@requires("publishing:write")
def duplicate(post_id: UUID, body: Annotated[DuplicatePost | None, Body()] = None) -> Response[PostOut]:
    """Make a draft with the content and the accounts of a post. The same id for the same post is the same draft (200).

    Accounts that are no longer connected are left out; media that are no longer approved are refused.
    """
    with transaction(caller().tenant) as tx:

        def make() -> Answer:
            present = service.get(tx, post_id)
            known = chosen(tx, present.post.content.media_ids(), [one.account_id for one in present.targets])
            order = duplicating.order(present, known, post_id=body.id if body else None)
            detail, is_new = service.create(tx, order, known, _asked())
            return _made(detail, is_new=is_new)

        return once(tx, make)


@app.post("/v1/posts/<post_id>/targets/<target_id>/retry", summary="Try a failed target again", tags=["posts"])
@requires("publishing:write")
def retry(post_id: UUID, target_id: UUID) -> Response[PostOut]:
    """Try a failed target again with the same content."""
    with transaction(caller().tenant) as tx:
        return _shown(decisions.retry(tx, post_id, target_id, _asked()))


@app.post("/v1/posts/<post_id>/targets/<target_id>/resolve", summary="Settle an unconfirmed target", tags=["posts"])
@requires("publishing:write")
def resolve(post_id: UUID, target_id: UUID, body: ResolveTarget) -> Response[PostOut]:
    """Say what you found on the network: `it_is_there` with its remote_id or url, or `post_again`."""
    if body.it_is_there == body.post_again:
        detail = "Say either it_is_there or post_again."
        raise Invalid(detail, errors=[FieldError("/it_is_there", "one-of-two", detail)])
    with transaction(caller().tenant) as tx:
        if body.post_again:
            return _shown(decisions.post_again(tx, post_id, target_id, _asked()))
        there = decisions.it_is_there(tx, post_id, target_id, remote_id=body.remote_id, remote_url=body.url)
        return _shown(there)


def _made(detail: Detail, *, is_new: bool) -> Answer:
    where, version = f"/v1/posts/{detail.post.id}", detail.post.version
    return stored(PostOut.of(detail), status=201 if is_new else 200, location=where, version=version)


def _asked() -> Asked:
    return Asked(caller().user.id, now(), Pace.of(PublishSettings.from_env()))


def _seen(body: ApprovePost) -> Seen:
    """Return what the decision is about; without a word about it, If-Match is asked for (428)."""
    if body.content_hash is None and body.version is None:
        return Seen(version=if_match())
    return Seen(bytes.fromhex(body.content_hash) if body.content_hash else None, body.version)


def _series(detail: SeriesDetail) -> Response[SeriesOut]:
    return tagged(SeriesOut.of(detail), detail.series.version)


def _shown(detail: Detail) -> Response[PostOut]:
    return tagged(PostOut.of(detail), detail.post.version)


def _states(text: str | None) -> list[PostState] | None:
    """Return the states of a comma list; raises `Invalid` in words."""
    if text is None:
        return None
    known: dict[str, PostState] = {state: state for state in get_args(PostState)}
    wanted = [part.strip() for part in text.split(",")]
    if any(part not in known for part in wanted):
        detail = f"Name states of {', '.join(known)}, with commas between them."
        raise Invalid(detail, errors=[FieldError("?state", "unknown-state", detail)])
    return [known[part] for part in wanted]


handler = entry(app, *NEEDS)
