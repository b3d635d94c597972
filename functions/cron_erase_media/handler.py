"""Each day: objects of deleted media items that nobody erased, or that were written after it, go.

Each deleted media item is looked at once, when nobody can write objects of it any more.
"""

import time
from typing import Any

from socialflow.media import deletion, gateway
from socialflow.platform import registry
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.entry import entry
from socialflow.platform.observability import logger
from socialflow.platform.settings import DatabaseSettings, StorageSettings

NEEDS = (DatabaseSettings, StorageSettings)
BATCH = 100
SECONDS = 600.0
"""How long one call goes on; what is left waits for the next day's."""


@entry(*NEEDS)
def handler(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Take any event; return how many media items were looked at, and the slugs of tenants that failed."""
    until = time.monotonic() + SECONDS
    looked, failed = 0, []
    for slug in _turned(registry.living()):
        try:
            looked += _swept(slug, until)
        except Exception:  # noqa: BLE001 - one tenant never stops the others
            logger.exception("A tenant's deleted media could not be erased", tenant=slug)
            failed.append(slug)
    return {"looked": looked, "failed": failed}


def _turned(slugs: list[str]) -> list[str]:
    """Begin with another tenant each day, so that none is always the one that time runs out for."""
    first = now().toordinal() % max(1, len(slugs))
    return slugs[first:] + slugs[:first]


def _swept(slug: str, until: float) -> int:
    """Sweep a tenant, a batch at a time; return how many media items that were."""
    tenant, looked = registry.named(slug), 0
    while time.monotonic() < until:
        with transaction(tenant) as tx:
            ids = deletion.to_erase(tx, at=now(), limit=BATCH)
        for media_id in ids:
            erased = gateway.erase(slug, media_id)
            if erased:
                logger.warning("A deleted media item had objects left", tenant=slug, id=str(media_id), objects=erased)
        with transaction(tenant) as tx:
            deletion.erased(tx, ids, at=now())
        looked += len(ids)
        if len(ids) < BATCH:
            break
    return looked
