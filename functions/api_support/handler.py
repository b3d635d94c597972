"""Support access as the tenant's people see it: who of ours may look in, and its end."""

from uuid import UUID

from functions.api_support.schemas import SupportAccessOut, SupportAccessPageOut
from socialflow.identity import door
from socialflow.identity import support_service as service
from socialflow.platform import doorbell
from socialflow.platform.clock import now
from socialflow.platform.database import control
from socialflow.platform.http import (
    DEFAULT_LIMIT,
    Cursor,
    Limit,
    Position,
    after,
    api,
    caller,
    entry,
    next_cursor,
    requires,
)
from socialflow.platform.settings import DatabaseSettings, DoorbellSettings, OidcSettings

NEEDS = (DatabaseSettings, OidcSettings, DoorbellSettings)
app = api(door)


@app.get("/v1/support-access", summary="List support access", tags=["support access"])
@requires("settings:read")
def several(limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> SupportAccessPageOut:
    """Return who of our operators could, or can, look into the tenant, why and until when; the newest first."""
    with control() as connection:
        found = service.page(connection, caller().tenant.id, after=after(cursor), limit=limit + 1)
    last = found[limit - 1] if len(found) > limit else None
    at = now()
    return SupportAccessPageOut(
        items=[SupportAccessOut.of(one, at) for one in found[:limit]],
        next_cursor=next_cursor(Position(last.created_at, last.id)) if last else None,
    )


@app.delete("/v1/support-access/<grant_id>", status_code=204, summary="End support access", tags=["support access"])
@requires("settings:manage", takes_away=True)
def end(grant_id: UUID) -> None:
    """End an operator's access: their next request is refused. Again, it stays ended."""
    who = caller()
    with control() as connection:
        service.end(connection, who.tenant, grant_id, by=who.user.name or who.user.email, at=now())
    doorbell.ring(who.tenant.cell)


handler = entry(app, *NEEDS)
