"""Search: what is like a media item, and how far the tenant's media items can be found."""

from uuid import UUID

from functions.api_search.schemas import NeighbourOut, RelatedOut, SearchProgressOut
from socialflow.ai import keys
from socialflow.ai.routing import embedder
from socialflow.identity import door
from socialflow.media import service as media
from socialflow.platform.database import Transaction, transaction
from socialflow.platform.http import DEFAULT_LIMIT, Limit, api, caller, entry, requires
from socialflow.platform.settings import DatabaseSettings, EmbeddingSettings, OidcSettings
from socialflow.search import service as search
from socialflow.search.model import Progress, Space

NEEDS = (DatabaseSettings, OidcSettings, EmbeddingSettings)
app = api(door)


@app.get("/v1/media/<media_id>/related", summary="List what is like a media item", tags=["media"])
@requires("media:read")
def related(media_id: UUID, limit: Limit = DEFAULT_LIMIT) -> RelatedOut:
    """Return media items that are like one, the nearest first: by the picture where the model sees, else by the words.

    Empty while the media item has no vector of the tenant's model; it gets one soon after its review has opened.
    """
    with transaction(caller().tenant) as tx:
        media.get(tx, media_id)
        space = _space(tx)
        found = search.near(tx, media_id, space, limit=limit) if space else []
    return RelatedOut(items=[NeighbourOut.of(each) for each in found], model=space.model if space else None)


@app.get("/v1/search/progress", summary="Tell how much can be found", tags=["media"])
@requires("media:read")
def progress() -> SearchProgressOut:
    """Tell how many media items have their vectors of the tenant's model: after a change of it they are made anew."""
    with transaction(caller().tenant) as tx:
        space = _space(tx)
        return SearchProgressOut.of(space, search.progress(tx, space) if space else Progress(0, 0))


def _space(tx: Transaction) -> Space | None:
    model = embedder(tx.tenant, [each.provider for each in keys.listed(tx)])
    return Space(model.name, model.dimension, model.sees) if model else None


handler = entry(app, *NEEDS)
