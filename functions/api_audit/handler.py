"""The audit: who changed what in a tenant, from its own rows, from its cell's and from the registry's."""

from datetime import datetime
from itertools import chain
from typing import Annotated, Any, Literal
from urllib.parse import urlencode
from uuid import UUID

from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse
from pydantic import AwareDatetime

from functions.api_audit.schemas import AuditPageOut, AuditRowOut
from socialflow.audit import export, repository, service
from socialflow.audit.export import Format
from socialflow.audit.model import WORKSPACE, Filters, Row
from socialflow.identity import door
from socialflow.platform.caller import Caller
from socialflow.platform.database import control, transaction
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
    requires,
)
from socialflow.platform.settings import DatabaseSettings, OidcSettings

NEEDS = (DatabaseSettings, OidcSettings)
app = api(door)

ActorId = Annotated[UUID | None, Query(description="Only changes of this person or key.")]
ActorKind = Annotated[
    Literal["person", "key", "system", "operator"] | None, Query(description="Only changes of this kind of actor.")
]
SubjectType = Annotated[str | None, Query(max_length=100, description="media, post, account, tenant, user, …")]
SubjectId = Annotated[str | None, Query(max_length=200, description="Only changes that belong to this subject.")]
Action = Annotated[str | None, Query(max_length=100, description="`post.update`, or `post` for every change of posts.")]
Begin = Annotated[AwareDatetime | None, Query(alias="from", description="Not before this time.")]
End = Annotated[AwareDatetime | None, Query(alias="to", description="Before this time.")]
Rows = Annotated[int, Query(ge=1, le=5_000, description="How many rows a piece has at most; 4 MB end it earlier.")]
FILES: dict[int, OpenAPIResponse] = {
    200: {
        "description": "A piece of the file; the header Link has the address of the next one, where there is one.",
        "content": {kind: {"schema": {"type": "string"}} for kind in ("application/x-ndjson", "text/csv")},
    }
}
_WORKSPACE, _CELL = UUID(int=0), UUID(int=1)
"""In a cursor of the export, which has one chain after the other; the registry's is named by the tenant's id."""


@app.get("/v1/audit", summary="Read the audit", tags=["audit"])
@requires("settings:read")
def listed(  # noqa: PLR0913, PLR0917 # each filter is a parameter of the query
    actor: ActorId = None,
    actor_kind: ActorKind = None,
    subject_type: SubjectType = None,
    subject_id: SubjectId = None,
    action: Action = None,
    begin: Begin = None,
    end: End = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> AuditPageOut:
    """Return changes of the tenant's rows and of what its cell and the registry have of it, the newest first."""
    filters = Filters(actor, actor_kind, subject_type, subject_id, action, begin, end)
    begin_at = after(cursor, vars(filters))
    position = (begin_at.at, begin_at.id) if begin_at else None
    tenant = caller().tenant
    with transaction(tenant) as tx:
        own = service.newest(repository.workspace(tx), filters, after=position, limit=limit + 1)
        shared = service.newest(repository.shared(tx), filters, after=position, limit=limit + 1)
    with control() as connection:
        theirs = service.newest(repository.registry(connection, tenant), filters, after=position, limit=limit + 1)
    found = service.merged([own, shared, theirs], limit=limit + 1)
    last = found[limit - 1] if len(found) > limit else None
    return AuditPageOut(
        items=[AuditRowOut.of(row) for row in found[:limit]],
        next_cursor=next_cursor(Position(last.at, last.id), vars(filters)) if last else None,
    )


@app.get("/v1/audit/export", summary="Export the audit", tags=["audit"], responses=FILES)
@requires("settings:read")
def exported(  # noqa: PLR0913, PLR0917 # each filter is a parameter of the query
    format: Annotated[Format, Query(description="NDJSON can be verified, CSV is for spreadsheets.")] = "ndjson",  # noqa: A002 # the parameter's name on the wire
    actor: ActorId = None,
    actor_kind: ActorKind = None,
    subject_type: SubjectType = None,
    subject_id: SubjectId = None,
    action: Action = None,
    begin: Begin = None,
    end: End = None,
    limit: Rows = 1_000,
    cursor: Cursor = None,
) -> Response[Any]:
    """Return a piece of the audit: the registry's chain, the cell's, the workspace's, each from its oldest row on."""
    who = caller()
    filters = Filters(actor, actor_kind, subject_type, subject_id, action, begin, end)
    begin_at = after(cursor, vars(filters))
    with control() as connection, transaction(who.tenant) as tx:
        ledgers = {
            who.tenant.id: repository.registry(connection, who.tenant),
            _CELL: repository.shared(tx),
            _WORKSPACE: repository.workspace(tx),
        }
        left = list(ledgers)[list(ledgers).index(begin_at.id) if begin_at and begin_at.id in ledgers else 0 :]
        moments = {left[0]: begin_at.at if begin_at else None}
        rows = chain.from_iterable(
            service.exported(ledgers[name], filters, after=moments.get(name), limit=limit + 1) for name in left
        )
        piece = export.piece(rows, format, limit=limit)
    headers: dict[str, str | list[str]] = {"Content-Disposition": f'attachment; filename="audit.{format}"'}
    if piece.last:
        headers["Link"] = _next(who, piece.last, filters, {"format": format, "limit": limit})
    return Response(status_code=200, content_type=export.MEDIA_TYPES[format], body=piece.content, headers=headers)


def _next(who: Caller, last: Row, filters: Filters, more: dict[str, Any]) -> str:
    where = Position(last.at, {WORKSPACE: _WORKSPACE, who.tenant.slug: _CELL}.get(last.chain, who.tenant.id))
    names = {"begin": "from", "end": "to"}
    asked = {names.get(name, name): _text(value) for name, value in vars(filters).items() if value is not None}
    query = urlencode({**asked, **more, "cursor": next_cursor(where, vars(filters))})
    return f'</v1/audit/export?{query}>; rel="next"'


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


handler = entry(app, *NEEDS)
