"""Exports of the tenant: asked for here, written by a workflow, fetched from the bucket."""

from datetime import datetime
from uuid import UUID

from functions.api_exports.schemas import ExportOut, ExportPageOut
from socialflow.exports import gateway, service
from socialflow.exports.model import Export
from socialflow.identity import door
from socialflow.platform.caller import Caller
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.http import (
    DEFAULT_LIMIT,
    Cursor,
    Limit,
    Position,
    Response,
    after,
    api,
    caller,
    entry,
    next_cursor,
    once,
    requires,
    stored,
)
from socialflow.platform.idempotency import Answer
from socialflow.platform.settings import DatabaseSettings, OidcSettings, StorageSettings

NEEDS = (DatabaseSettings, OidcSettings, StorageSettings)
app = api(door)


@app.post("/v1/exports", status_code=202, summary="Ask for an export", tags=["exports"])
@requires("settings:manage", mutates=False)  # who is suspended may take what is theirs
def ask() -> Response[ExportOut]:
    """Ask for one archive of everything: rows, files, audit, and a manifest of hashes. One at a time."""
    who, at = caller(), now()
    with transaction(who.tenant) as tx:

        def keep() -> Answer:
            export = service.ask(tx, by=who.user.id, at=at)
            return stored(ExportOut.of(export, at=at, url=None), status=202, location=f"/v1/exports/{export.id}")

        return once(tx, keep)


@app.get("/v1/exports", summary="List exports", tags=["exports"])
@requires("settings:manage")
def listed(limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> ExportPageOut:
    """Return exports, the newest first, without links: read one for its link."""
    begin_at = after(cursor)
    with transaction(caller().tenant) as tx:
        position = (begin_at.at, begin_at.id) if begin_at else None
        found = service.page(tx, after=position, limit=limit + 1)
    last = found[limit - 1] if len(found) > limit else None
    at = now()
    return ExportPageOut(
        items=[ExportOut.of(export, at=at, url=None) for export in found[:limit]],
        next_cursor=next_cursor(Position(last.requested_at, last.id)) if last else None,
    )


@app.get("/v1/exports/<export_id>", summary="Read an export", tags=["exports"])
@requires("settings:manage")
def read(export_id: UUID) -> ExportOut:
    """Return an export; while its archive is ready, with a link that is good for some minutes."""
    who, at = caller(), now()
    with transaction(who.tenant) as tx:
        export = service.get(tx, export_id)
    return ExportOut.of(export, at=at, url=_link(who, export, at))


def _link(who: Caller, export: Export, at: datetime) -> str | None:
    if export.standing(at) != "ready" or not export.object_key or not export.object_version:
        return None
    return gateway.sign(export.object_key, export.object_version, f"{who.tenant.slug}-{at:%Y-%m-%d}.zip")


handler = entry(app, *NEEDS)
