"""Creates, deletes and restores tenants, as the owner of the database, for the HTTP function that has no such rights.

It believes its caller in one thing, who the person is. Whether that person may is asked of the registry here.
"""

from dataclasses import asdict, replace
from typing import Any
from uuid import UUID

from socialflow.errors import Refusal
from socialflow.platform.acting import act_as, acting
from socialflow.platform.database import Connection, direct
from socialflow.platform.entry import entry
from socialflow.platform.settings import OwnerSettings
from socialflow.tenants import lifecycle
from socialflow.tenants.lifecycle import Wish

NEEDS = (OwnerSettings,)


@entry(*NEEDS)
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Take `{action: create|delete|restore, by, request, …}`; return `{outcome: done|refused, …}`."""
    act_as(replace(acting(), kind="person", id=UUID(event["by"]), **event.get("request", {})))
    try:
        with direct(OwnerSettings.from_env().database_owner_secret) as connection:
            return {"outcome": "done", **_done(connection, event, UUID(event["by"]))}
    except Refusal as refusal:
        errors = [asdict(error) for error in refusal.errors]
        return {"outcome": "refused", "code": refusal.code, "detail": refusal.detail, "errors": errors}


def _done(connection: Connection, event: dict[str, Any], by: UUID) -> dict[str, Any]:
    match event["action"]:
        case "create":
            tenant_id = UUID(event["id"]) if event.get("id") else None
            wish = Wish(event["slug"], event["name"], event.get("settings") or {}, tenant_id)
            made = lifecycle.create(connection, wish, by=by)
            return {"id": str(made.id), "is_new": made.is_new}
        case "delete":
            until = lifecycle.delete(connection, UUID(event["id"]), by=by)
            return {"restorable_until": until.isoformat()}
        case "restore":
            return {"id": str(lifecycle.restore(connection, event["slug"], by=by))}
        case other:
            raise ValueError(f"There is no action {other!r}")
