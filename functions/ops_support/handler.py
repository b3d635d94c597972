"""Lets an operator look into a tenant for some hours, lists that, ends it. Invoked by an operator, as the owner."""

import json
from typing import Any
from uuid import UUID

from socialflow.errors import Invalid
from socialflow.identity import support_service as service
from socialflow.identity.support import Wanted
from socialflow.platform import doorbell, registry
from socialflow.platform.acting import acting
from socialflow.platform.clock import now
from socialflow.platform.database import Connection, direct
from socialflow.platform.operations import operation
from socialflow.platform.settings import DoorbellSettings, OwnerSettings

NEEDS = (OwnerSettings, DoorbellSettings)


@operation(*NEEDS)
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Take `by`, and `{action: grant, tenant, reason, hours?}`, `{action: end, tenant, id}` or `{action: list}`.

    The answer to a grant has the credential, once: whoever holds it is the operator, as far as the audit goes.
    """
    with direct(OwnerSettings.from_env().database_owner_secret) as connection:
        match event["action"]:
            case "grant":
                return _given(connection, event)
            case "end":
                return _ended(connection, event)
            case "list":
                found = service.open_ones(connection, event.get("tenant"), at=now())
                return {"outcome": "found", "grants": json.loads(json.dumps(found, default=str))}
            case other:
                raise ValueError(f"There is no action {other!r}")


def _given(connection: Connection, event: dict[str, Any]) -> dict[str, Any]:
    tenant = registry.named_in(connection, event["tenant"])
    wanted = Wanted(acting().name, event.get("reason"), event.get("hours", 1))
    grant, text = service.give(connection, tenant, wanted, at=now())
    doorbell.ring(tenant.cell)
    return {
        "outcome": "granted",
        "id": str(grant.id),
        "expires_at": grant.expires_at.isoformat(),
        "header": f"Authorization: Bearer {text}",
    }


def _ended(connection: Connection, event: dict[str, Any]) -> dict[str, Any]:
    tenant = registry.named_in(connection, event["tenant"])
    try:
        grant_id = UUID(str(event.get("id")))
    except ValueError:
        raise Invalid("Send the `id` of the grant, a UUID: support-list shows it.") from None
    changed = service.end(connection, tenant, grant_id, by=acting().name, at=now())
    doorbell.ring(tenant.cell)
    return {"outcome": "ended", "changed": changed}
