"""Media items: what is in the library, and where it stands."""

from datetime import timedelta
from functools import partial
from typing import Annotated, Literal
from uuid import UUID

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import AwareDatetime, NaiveDatetime

from functions.api_media.known import Known, stands
from functions.api_media.removal import Wish, remove
from functions.api_media.schemas import (
    CountsOut,
    DeleteIn,
    DownloadOut,
    ItemResultsOut,
    MediaOut,
    MediaPageOut,
    PatchMedia,
    ProgressIn,
    ProgressResultsOut,
    RetagIn,
    SimilarListOut,
    SimilarOut,
    TagOut,
    TagsOut,
)
from socialflow.identity import door
from socialflow.identity.support import SupportOnlyLooks
from socialflow.media import duplicates, gateway, library, service
from socialflow.media.changes import MAX_TAG, MAX_TAGS, Retagging, normalized
from socialflow.media.colours import COLOUR_NAMES
from socialflow.media.listing import (
    MAX_SEARCH,
    PRESENT,
    Direction,
    Filters,
    Mark,
    Ordering,
    Part,
    Sort,
    bound,
    colour_named,
)
from socialflow.media.model import Kind, State
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.http import (
    DEFAULT_LIMIT,
    Cursor,
    Limit,
    Response,
    api,
    caller,
    entry,
    if_match,
    if_match_where_given,
    once,
    opened,
    requires,
    sealed,
    stored,
    tagged,
)
from socialflow.platform.http.refusals import PermissionDenied
from socialflow.platform.settings import DatabaseSettings, DoorbellSettings, OidcSettings, StorageSettings

NEEDS = (DatabaseSettings, OidcSettings, StorageSettings, DoorbellSettings)
app = api(door)

THUMB = ("thumb",)
MAY_CHANGE_POSTS = "publishing:write"


