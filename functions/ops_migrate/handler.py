"""Brings the registry, the cell and every tenant's schema up to date. Invoked by a deployment, as the owner."""

from typing import Any

from socialflow.platform.database import direct
from socialflow.platform.entry import entry
from socialflow.platform.settings import DatabaseSettings
from socialflow.tenants import service

NEEDS = (DatabaseSettings,)


@entry(*NEEDS)
def handler(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Return what was applied by schema; a schema that could not be migrated has a sentence instead of a list."""
    with direct() as connection:
        done = service.migrate_everything(connection)
    failed = sorted(schema for schema, applied in done.items() if isinstance(applied, str))
    return {"outcome": "failed" if failed else "migrated", "failed": failed, "schemas": done}
