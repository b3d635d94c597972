"""Creates a tenant with its schema, role and first members. Invoked by an operator, as the owner."""

from typing import Any

from socialflow.identity import directory
from socialflow.platform.database import direct
from socialflow.platform.operations import operation
from socialflow.platform.settings import DatabaseSettings
from socialflow.tenants import service
from socialflow.tenants.model import FirstMember

NEEDS = (DatabaseSettings,)


@operation(*NEEDS, anonymous=True)
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Take `{slug, name, plan?, settings?, members: [{issuer, subject, email, name, role}], by?}`; it may be repeated.

    With `clerk_organization`, Clerk's webhooks about that organization's members are about the tenant's from now on.
    """
    members = [FirstMember(**member) for member in event.get("members", ())]
    with direct() as connection:
        tenant_id = service.provision(
            connection, event["slug"], event["name"], settings=event.get("settings", {}), members=members
        )
        if "plan" in event:
            service.put_on_plan(connection, event["slug"], event["plan"])
        if "clerk_organization" in event:
            directory.link(connection, event["clerk_organization"], tenant_id)
    return {"outcome": "provisioned", "id": str(tenant_id)}
