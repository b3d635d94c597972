"""Connecting accounts by signing in at their networks: begun, completed and chosen by one member."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from secrets import token_urlsafe
from typing import Any, NoReturn
from uuid import UUID

from functions.api_connections.schemas import (
    AccountConnectedOut,
    BeginConnection,
    ChoosePlaces,
    CompleteConnection,
    ConnectionBegunOut,
    ConnectionOut,
    PlaceOut,
)
from socialflow.accounts import connecting, service
from socialflow.accounts import gateway as tokens
from socialflow.accounts.connecting import LIVES, NotSetUp, SignInRefused
from socialflow.accounts.model import Connection, IncompleteLogin, Profile
from socialflow.errors import FieldError, Unavailable
from socialflow.identity import door
from socialflow.platform import crypto
from socialflow.platform.caller import Caller
from socialflow.platform.clock import now
from socialflow.platform.crypto import CannotOpen
from socialflow.platform.database import transaction
from socialflow.platform.egress import origin
from socialflow.platform.http import api, caller, entry, requires
from socialflow.platform.ids import new_id
from socialflow.platform.settings import (
    AppSettings,
    DatabaseSettings,
    DoorbellSettings,
    EgressSettings,
    KeySettings,
    NetworkSettings,
    OidcSettings,
)
from socialflow.publishing import networks
from socialflow.publishing.networks import apps, sign_in
from socialflow.publishing.networks.grants import App
from socialflow.publishing.networks.port import Identity, Later, Refused
from socialflow.publishing.networks.sign_in import REGISTERS, Begun, Choice

NEEDS = (
    DatabaseSettings,
    OidcSettings,
    KeySettings,
    EgressSettings,
    DoorbellSettings,
    AppSettings,
    NetworkSettings,
)
app = api(door)

LONGEST_CALL = 8.0
"""Seconds that a network has for each answer: a person waits."""
PAGE = "/accounts/callback"
"""The application's page that networks send the member back to; it is registered with each of them."""


class NetworkAway(Unavailable):
    """The network does not answer; nothing was lost."""

    code, title = "network-unavailable", "The network does not answer"


@app.post("/v1/connections", status_code=201, summary="Begin to sign in at a network", tags=["accounts"])
@requires("settings:manage")
def begin(body: BeginConnection) -> ConnectionBegunOut:
    """Return where the member's browser goes; only the member who began can complete it, within ten minutes."""
    who, network, redirect_uri = caller(), networks.supported(body.network), _page(body.origin)
    base_url, ours = _server(network, body, redirect_uri)
    begun = Begun(network, _stand_in(network, base_url), ours, redirect_uri, token_urlsafe(32), token_urlsafe(48))
    at = now()
    draft = Connection(
        id=new_id(),
        network=network,
        base_url=base_url,
        redirect_uri=redirect_uri,
        state="begun",
        state_sha256=connecting.hashed(begun.state),
        secret=b"",
        begun_by=who.user.id,
        expires_at=at + LIVES,
    )
    kept = {"verifier": begun.verifier}
    if network == REGISTERS:
        kept |= {"client_id": ours.client_id, "client_secret": ours.client_secret}
    connection = _with_secret(who, draft, kept)
    with transaction(who.tenant) as tx:
        connecting.begin(tx, connection, at=at)
    return ConnectionBegunOut(
        id=connection.id,
        network=network,
        authorize_url=sign_in.address(begun),
        redirect_uri=redirect_uri,
        expires_at=connection.expires_at,
    )


@app.post("/v1/connections/<connection_id>/complete", summary="Complete a sign-in", tags=["accounts"])
@requires("settings:manage")
def complete(connection_id: UUID, body: CompleteConnection) -> ConnectionOut:
    """Exchange the code that came back: one account is connected; of several places the member chooses."""
    who = caller()
    with transaction(who.tenant) as tx:
        found = connecting.take(tx, connection_id, body.state.get_secret_value(), by=who.user.id, at=now())
    try:
        choices = _exchanged(who, found, body)
    except (SignInRefused, NetworkAway):
        _end(who, found)
        raise
    if len(choices) == 1:
        return _connected(who, found, choices)
    offered = {str(index + 1): {"name": one.name, "token": one.token} for index, one in enumerate(choices)}
    sealed = _with_secret(who, found, offered).secret
    with transaction(who.tenant) as tx:
        connecting.offer(tx, found, sealed)
    places = [PlaceOut(id=name, name=one["name"] or "Yourself") for name, one in offered.items()]
    return ConnectionOut(id=found.id, state="choosing", places=places)


@app.post("/v1/connections/<connection_id>/choose", summary="Choose what to connect", tags=["accounts"])
@requires("settings:manage")
def choose(connection_id: UUID, body: ChoosePlaces) -> ConnectionOut:
    """Connect the chosen places; the others are forgotten."""
    who = caller()
    with transaction(who.tenant) as tx:
        found = connecting.offered(tx, connection_id, by=who.user.id, at=now())
    chosen = connecting.picked(_secret(who, found), body.places)
    return _connected(who, found, [Choice(one["name"], one["token"]) for one in chosen])


