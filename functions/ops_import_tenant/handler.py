"""Imports an export into an empty tenant. Invoked by an operator, as the owner."""

from typing import Any

from socialflow.errors import Refusal
from socialflow.exports import importing
from socialflow.platform import registry
from socialflow.platform.clock import now
from socialflow.platform.database import direct
from socialflow.platform.entry import entry
from socialflow.platform.settings import DatabaseSettings, StorageSettings

NEEDS = (DatabaseSettings, StorageSettings)


@entry(*NEEDS)
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Take `{slug, key}`: a tenant that exists and is empty, and an archive in the media bucket, below `exports/`."""
    try:
        tenant = registry.named(event["slug"])
        with direct() as connection:
            done = importing.bring_in(connection, event["key"], tenant, at=now())
    except Refusal as refusal:
        return {"outcome": "refused", "code": refusal.code, "detail": refusal.detail}
    return {"outcome": "imported", "rows": done.rows, "objects": done.objects}
