"""API keys: what a tenant's machines sign in with."""

from uuid import UUID

from functions.api_keys.schemas import ApiKeyIn, ApiKeyOut, ApiKeyPageOut, NewApiKeyOut
from socialflow.identity import api_key_service as service
from socialflow.identity import door
from socialflow.identity.api_key_service import Wish
from socialflow.platform.clock import now
from socialflow.platform.database import control
from socialflow.platform.http import (
    DEFAULT_LIMIT,
    Cursor,
    Limit,
    Position,
    Response,
    after,
    api,
    caller,
    created,
    entry,
    idempotency_claim,
    next_cursor,
    requires,
)
from socialflow.platform.settings import DatabaseSettings, OidcSettings

NEEDS = (DatabaseSettings, OidcSettings)
app = api(door)


@app.post("/v1/api-keys", status_code=201, summary="Make an API key", tags=["api keys"])
@requires("settings:manage")
def make(body: ApiKeyIn) -> Response[NewApiKeyOut]:
    """Make a key and show it, this once. A repeat with the same Idempotency-Key is told which key it was (409)."""
    who, at = caller(), now()
    wish = Wish(body.name, tuple(body.scopes), body.expires_in_days, idempotency_claim())
    with control() as connection:
        key, text = service.create(connection, who, wish, at=at)
    return created(NewApiKeyOut.made(key, text, at), f"/v1/api-keys/{key.id}")


@app.get("/v1/api-keys", summary="List API keys", tags=["api keys"])
@requires("settings:read")
def several(limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> ApiKeyPageOut:
    """Return the tenant's keys, the newest first; those that work no more are among them."""
    with control() as connection:
        found = service.page(connection, caller().tenant.id, after=after(cursor), limit=limit + 1)
    last = found[limit - 1] if len(found) > limit else None
    at = now()
    return ApiKeyPageOut(
        items=[ApiKeyOut.of(key, at) for key in found[:limit]],
        next_cursor=next_cursor(Position(last.created_at, last.id)) if last else None,
    )


@app.get("/v1/api-keys/<key_id>", summary="Read an API key", tags=["api keys"])
@requires("settings:read")
def read(key_id: UUID) -> ApiKeyOut:
    """Return a key, without its secret."""
    with control() as connection:
        return ApiKeyOut.of(service.get(connection, caller().tenant.id, key_id), now())


@app.delete("/v1/api-keys/<key_id>", status_code=204, summary="Revoke an API key", tags=["api keys"])
@requires("settings:manage", takes_away=True)
def revoke(key_id: UUID) -> None:
    """Revoke a key at once; again, it stays revoked."""
    who = caller()
    with control() as connection:
        service.revoke(connection, who.tenant.id, key_id, by=who.user.id, at=now())


handler = entry(app, *NEEDS)