def _server(network: str, body: BeginConnection, redirect_uri: str) -> tuple[str, App]:
    """Return the server to sign in at, and our registration there; raises refusals in words."""
    if network not in sign_in.NETWORKS:
        words = f"Accounts of {network} are connected by POST /v1/accounts."
        raise IncompleteLogin(words, errors=[FieldError("/network", "no-sign-in", words)])
    if network == REGISTERS:
        if body.base_url is None:
            words = f"{network} has many servers: name the account's, such as https://mastodon.social."
            raise IncompleteLogin(words, errors=[FieldError("/base_url", "missing", words)])
        base_url = origin(body.base_url)
        ours = sign_in.register(base_url, redirect_uri, seconds=LONGEST_CALL)
        if not isinstance(ours, App):
            raise SignInRefused(f"{ours.detail} Check the address.", errors=[FieldError("/base_url", "refused")])
        return base_url, ours
    if body.base_url is not None:
        words = f"{network} has one server, which is not named."
        raise IncompleteLogin(words, errors=[FieldError("/base_url", "not-taken", words)])
    registered = apps.app_of(network)
    if registered is None:
        raise NotSetUp(f"Who runs this stage has not registered it with {network} yet.")
    return apps.home(network) or networks.HOMES[network], registered


def _stand_in(network: str, base_url: str) -> str | None:
    return base_url if network == REGISTERS else apps.home(network)


def _page(wanted: str | None) -> str:
    """Return the page to come back to, of an origin of the application's."""
    known = AppSettings.from_env().app_origins
    if not known or (wanted is not None and wanted not in known):
        words = f"Come back to an origin of the application: {', '.join(known) or 'none is set up'}."
        raise IncompleteLogin(words, errors=[FieldError("/origin", "foreign", words)])
    return (wanted or known[0]) + PAGE


def _exchanged(who: Caller, found: Connection, body: CompleteConnection) -> list[Choice]:
    if body.code is None:
        words = f"The network says: {body.error}." if body.error else "Send the code that came back."
        raise SignInRefused(f"{words} Begin again to try it once more.")
    secret = _secret(who, found)
    ours = _app(found.network, secret)
    begun = Begun(
        found.network, _stand_in(found.network, found.base_url), ours, found.redirect_uri, "", str(secret["verifier"])
    )
    choices = sign_in.exchanged(begun, body.code.get_secret_value(), seconds=LONGEST_CALL)
    if not isinstance(choices, list):
        _no(choices)
    return choices


def _app(network: str, secret: Mapping[str, str]) -> App:
    if network == REGISTERS:
        return App(secret["client_id"], secret["client_secret"])
    registered = apps.app_of(network)
    if registered is None:
        raise NotSetUp(f"Who runs this stage has not registered it with {network} yet.")
    return registered


def _connected(who: Caller, found: Connection, choices: Sequence[Choice]) -> ConnectionOut:
    """Ask whose the tokens are, and keep them sealed: all of them, or none."""
    named = [(_profile(found, choice), choice.token) for choice in choices]
    sealed = [(profile, tokens.seal(who.tenant, profile, token)) for profile, token in named]
    with transaction(who.tenant) as tx:
        kept = [service.connect(tx, profile, secret, by=who.user.id, at=now())[0] for profile, secret in sealed]
        connecting.end(tx, found)
    return ConnectionOut(id=found.id, state="done", accounts=[AccountConnectedOut.of(account) for account in kept])


def _profile(found: Connection, choice: Choice) -> Profile:
    gateway = networks.gateway(found.network, base_url=found.base_url, token=choice.token)
    identity = gateway.identify(seconds=LONGEST_CALL)
    if not isinstance(identity, Identity):
        _no(identity)
    return Profile(found.network, found.base_url, identity.remote_account, identity.remote_name, identity.capabilities)


def _no(answer: Refused | Later) -> NoReturn:
    if isinstance(answer, Later):
        raise NetworkAway(f"{answer.detail} Begin again in a while.", retry_after=30)
    raise SignInRefused(f"{answer.detail} Begin again to try it once more.")


def _end(who: Caller, found: Connection) -> None:
    with transaction(who.tenant) as tx:
        connecting.end(tx, found)


def _with_secret(who: Caller, connection: Connection, secret: Mapping[str, object]) -> Connection:
    sealed = crypto.seal(who.tenant, connection.purpose, json.dumps(secret).encode())
    return replace(connection, secret=sealed)


def _secret(who: Caller, connection: Connection) -> dict[str, Any]:
    try:
        return dict(json.loads(crypto.open_sealed(who.tenant, connection.purpose, connection.secret)))
    except CannotOpen:
        raise SignInRefused("What this sign-in was begun with cannot be read. Begin again.") from None


handler = entry(app, *NEEDS)
