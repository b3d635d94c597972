"""Migrate Canaries and Migrate A Chunk: each tenant in a transaction of its own, as the owner."""

from datetime import datetime
from typing import Any

from socialflow.platform.database import direct
from socialflow.platform.entry import entry, time_for
from socialflow.platform.settings import OwnerSettings
from socialflow.tenants import migration

NEEDS = (OwnerSettings,)
ONE_TENANT_S = 400.0
"""A tenant is begun only where so much time is left: its longest statement and what is around it."""


@entry(*NEEDS)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take `{v, since}` with `tenants` or `chunk: {first, last}`; return `{outcome, migrated, failed}`.

    The outcome `again` asks for another call with the same input: it goes on with those who are still behind.
    """
    since, has_time = datetime.fromisoformat(event["since"]), time_for(context, ONE_TENANT_S)
    with direct(OwnerSettings.from_env().database_owner_secret) as connection:
        if "chunk" in event:
            chunk = event["chunk"]
            done = migration.migrate_chunk(connection, chunk["first"], chunk["last"], since, has_time)
        else:
            done = migration.migrate_these(connection, event["tenants"], since, has_time)
    return done.document()
