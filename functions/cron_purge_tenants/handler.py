"""Each day: what is left of tenants whose grace is over goes, objects first, then schema, role and rows.

Receipts of webhooks that nobody will send again go too.
"""

import time
from typing import Any

from socialflow.platform import receipts
from socialflow.platform.database import direct
from socialflow.platform.entry import entry
from socialflow.platform.observability import logger
from socialflow.platform.settings import OwnerSettings, StorageSettings
from socialflow.tenants import gateway, lifecycle

NEEDS = (OwnerSettings, StorageSettings)
SECONDS = 600.0
"""How long one call goes on; what is left waits for the next day's."""


@entry(*NEEDS)
def handler(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Take any event; return the slugs of the tenants that were purged, and of those that could not be."""
    until = time.monotonic() + SECONDS
    purged: list[str] = []
    failed: list[str] = []
    with direct(OwnerSettings.from_env().database_owner_secret) as connection:
        for tenant in lifecycle.to_purge(connection):
            if time.monotonic() > until:
                break
            try:
                objects = gateway.delete_objects(tenant.slug)
                if lifecycle.purge(connection, tenant):
                    purged.append(tenant.slug)
                    logger.info("A tenant is purged", tenant=tenant.slug, objects=objects)
            except Exception:  # noqa: BLE001 - one tenant never stops the others
                logger.exception("A tenant could not be purged", tenant=tenant.slug)
                failed.append(tenant.slug)
        logger.info("Old receipts are gone", receipts=receipts.prune(connection))
    return {"purged": purged, "failed": failed}
