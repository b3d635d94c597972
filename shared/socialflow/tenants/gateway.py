"""Outside: the one function with the database owner's rights over tenants, and a tenant's objects."""

import json
from typing import Any
from uuid import UUID

from botocore.exceptions import BotoCoreError, ClientError

from socialflow.errors import FieldError, Refusal
from socialflow.platform import objects
from socialflow.platform.acting import acting
from socialflow.platform.aws import client
from socialflow.platform.observability import logger
from socialflow.platform.settings import StorageSettings, TenantOwnerSettings
from socialflow.tenants import refusals
from socialflow.tenants.model import UnusableSlug
from socialflow.tenants.refusals import TenantWorkFailed

_REFUSALS: dict[str, type[Refusal]] = {
    kind.code: kind
    for kind in (
        UnusableSlug,
        refusals.SlugTaken,
        refusals.TenantIdTaken,
        refusals.TooManyTenants,
        refusals.OwnerRequired,
        refusals.NotRestorable,
        refusals.UnusableSetting,
    )
}


def ask(action: str, *, by: UUID, **what: Any) -> dict[str, Any]:
    """Have a tenant created, deleted or restored on somebody's behalf; raises what it refuses, `TenantWorkFailed`."""
    actor = acting()
    request = {"name": actor.name, "request_id": actor.request_id, "address": actor.address}  # for the audit
    event = {"action": action, "by": str(by), "request": request, **what}
    name = TenantOwnerSettings.from_env().tenant_owner_function
    try:
        answer = client("lambda").invoke(FunctionName=name, Payload=json.dumps(event).encode())
        told: dict[str, Any] = json.loads(answer["Payload"].read())
    except (BotoCoreError, ClientError, ValueError) as error:
        logger.exception("The tenants' owner does not answer")
        raise _failed() from error
    if answer.get("FunctionError") or "outcome" not in told:
        logger.error("The tenants' owner failed", action=action)
        raise _failed()
    kind = _REFUSALS.get(told.get("code", "")) if told["outcome"] == "refused" else None
    if kind is not None:
        raise kind(told["detail"], errors=[FieldError(**each) for each in told.get("errors", ())])
    if told["outcome"] == "refused":
        logger.error("The tenants' owner refused", action=action, code=told.get("code"))
        raise _failed()
    return told


def delete_objects(slug: str) -> int:
    """Delete every version of every object of a tenant; return how many. What could not be deleted raises."""
    return objects.delete_below(StorageSettings.from_env().media_bucket, f"tenants/{slug}/")


def _failed() -> TenantWorkFailed:
    return TenantWorkFailed("Nothing was done by halves. Repeat the request: it is done once.", retry_after=5)
