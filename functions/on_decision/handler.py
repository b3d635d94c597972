"""A person has decided: the execution that waits for it is woken. The decision itself is a row, committed before."""

from typing import Any
from uuid import UUID

from socialflow.platform import registry, work
from socialflow.platform.database import TenantGone, transaction
from socialflow.platform.entry import entry
from socialflow.platform.observability import logger
from socialflow.platform.settings import DatabaseSettings

NEEDS = (DatabaseSettings,)
KINDS: dict[str, work.Kind] = {"review": "ingest", "media": "ingest", "post": "publish"}


@entry(*NEEDS)
def handler(event: dict[str, Any], _context: Any) -> dict[str, bool]:
    """Take a fact from the bus; return whether an execution was woken.

    The token is the subject's present one, whatever was parked when the fact was written. Where it is gone, the
    subject is made due: the next run finds the decision. Of a tenant that was deleted meanwhile nobody is woken: who
    restores it makes all its work due.
    """
    detail = event["detail"]
    try:
        return {"woken": _woken(detail["tenant"], KINDS[detail["aggregate"]["type"]], UUID(detail["aggregate"]["id"]))}
    except (registry.UnknownTenant, TenantGone):
        logger.warning("The tenant of the decision is gone", tenant=detail["tenant"])
        return {"woken": False}


def _woken(slug: str, kind: work.Kind, subject: UUID) -> bool:
    tenant = registry.named(slug)
    with transaction(tenant) as tx:
        token = work.parked_token(tx, kind, subject)
    if token is None:
        logger.info("Nobody waits for this decision")
        return False
    if work.answer(token, {"outcome": "decided"}):
        return True
    logger.warning("The waiting execution is gone", kind=kind, id=str(subject))
    with transaction(tenant) as tx:
        work.restart(tx, kind, subject, token=token)
    return False
