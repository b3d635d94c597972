"""A media item was deleted: every version of its objects goes, and what of it was still being uploaded.

It may be told twice, and too early: what a worker or an upload under way writes after it is left to the daily sweep.
"""

from typing import Any
from uuid import UUID

from socialflow.media import deletion, gateway
from socialflow.platform import registry
from socialflow.platform.database import TenantGone, transaction
from socialflow.platform.entry import entry
from socialflow.platform.observability import logger
from socialflow.platform.settings import DatabaseSettings, StorageSettings

NEEDS = (DatabaseSettings, StorageSettings)


@entry(*NEEDS)
def handler(event: dict[str, Any], _context: Any) -> dict[str, int]:
    """Take a fact from the bus; return how many versions were deleted. The row decides, not the fact."""
    detail = event["detail"]
    slug, media_id = detail["tenant"], UUID(detail["aggregate"]["id"])
    try:
        with transaction(registry.named(slug)) as tx:
            deleted = deletion.is_deleted(tx, media_id)
    except (registry.UnknownTenant, TenantGone):
        logger.warning("The tenant is gone: its objects go with it", tenant=slug)
        return {"erased": 0}
    if not deleted:
        logger.error("A media item is there that is said to be deleted", tenant=slug, id=str(media_id))
        return {"erased": 0}
    return {"erased": gateway.erase(slug, media_id)}
