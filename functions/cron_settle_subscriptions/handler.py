"""Subscriptions of tenants that are deleted end, those of restored ones go on: when it happens, and again each day."""

import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from socialflow.billing import ending
from socialflow.platform.entry import entry
from socialflow.platform.observability import logger
from socialflow.platform.settings import BillingSettings, DatabaseSettings

NEEDS = (DatabaseSettings, BillingSettings)
SECONDS = 240.0
"""How long one call goes on; what is left waits for the next day's."""


class SubscriptionsLeft(RuntimeError):
    """Some could not be settled: the call fails, so that it is repeated in a minute, and then told to operators."""


@entry(*NEEDS)
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Take a fact of one tenant, or a schedule's event for all; return the tenants that were settled."""
    until = time.monotonic() + SECONDS
    settled: list[str] = []
    failed: list[str] = []
    for tenant_id in _named(event):
        if time.monotonic() > until:
            break
        try:
            ending.settle(tenant_id)
            settled.append(str(tenant_id))
        except Exception:  # noqa: BLE001 - one tenant never stops the others
            logger.exception("A tenant's subscriptions could not be settled", tenant_id=str(tenant_id))
            failed.append(str(tenant_id))
    if failed:
        raise SubscriptionsLeft(f"{len(failed)} tenants could not be settled, {len(settled)} were")
    return {"settled": settled}


def _named(event: dict[str, Any]) -> Sequence[UUID]:
    aggregate = event.get("detail", {}).get("aggregate")
    return [UUID(aggregate["id"])] if aggregate else ending.to_settle()
