"""List Tenants: who is behind, from the registry; a few that go first, and all of them in chunks."""

from datetime import datetime
from typing import Any

from socialflow.platform.database import control
from socialflow.platform.entry import entry
from socialflow.platform.settings import DatabaseSettings
from socialflow.tenants import migration

NEEDS = (DatabaseSettings,)


@entry(*NEEDS)
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Take `{v, since, passes}`; return `{outcome, since, passes, canaries, chunks}`; canaries go once, at first."""
    passes = int(event["passes"]) + 1
    with control() as connection:
        listed = migration.listing(connection, datetime.fromisoformat(event["since"]), has_canaries=passes == 1)
    return {
        "outcome": "some" if listed.chunks else "none",
        "since": event["since"],
        "passes": passes,
        "canaries": listed.canaries,
        "chunks": listed.chunks,
    }
