"""The bucket tells of a new original. Its key says which upload row to ask; the row says whether it is the one."""

import re
from typing import Any
from uuid import UUID

from socialflow.media import uploads
from socialflow.platform import registry
from socialflow.platform.batches import each_record
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.entry import entry
from socialflow.platform.observability import logger
from socialflow.platform.settings import DatabaseSettings, DoorbellSettings, StorageSettings

NEEDS = (DatabaseSettings, StorageSettings, DoorbellSettings)

_ORIGINAL = re.compile(
    r"tenants/([a-z][a-z0-9_]{1,38})/media/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/original\.\w+"
)


@each_record
@entry(*NEEDS)
def handler(event: dict[str, Any], _context: Any) -> dict[str, bool]:
    """Take an EventBridge event of S3, or a batch of them; return whether it belongs to an upload, or which failed."""
    created = event["detail"]
    key = created["object"]["key"]
    found = _ORIGINAL.fullmatch(key)
    if created["bucket"]["name"] != StorageSettings.from_env().media_bucket or found is None:
        logger.info("The object is no original")
        return {"arrived": False}
    try:
        tenant = registry.named(found[1])
    except registry.UnknownTenant:
        logger.warning("The object belongs to no tenant")
        return {"arrived": False}
    with transaction(tenant) as tx:
        item = uploads.arrive(tx, UUID(found[2]), key=key, at=now())
    if item is None:
        logger.warning("The object belongs to no upload", tenant=tenant.slug, id=found[2])
    return {"arrived": item is not None}
