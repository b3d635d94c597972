"""Each hour: media items that lack a place in the space of their tenant's model are given to Embed Media.

So are all of them after the model was changed, a batch of each tenant an hour; `GET /v1/search/progress` tells how far
it is.
"""

from typing import Any

from socialflow.ai import keys
from socialflow.ai.routing import embedder
from socialflow.platform import registry
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.entry import entry
from socialflow.platform.observability import logger
from socialflow.platform.settings import DatabaseSettings, DoorbellSettings, EmbeddingSettings
from socialflow.search import service as search
from socialflow.search.model import Space

NEEDS = (DatabaseSettings, DoorbellSettings, EmbeddingSettings)
BATCH = 2_000
"""Media items of a tenant in an hour: fewer than may be embedded in it, so that new ones are not kept waiting."""


@entry(*NEEDS)
def handler(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Take any event; return how many media items were given, and the slugs of tenants that failed."""
    given, failed = 0, []
    for slug in registry.living():
        try:
            given += _catch_up(slug)
        except Exception:  # noqa: BLE001 - one tenant never stops the others
            logger.exception("A tenant's vectors could not be looked at", tenant=slug)
            failed.append(slug)
    return {"given": given, "failed": failed}


def _catch_up(slug: str) -> int:
    tenant = registry.named(slug)
    with transaction(tenant) as tx:
        model = embedder(tenant, [each.provider for each in keys.listed(tx)])
        if model is None:
            return 0
        space = Space(model.name, model.dimension, model.sees)
        return search.catch_up(tx, space, limit=BATCH, at=now())
