"""Connected accounts: verified with the network before anything is stored."""

from uuid import UUID

from functions.api_accounts.schemas import AccountOut, AccountPageOut, ConnectAccount
from socialflow.accounts import gateway as tokens
from socialflow.accounts import service
from socialflow.accounts.model import CredentialsRefused, Profile, ServerUnusable
from socialflow.errors import FieldError
from socialflow.identity import door
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.egress import origin
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
from socialflow.platform.settings import DatabaseSettings, DoorbellSettings, EgressSettings, KeySettings, OidcSettings
from socialflow.publishing import networks
from socialflow.publishing.networks.port import Identity, Later, Refused

NEEDS = (DatabaseSettings, OidcSettings, KeySettings, EgressSettings, DoorbellSettings)
app = api(door)

LONGEST_CALL = 8.0
"""Seconds that the network has to verify a token: a person waits."""


@app.post("/v1/accounts", status_code=201, summary="Connect an account", tags=["accounts"])
@requires("settings:manage")
def connect(body: ConnectAccount) -> Response[AccountOut]:
    """Verify the token with the network and keep it sealed; the same account again gets the new token (200)."""
    who = caller()
    network, base_url = networks.supported(body.network), origin(body.base_url)
    token = body.access_token.get_secret_value()
    identity = _verified(network, base_url, token)
    told = body.capabilities.model_dump(exclude_none=True)
    profile = Profile(
        network, base_url, identity.remote_account, identity.remote_name, {**identity.capabilities, **told}
    )
    sealed = tokens.seal(who.tenant, profile, token)
    with transaction(who.tenant) as tx:

        def keep() -> Answer:
            account, is_new = service.connect(tx, profile, sealed, by=who.user.id, at=now())
            where = f"/v1/accounts/{account.id}"
            return stored(AccountOut.of(account), status=201 if is_new else 200, location=where)

        return once(tx, keep)


@app.get("/v1/accounts", summary="List connected accounts", tags=["accounts"])
@requires("publishing:read")
def listed(limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> AccountPageOut:
    """Return connected accounts, the newest first."""
    begin_at = after(cursor)
    with transaction(caller().tenant) as tx:
        position = (begin_at.at, begin_at.id) if begin_at else None
        found = service.page(tx, after=position, limit=limit + 1)
    last = found[limit - 1] if len(found) > limit else None
    return AccountPageOut(
        items=[AccountOut.of(account) for account in found[:limit]],
        next_cursor=next_cursor(Position(last.connected_at, last.id)) if last else None,
    )


@app.get("/v1/accounts/<account_id>", summary="Read a connected account", tags=["accounts"])
@requires("publishing:read")
def read(account_id: UUID) -> AccountOut:
    """Return a connected account."""
    with transaction(caller().tenant) as tx:
        return AccountOut.of(service.get(tx, account_id))


@app.delete("/v1/accounts/<account_id>", status_code=204, summary="Disconnect an account", tags=["accounts"])
@requires("settings:manage", takes_away=True)
def disconnect(account_id: UUID) -> None:
    """Throw the account's token away. What it has published stays there; posts that were to go there fail."""
    who = caller()
    with transaction(who.tenant) as tx:
        service.disconnect(tx, account_id, by=who.user.id, at=now())


def _verified(network: str, base_url: str, token: str) -> Identity:
    """Return whose token it is, or refuse in words."""
    answer = networks.gateway(network, base_url=base_url, token=token).identify(seconds=LONGEST_CALL)
    match answer:
        case Identity():
            return answer
        case Refused("invalid-credentials", detail):
            words = f"{detail} Make a new token with the scopes read and write, and send that."
            raise CredentialsRefused(words, errors=[FieldError("/access_token", "credentials-refused", words)])
        case Refused(_, detail) | Later(detail):
            words = f"{detail} Check the address, or try again later."
            raise ServerUnusable(words, errors=[FieldError("/base_url", "server-unusable", words)])


handler = entry(app, *NEEDS)