@app.get("/v1/media", summary="List media items", tags=["media"])
@requires("media:read")
def listed(  # noqa: PLR0913, PLR0917 - what may be asked, each by its name
    state: Annotated[list[State] | None, Query(description="In any of these; left out: all but deleted.")] = None,
    kind: Annotated[Kind | None, Query()] = None,
    tag: Annotated[list[str] | None, Query(max_length=MAX_TAGS, description="With all of these.")] = None,
    uploaded_from: Annotated[AwareDatetime | None, Query()] = None,
    uploaded_before: Annotated[AwareDatetime | None, Query()] = None,
    captured_from: Annotated[NaiveDatetime | None, Query(description="By the camera's wall clock.")] = None,
    captured_before: Annotated[NaiveDatetime | None, Query()] = None,
    colour: Annotated[
        str | None,
        Query(
            max_length=20,
            description=f"{', '.join(COLOUR_NAMES)}; or rrggbb, by its word.",
        ),
    ] = None,
    uploader: Annotated[UUID | None, Query(description="Uploaded by this member.")] = None,
    used: Annotated[bool | None, Query(description="Whether in a post that is not cancelled.")] = None,
    text: Annotated[
        str | None, Query(min_length=1, max_length=MAX_SEARCH, description="In title or file name.")
    ] = None,
    sort: Annotated[Sort, Query(description="What has no captured_at is the oldest.")] = "created_at",
    order: Annotated[Direction, Query()] = "desc",
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> MediaPageOut:
    """Return media items, the newest first unless another order is asked for."""
    filters = Filters(
        states=tuple(sorted(set(state))) if state else PRESENT,
        kind=kind,
        tags=tuple(sorted(normalized(tag or (), "?tag"))),
        uploaded_from=uploaded_from,
        uploaded_before=uploaded_before,
        captured_from=captured_from,
        captured_before=captured_before,
        colour=None if colour is None else colour_named(colour),
        uploader=uploader,
        used=used,
        text=text,
    )
    return _page(filters, Ordering(sort, order), limit, cursor)


def _page(filters: Filters, ordering: Ordering, limit: int, cursor: str | None) -> MediaPageOut:
    this = bound(filters, ordering)
    mark = opened(cursor, this, partial(Mark.read, ordering.sort))
    with transaction(caller().tenant) as tx:
        found = library.page(tx, filters, Part(ordering, mark, limit + 1), at=now())
        known = Known.of(tx, found[:limit])
    last = found[limit - 1] if len(found) > limit else None
    return MediaPageOut(
        items=[one.shaped(only=THUMB) for one in known],
        next_cursor=sealed(Mark.of(last, ordering.sort).document(), this) if last else None,
    )


@app.get("/v1/media/counts", summary="Count media items", tags=["media"])
@requires("media:read")
def counts() -> CountsOut:
    """Return how many media items there are of each kind in each state."""
    with transaction(caller().tenant) as tx:
        return CountsOut.of(library.counts(tx))


@app.get("/v1/media/tags", summary="List tags", tags=["media"])
@requires("media:read")
def tags(
    beginning: Annotated[str, Query(max_length=MAX_TAG, description="What the tags begin with.")] = "",
    limit: Limit = DEFAULT_LIMIT,
) -> TagsOut:
    """Return the tags that media items have, the most used first: what to offer somebody who types one."""
    with transaction(caller().tenant) as tx:
        found = library.tags(tx, beginning=beginning, limit=limit)
    return TagsOut(items=[TagOut(tag=one.tag, count=one.count) for one in found])


@app.post("/v1/media/batch", summary="Ask where media items stand", tags=["media"])
@requires("media:read", mutates=False)
def progress(body: ProgressIn) -> ProgressResultsOut:
    """Return where up to a hundred media items stand, for whoever asks again and again."""
    with transaction(caller().tenant) as tx:
        found = library.progress(tx, body.ids)
    ids = dict.fromkeys(body.ids)
    return ProgressResultsOut(results=[stands(one, found.get(one), thumbs=body.thumbs) for one in ids])


@app.post("/v1/media/batch/tags", summary="Tag media items", tags=["media"])
@requires("media:write")
def retag(body: RetagIn) -> Response[ItemResultsOut]:
    """Give up to a hundred media items tags, and take some away; each is answered for itself."""
    retagging = Retagging.of(body.add, body.remove)
    with transaction(caller().tenant) as tx:
        return once(tx, lambda: stored(ItemResultsOut.of(library.retag(tx, body.ids, retagging, at=now()))))


@app.post("/v1/media/batch/delete", summary="Delete media items", tags=["media"])
@requires("media:delete")
def delete_many(body: DeleteIn) -> Response[ItemResultsOut]:
    """Delete up to a hundred media items; each is answered for itself, as if it had been the only one."""
    wish = _wish(force=body.force)
    with transaction(caller().tenant) as tx:
        return once(tx, lambda: stored(ItemResultsOut.of(remove(tx, body.ids, wish))))


@app.get("/v1/media/<media_id>", summary="Read a media item", tags=["media"])
@requires("media:read")
def read(media_id: UUID) -> Response[MediaOut]:
    """Return a media item with its progress, its caption and its derivatives."""
    with transaction(caller().tenant) as tx:
        (known,) = Known.of(tx, [service.get(tx, media_id)])
    return tagged(known.shaped(), known.item.version)


@app.patch("/v1/media/<media_id>", summary="Describe a media item", tags=["media"])
@requires("media:write")
def change(media_id: UUID, body: PatchMedia) -> Response[MediaOut]:
    """Write title, alt text, tags and focal point. What a post has taken of them stays in it as it was approved."""
    version = if_match()
    with transaction(caller().tenant) as tx:
        item = library.change(tx, media_id, body.changes, version=version, at=now())
        (known,) = Known.of(tx, [item])
    return tagged(known.shaped(), item.version)


@app.get("/v1/media/<media_id>/similar", summary="List what looks the same", tags=["media"])
@requires("media:read")
def similar(media_id: UUID, limit: Limit = DEFAULT_LIMIT) -> SimilarListOut:
    """Return the media items that a person would take for this one, the nearest first."""
    with transaction(caller().tenant) as tx:
        found = duplicates.similar(tx, media_id, limit=limit)
    return SimilarListOut(items=[SimilarOut(id=one.id, bits=one.bits) for one in found])


@app.delete("/v1/media/<media_id>", status_code=204, summary="Delete a media item", tags=["media"])
@requires("media:delete")
def delete(
    media_id: UUID,
    force: Annotated[  # noqa: FBT002 - a query's parameter has its name
        bool, Query(description="Also where posts need it: planned ones become drafts again.")
    ] = False,
) -> None:
    """Delete a media item, its files and its texts, for good. Posts that need it are named, unless forced (409)."""
    wish = _wish(force=force, version=if_match_where_given())
    with transaction(caller().tenant) as tx:
        (done,) = remove(tx, [media_id], wish)
        if done.refusal:
            raise done.refusal


def _wish(*, force: bool, version: int | None = None) -> Wish:
    """Return what the caller wants; raises `PermissionDenied`: who unschedules posts may change them."""
    who = caller()
    if force and MAY_CHANGE_POSTS not in who.permissions:
        detail = f"To delete what posts need takes the permission {MAY_CHANGE_POSTS} too."
        raise PermissionDenied(detail, permission=MAY_CHANGE_POSTS, role=who.role)
    return Wish(who.user.id, now(), force=force, version=version)


@app.get("/v1/media/<media_id>/download", summary="Get an address to download from", tags=["media"])
@requires("media:read")
def download(
    media_id: UUID,
    variant: Annotated[
        Literal["original", "thumb", "small", "medium", "large", "square", "gif", "preview"],
        Query(description="An original is always saved as a file, never shown."),
    ] = "original",
) -> DownloadOut:
    """Return a signed address of one variant, of exactly the version that was inspected or made."""
    at, who = now(), caller()
    if variant == "original" and who.user.kind == "operator":
        raise SupportOnlyLooks("Our support sees pictures as members do, and takes no original. Ask for a variant.")
    with transaction(who.tenant) as tx:
        wanted = service.download(tx, media_id, variant)
    if variant == "original":
        url = gateway.sign_download(wanted.object_key, wanted.object_version, wanted.content_type, wanted.file_name)
    else:
        url = gateway.sign_view(wanted.object_key, wanted.object_version, wanted.content_type, wanted.file_name)
    return DownloadOut(url=url, expires_at=at + timedelta(seconds=gateway.view_ttl()))


handler = entry(app, *NEEDS)
