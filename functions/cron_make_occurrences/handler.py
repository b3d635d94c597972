"""Each hour: series have their posts of the next week made; what cannot be made is told, and tried again."""

import random
import time
from typing import Any
from uuid import UUID

from socialflow.known import chosen
from socialflow.platform import registry
from socialflow.platform.clock import now
from socialflow.platform.database import TenantGone, transaction
from socialflow.platform.entry import entry
from socialflow.platform.observability import logger
from socialflow.platform.settings import DatabaseSettings, DoorbellSettings, PublishSettings
from socialflow.platform.tenancy import Tenant
from socialflow.publishing import series, series_repository
from socialflow.publishing.asking import Asked
from socialflow.publishing.model import Pace

NEEDS = (DatabaseSettings, DoorbellSettings, PublishSettings)
SECONDS = 780.0
"""How long one call goes on; what is left is due in the next hour."""


@entry(*NEEDS)
def handler(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Take any event; return how many series were looked at, and the slugs of tenants that failed."""
    until = time.monotonic() + SECONDS
    slugs = registry.living()
    looked, failed = 0, []
    # In no order, so that none is always the last.
    for slug in random.sample(slugs, len(slugs)):
        try:
            looked += _make(slug, until)
        except (registry.UnknownTenant, TenantGone):
            logger.warning("The tenant is gone, and its series with it", tenant=slug)
        except Exception:  # noqa: BLE001 - one tenant never stops the others
            logger.exception("A tenant's series could not be looked at", tenant=slug)
            failed.append(slug)
    return {"looked_at": looked, "failed": failed}


def _make(slug: str, until: float) -> int:
    tenant = registry.named(slug)
    seen: list[UUID] = []
    # A suspended tenant publishes nothing: what falls due meanwhile is missed, as with a series that is paused.
    while tenant.active and time.monotonic() < until:
        found = _next(tenant, seen)
        if found is None:
            break
        seen.append(found)
    return len(seen)


def _next(tenant: Tenant, seen: list[UUID]) -> UUID | None:
    """Look at the next series that is due, in a transaction of its own; return it."""
    with transaction(tenant) as tx:
        due = series_repository.take_due(tx, at=now(), seen=seen)
        if due is None:
            return None
        known = chosen(tx, due.written.media_ids(), due.accounts)
        asked = Asked(due.created_by, now(), Pace.of(PublishSettings.from_env()))
        series.carry_on(tx, due, known, asked)
        return due.id
