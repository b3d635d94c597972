"""Brings the registry, the cell and every tenant's schema up to date. Invoked by a deployment, as the owner.

For some hundred tenants; more of them are migrated by the workflow Migrate Tenants, which does the same side by side.
"""

from typing import Any

from socialflow.platform.database import direct
from socialflow.platform.entry import time_for
from socialflow.platform.operations import operation
from socialflow.platform.settings import DatabaseSettings
from socialflow.tenants import migration

NEEDS = (DatabaseSettings,)
ONE_TENANT_S = 400.0
"""A tenant is begun only where so much time is left: its longest statement and what is around it."""


@operation(*NEEDS, anonymous=True)
def handler(_event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Return what was applied by schema; a schema that could not be migrated has a sentence instead of a list."""
    with direct() as connection:
        done = migration.migrate_everything(connection, time_for(context, ONE_TENANT_S))
    schemas: dict[str, list[str] | str] = {**done.applied, **done.failed}
    return {"outcome": done.outcome, "failed": sorted(done.failed), "schemas": schemas}
