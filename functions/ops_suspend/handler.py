"""Suspends a tenant, or lets it go on. Invoked by an operator; billing does the same through the same service."""

from typing import Any

from socialflow.platform import doorbell, registry
from socialflow.platform.database import control
from socialflow.platform.operations import operation
from socialflow.platform.settings import DatabaseSettings, DoorbellSettings
from socialflow.tenants import profile

NEEDS = (DatabaseSettings, DoorbellSettings)


@operation(*NEEDS)
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Take `{action: suspend, slug, reason, by}` or `{action: resume, slug, by}`; a repeat finishes what was begun."""
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
    doorbell.ring(tenant.cell)
    return {"outcome": "suspended" if event["action"] == "suspend" else "resumed", "changed": changed}
