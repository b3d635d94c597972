"""Sets in motion what stands still: sends parked facts again, starts a subject's workflow anew. By an operator."""

from typing import Any
from uuid import UUID

from socialflow.errors import Invalid
from socialflow.platform import doorbell, oversight, registry
from socialflow.platform.operations import operation
from socialflow.platform.settings import DatabaseSettings, DoorbellSettings

NEEDS = (DatabaseSettings, DoorbellSettings)
KINDS = ("ingest", "publish", "rendition")


@operation(*NEEDS)
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Take `{action: replay, tenant, id}` or `{action: restart, tenant, kind, id}`, with `by`; repeating it is safe."""
    return {"outcome": "roused", **_rouse(event)}


def _rouse(event: dict[str, Any]) -> dict[str, Any]:
    tenant = registry.named(event["tenant"])
    try:
        ident = UUID(event["id"])
    except ValueError:
        raise Invalid(f"{event['id']!r} is no id: it is a UUID.") from None
    match event["action"]:
        case "replay":
            facts, woken = oversight.replay(tenant, ident)
            doorbell.ring(tenant.cell)
            return {"facts": facts, "workflows": woken}
        case "restart":
            if event["kind"] not in KINDS:
                raise Invalid(f"{event['kind']!r} is no kind of workflow; they are {', '.join(KINDS)}.")
            return {"after_run": oversight.restart(tenant, event["kind"], ident)}
        case other:
            raise ValueError(f"There is no action {other!r}")
