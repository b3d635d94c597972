"""Report: who is behind after everybody was tried. It is also in the registry, and in the logs."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from socialflow.platform.database import control
from socialflow.platform.entry import entry
from socialflow.platform.settings import DatabaseSettings
from socialflow.tenants import migration

NEEDS = (DatabaseSettings,)


@entry(*NEEDS)
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Take `{v, since, passes}`; return `{outcome, behind, failed, tenants}`, some of them by name with the reason."""
    with control() as connection:
        report = migration.report(connection, datetime.fromisoformat(event["since"]), passes=int(event["passes"]))
    return asdict(report)
