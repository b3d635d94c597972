"""What tests of deletion look at: the bucket, the counters, the day's sweep."""

from typing import Any

import boto3

from functions.cron_erase_media.handler import handler as cron_erase_media
from tests.integration.media.conftest import Studio


def versions(studio: Studio, media_id: str) -> int:
    """Return how many versions of objects a media item has in the bucket."""
    listed = boto3.client("s3").list_object_versions(
        Bucket=studio.cloud.bucket, Prefix=f"tenants/acme/media/{media_id}/"
    )
    return len(listed.get("Versions", ())) + len(listed.get("DeleteMarkers", ()))


def fact(media_id: str, tenant: str = "acme") -> dict[str, Any]:
    """Return the fact of a deletion, as the bus delivers it."""
    detail = {"tenant": tenant, "aggregate": {"type": "media", "id": media_id}, "data": {}}
    return {"source": "socialflow", "detail-type": "media.deleted", "detail": detail}


def stored(studio: Studio) -> int:
    """Return the tenant's bytes of storage."""
    return int(studio.value("SELECT used FROM cell.usage WHERE meter = 'storage_bytes' AND tenant = 'acme'") or 0)


def sweep(studio: Studio, *, hours: int = 7) -> int:
    """Let hours pass, and run the day's sweep; return how many media items it looked at."""
    studio.owner.execute(
        "UPDATE t_acme.media_items SET deleted_at = deleted_at - %s * interval '1 h' WHERE state = 'deleted'", (hours,)
    )
    swept = cron_erase_media({}, None)
    assert swept["failed"] == []
    return int(swept["looked"])
