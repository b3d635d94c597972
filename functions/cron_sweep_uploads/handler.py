"""Each hour: uploads whose addresses have died are looked for in the bucket.

What is there has come, although nobody told of it: neither its sender nor the bucket. What is not, a day later, is
given up: its parts are thrown away, a tombstone stays. Objects that belong to no row go too. Two sweeps at once do the
same, once.
"""

import time
from typing import Any

from socialflow.media import gateway, leftovers, parts_gateway, uploads
from socialflow.media.upload_model import Expired
from socialflow.platform import registry
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.entry import entry
from socialflow.platform.observability import logger
from socialflow.platform.settings import DatabaseSettings, DoorbellSettings, StorageSettings
from socialflow.platform.tenancy import Tenant

NEEDS = (DatabaseSettings, StorageSettings, DoorbellSettings)
BATCH = 100
SECONDS = 600.0
"""How long one call goes on; what is left waits for the next hour's."""


@entry(*NEEDS)
def handler(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Take any event; return how many uploads came and were given up, objects that went, and tenants that failed."""
    until = time.monotonic() + SECONDS
    arrived, given_up, left_over, failed = 0, 0, 0, []
    for slug in _turned(registry.living()):
        if time.monotonic() > until:
            logger.warning("The sweep of uploads has not reached every tenant")
            break
        try:
            tenant = registry.named(slug)
            came, went = _swept(tenant, until)
            left_over += _cleared(tenant, until)
        except Exception:  # noqa: BLE001 - one tenant never stops the others
            logger.exception("A tenant's uploads could not be swept", tenant=slug)
            failed.append(slug)
        else:
            arrived, given_up = arrived + came, given_up + went
    return {"arrived": arrived, "given_up": given_up, "left_over": left_over, "failed": failed}


def _turned(slugs: list[str]) -> list[str]:
    """Begin with another tenant each hour, so that none is always the one that time runs out for."""
    first = int(now().timestamp() // 3600) % max(1, len(slugs))
    return slugs[first:] + slugs[:first]


def _swept(tenant: Tenant, until: float) -> tuple[int, int]:
    """Sweep a tenant, a batch at a time; return how many uploads have come, and how many were given up."""
    arrived, given_up = 0, 0
    batch: list[Expired] = []
    while time.monotonic() < until:
        with transaction(tenant) as tx:
            batch = uploads.expired(tx, at=now(), after=batch[-1] if batch else None, limit=BATCH)
        for upload in batch:
            if _arrives(tenant, upload):
                arrived += 1
            elif _is_given_up(tenant, upload):
                given_up += 1
        if len(batch) < BATCH:
            break
    return arrived, given_up


def _arrives(tenant: Tenant, upload: Expired) -> bool:
    if gateway.head(upload.object_key) is None:
        return False
    logger.warning("A file has come of which nobody told", tenant=tenant.slug, id=str(upload.id))
    with transaction(tenant) as tx:
        return uploads.arrive(tx, upload.id, at=now()) is not None


def _is_given_up(tenant: Tenant, upload: Expired) -> bool:
    with transaction(tenant) as tx:
        given_up = uploads.abandon(tx, upload.id, at=now())
    if given_up and upload.upload_id is not None:
        parts_gateway.abort(upload.object_key, upload.upload_id)
    return given_up


def _cleared(tenant: Tenant, until: float) -> int:
    """Delete objects of which there is no row; return how many."""
    cleared = 0
    for page in leftovers.of_a_day_ago(tenant.slug, at=now()):
        with transaction(tenant) as tx:
            unknown = uploads.unknown(tx, {stored.media_id for stored in page})
        for stored in page:
            if stored.media_id in unknown:
                logger.warning("An object belongs to no media item", tenant=tenant.slug, id=str(stored.media_id))
                leftovers.delete(stored.key)
                cleared += 1
        if time.monotonic() > until:
            break
    return cleared
