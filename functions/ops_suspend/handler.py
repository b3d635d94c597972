"""Suspends a tenant, or lets it go on. Invoked by an operator; billing does the same through the same service."""

from typing import Any

from socialflow.errors import Refusal
from socialflow.platform import doorbell, registry
from socialflow.platform.database import control
from socialflow.platform.entry import entry
from socialflow.platform.settings import DatabaseSettings, DoorbellSettings
from socialflow.tenants import profile

NEEDS = (DatabaseSettings, DoorbellSettings)


@entry(*NEEDS)
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Take `{action: suspend, slug, reason}` or `{action: resume, slug}`; repeating either finishes what was begun."""
    try:
        tenant = registry.named(event["slug"])
        match event["action"]:
            case "suspend":
                with control() as connection:
                    changed = profile.suspend(connection, tenant, reason=event["reason"])
                profile.stop_publishing(tenant)
            case "resume":
                with control() as connection:
                    changed = profile.resume(connection, tenant)
                profile.go_on_publishing(tenant)
            case other:
                raise ValueError(f"There is no action {other!r}")
    except Refusal as refusal:
        return {"outcome": "refused", "code": refusal.code, "detail": refusal.detail}
    doorbell.ring(tenant.cell)
    return {"outcome": "suspended" if event["action"] == "suspend" else "resumed", "changed": changed}
