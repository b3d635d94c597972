"""Imports an export into an empty tenant. Invoked by an operator, as the owner."""

from typing import Any

from socialflow.exports import importing
from socialflow.platform import registry
from socialflow.platform.clock import now
from socialflow.platform.database import direct
from socialflow.platform.operations import operation
from socialflow.platform.settings import DatabaseSettings, StorageSettings

NEEDS = (DatabaseSettings, StorageSettings)


@operation(*NEEDS)
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Take `{slug, key, by}`: a tenant that is there and empty, and an archive below `exports/` in the media bucket."""
    tenant = registry.named(event["slug"])
    with direct() as connection:
        done = importing.bring_in(connection, event["key"], tenant, at=now())
    return {"outcome": "imported", "rows": done.rows, "objects": done.objects}
