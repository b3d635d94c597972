"""Migrate The Registry And The Cell: what all tenants share, and the word on what their schemas are to be."""

from typing import Any

from socialflow.platform.database import direct
from socialflow.platform.entry import entry
from socialflow.platform.settings import OwnerSettings
from socialflow.tenants import migration

NEEDS = (OwnerSettings,)


@entry(*NEEDS)
def handler(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Return `{outcome, since}`: the database's time at which this migration began."""
    with direct(OwnerSettings.from_env().database_owner_secret) as connection:
        _applied, since = migration.begin_patiently(connection)
    return {"outcome": "migrated", "since": since.isoformat()}
