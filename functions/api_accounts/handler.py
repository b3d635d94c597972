"""Connected accounts: verified with the network before anything is stored."""

from uuid import UUID

from pydantic import SecretStr

from functions.api_accounts.schemas import AccountOut, AccountPageOut, ConnectAccount, ReconnectOut
from socialflow.accounts import gateway as tokens
from socialflow.accounts import service
from socialflow.accounts.model import Account, CredentialsRefused, IncompleteLogin, Profile, ServerUnusable
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
from socialflow.publishing.networks import sign_in
from socialflow.publishing.networks.port import Identity, Later, Refused

NEEDS = (DatabaseSettings, OidcSettings, KeySettings, EgressSettings, DoorbellSettings)
app = api(door)

LONGEST_CALL = 8.0
"""Seconds that the network has to verify a token: a person waits."""
_CREDENTIALS = ("access_token", "handle", "app_password")
# What of the request a refusal is about, and what to do about it.
_PLACES = {
    ("mastodon", "invalid-credentials"): (
        "/access_token",
        "Make a new token with the scopes read and write, and send that.",
    ),
    ("bluesky", "invalid-credentials"): (
        "/app_password",
        "Make an app password in Bluesky under Settings, Privacy and security, App passwords, and send that.",
    ),
    ("bluesky", "unknown-handle"): ("/handle", "Check the handle: it is shown on the profile, with its full stop."),
    ("bluesky", "account-unavailable"): ("/handle", "Settle it with Bluesky, then connect the account again."),
}


@app.post("/v1/accounts", status_code=201, summary="Connect an account", tags=["accounts"])
@requires("settings:manage")
def connect(body: ConnectAccount) -> Response[AccountOut]:
    """Verify the token with the network and keep it sealed; the same account again gets the new token (200)."""
    who = caller()
    network = networks.supported(body.network)
    base_url, given = _given(body, network)
    token, identity = _verified(network, base_url, given)
    told = body.capabilities.model_dump(exclude_none=True)
    profile = Profile(
        network, base_url, identity.remote_account, identity.remote_name, {**identity.capabilities, **told}
    )
    sealed = tokens.seal(who.tenant, profile, token)
    with transaction(who.tenant) as tx:

        def keep() -> Answer:
            account, is_new = service.connect(tx, profile, sealed, by=who.user.id, at=now())
            where = f"/v1/accounts/{account.id}"
            return stored(_shown(account), status=201 if is_new else 200, location=where)

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
        items=[_shown(account) for account in found[:limit]],
        next_cursor=next_cursor(Position(last.connected_at, last.id)) if last else None,
    )


@app.get("/v1/accounts/<account_id>", summary="Read a connected account", tags=["accounts"])
@requires("publishing:read")
def read(account_id: UUID) -> AccountOut:
    """Return a connected account."""
    with transaction(caller().tenant) as tx:
        return _shown(service.get(tx, account_id))


@app.delete("/v1/accounts/<account_id>", status_code=204, summary="Disconnect an account", tags=["accounts"])
@requires("settings:manage", takes_away=True)
def disconnect(account_id: UUID) -> None:
    """Use the account's token no more, and give it back where the network takes that.

    What it has published stays there; posts that were to go there fail.
    """
    who = caller()
    with transaction(who.tenant) as tx:
        service.disconnect(tx, account_id, by=who.user.id, at=now(), revoking=networks.REVOKING)


def _shown(account: Account) -> AccountOut:
    """Shape an account, with what connects it again where that is needed or will be."""
    if account.state == "connected" and account.trouble_code is None:
        return AccountOut.of(account)
    where = "/v1/connections" if account.network in sign_in.NETWORKS else "/v1/accounts"
    body = {"network": account.network}
    if account.base_url != networks.HOMES.get(account.network) and account.network in networks.CREDENTIALS:
        body["base_url"] = account.base_url
    return AccountOut.of(account, ReconnectOut(method="POST", href=where, body=body))


def _given(body: ConnectAccount, network: str) -> tuple[str, dict[str, str]]:
    """Return the server and the credentials that a network asks for; raises `IncompleteLogin`, `UnusableHost`."""
    sent: dict[str, str | SecretStr | None] = {name: getattr(body, name) for name in _CREDENTIALS}
    asked = networks.CREDENTIALS.get(network)
    if asked is None:
        words = f"Accounts of {network} are connected by signing in there: POST /v1/connections begins."
        raise IncompleteLogin(words, errors=[FieldError("/network", "signs-in", words)])
    base_url = body.base_url or networks.HOMES.get(network)
    missing = [name for name in asked if sent[name] is None] + ([] if base_url else ["base_url"])
    others = [name for name in _CREDENTIALS if name not in asked and sent[name] is not None]
    if base_url is None or missing or others:
        takes = " and ".join(asked if network in networks.HOMES else ("base_url", *asked))
        errors = [FieldError(f"/{name}", "missing", f"{network} asks for it.") for name in missing]
        errors += [FieldError(f"/{name}", "not-taken", f"{network} does not ask for it.") for name in others]
        raise IncompleteLogin(f"To connect an account of {network}, send {takes}.", errors=errors)
    return origin(base_url), {name: _plain(sent[name]) for name in asked}


def _plain(value: str | SecretStr | None) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else value or ""


def _verified(network: str, base_url: str, given: dict[str, str]) -> tuple[str, Identity]:
    """Return the token to keep and whose it is, or refuse in words."""
    token = networks.log_in(network, base_url, given, seconds=LONGEST_CALL)
    if not isinstance(token, str):
        raise _refusal(network, token)
    identity = networks.gateway(network, base_url=base_url, token=token).identify(seconds=LONGEST_CALL)
    if not isinstance(identity, Identity):
        raise _refusal(network, identity)
    return token, identity


def _refusal(network: str, answer: Refused | Later) -> CredentialsRefused | ServerUnusable:
    """Say what the network does not like, where, and what to do."""
    place = _PLACES.get((network, answer.code)) if isinstance(answer, Refused) else None
    if place is None:
        words = f"{answer.detail} Check the address, or try again later."
        return ServerUnusable(words, errors=[FieldError("/base_url", "server-unusable", words)])
    pointer, advice = place
    words = f"{answer.detail} {advice}"
    return CredentialsRefused(words, errors=[FieldError(pointer, "credentials-refused", words)])


handler = entry(app, *NEEDS)
