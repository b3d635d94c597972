"""How an HTTP function is written.

```python
# functions/api_media/handler.py
from uuid import UUID

from socialflow.identity import door
from socialflow.media import service
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.http import Response, api, caller, entry, if_match, once, requires, stored, tagged
from socialflow.platform.settings import DatabaseSettings, DoorbellSettings, OidcSettings, StorageSettings

from functions.api_media.schemas import MediaOut, PatchMedia, UploadIn, UploadOut

NEEDS = (DatabaseSettings, OidcSettings, StorageSettings, DoorbellSettings)
app = api(door)


@app.patch("/v1/media/<media_id>", summary="Change a media item", tags=["media"])
@requires("media:write")  # below @app.<method>; a route that does not say what it asks is refused at import
def change(media_id: UUID, body: PatchMedia) -> Response[MediaOut]:
    who = caller()  # who.user.id, who.tenant, who.role, who.permissions, who.request_id
    version = if_match()  # None for `*`, 428 where missing; the use case: PreconditionFailed(…, current_version=n)
    with transaction(who.tenant) as tx:
        item = service.change(tx, media_id, body.file_name, version=version, by=who.user.id, at=now())
    return tagged(MediaOut.model_validate(item), item.version)


@app.post("/v1/media/uploads", status_code=201, summary="Begin an upload", tags=["media"])
@requires("media:write")
def begin(body: UploadIn) -> Response[UploadOut]:
    who = caller()
    with transaction(who.tenant) as tx:  # the key's answer is kept in this transaction
        return once(tx, lambda: stored(UploadOut.of(service.begin(tx, ...)), status=201), present=with_signed_url)


handler = entry(app, *NEEDS)
```

A plain `-> MediaOut` answers 200 (or the route's `status_code`). Raise a `Refusal`; nothing else is caught. Lists:
`limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None`, then `after(cursor, filters)` → `Position | None` and
`next_cursor(Position(row.created_at, row.id), filters)`. A route that only reads although it is a POST says
`@requires("publishing:read", mutates=False)`, so that a suspended tenant may call it; so may it what says
`takes_away=True`.

A webhook is a `@public` route without a body parameter: `raw_body()` gives the bytes, which are verified (or
`SignatureRefused`) before `parsed(raw)` reads them; `receipts.take_once` keeps a repeated message from acting twice.
A route that takes a file has none either: `csv_body(most)`.
"""

from aws_lambda_powertools.event_handler import Response

from socialflow.platform.caller import Caller, Membership, User
from socialflow.platform.http.access import public, requires, signed_in
from socialflow.platform.http.answers import (
    answered,
    created,
    idempotency_claim,
    if_match,
    if_match_where_given,
    once,
    stored,
    tagged,
)
from socialflow.platform.http.app import Api, api, entry
from socialflow.platform.http.guard import caller, current_request, current_user, only
from socialflow.platform.http.pages import DEFAULT_LIMIT, Cursor, Limit, Position, after, opened, sealed
from socialflow.platform.http.pages import cursor as next_cursor
from socialflow.platform.http.raw import SignatureRefused, csv_body, parsed, raw_body

__all__ = [
    "DEFAULT_LIMIT",
    "Api",
    "Caller",
    "Cursor",
    "Limit",
    "Membership",
    "Position",
    "Response",
    "SignatureRefused",
    "User",
    "after",
    "answered",
    "api",
    "caller",
    "created",
    "csv_body",
    "current_request",
    "current_user",
    "entry",
    "idempotency_claim",
    "if_match",
    "if_match_where_given",
    "next_cursor",
    "once",
    "only",
    "opened",
    "parsed",
    "public",
    "raw_body",
    "requires",
    "sealed",
    "signed_in",
    "stored",
    "tagged",
]
