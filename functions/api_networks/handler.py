"""By which way each network is reached: by its own API, or by way of Late, whose key is verified before it is kept."""

from collections.abc import Sequence

from functions.api_networks.schemas import LateIn, LateOut, NetworkOut, NetworksOut, RouteIn, connected, reachable
from socialflow.accounts import gateway as tokens
from socialflow.accounts import late
from socialflow.accounts.model import CredentialsRefused, LateKey, NotReached, Profile, Route, ServerUnusable
from socialflow.errors import FieldError
from socialflow.identity import door
from socialflow.limits import NETWORKS
from socialflow.platform.clock import now
from socialflow.platform.database import control, transaction
from socialflow.platform.http import api, caller, entry, requires
from socialflow.platform.settings import (
    DatabaseSettings,
    DoorbellSettings,
    EgressSettings,
    KeySettings,
    LateSettings,
    OidcSettings,
)
from socialflow.publishing import networks, rerouting
from socialflow.publishing.networks import late_api
from socialflow.publishing.networks.late_api import Reachable
from socialflow.publishing.networks.port import Later, Refused

NEEDS = (DatabaseSettings, OidcSettings, KeySettings, EgressSettings, LateSettings, DoorbellSettings)
app = api(door)

LONGEST_CALL = 8.0
"""Seconds that Late has to verify a key: a person waits."""


@app.get("/v1/networks", summary="List networks", tags=["accounts"])
@requires("publishing:read")
def listed() -> NetworksOut:
    """Return the networks that are spoken here, each with the way by which it is reached."""
    with transaction(caller().tenant) as tx:
        chosen = late.routes(tx)
    return NetworksOut(items=[_network(name, chosen.get(name, "direct")) for name in NETWORKS])


@app.put("/v1/networks/<network>/route", summary="Choose the way to a network", tags=["accounts"])
@requires("settings:manage")
def choose(network: str, body: RouteIn) -> NetworkOut:
    """Choose the way of the network's posts. What was attempted once keeps the way of its first attempt."""
    who, name = caller(), networks.supported(network)
    if body.route == "late" and name not in late_api.REACHED:
        raise NotReached(f"Late does not post to {name}.", errors=[FieldError("/route", "not-reached")])
    with transaction(who.tenant) as tx:
        if late.choose(tx, name, body.route, by=who.user.id, at=now()):
            rerouting.reroute(tx, name, at=now())
    return _network(name, body.route)


@app.get("/v1/networks/late", summary="Read the key of Late", tags=["accounts"])
@requires("settings:read")
def read() -> LateOut:
    """Return what is known of the tenant's key of Late, and the accounts that are connected by way of it."""
    with transaction(caller().tenant) as tx:
        key, accounts = late.key(tx), late.linked(tx)
    return LateOut.of(key, None, connected(accounts))


@app.put("/v1/networks/late", summary="Set the key of Late", tags=["accounts"])
@requires("settings:manage")
def keep(body: LateIn) -> LateOut:
    """Verify a key with Late, keep it sealed, and connect those of its accounts that are named."""
    who, key = caller(), body.api_key.get_secret_value()
    found = _verified(key)
    picked = _picked(found, body.accounts)
    made = late.new_secret()
    hook = LateKey(late.new_token(), tokens.seal_hook(who.tenant, made), now(), who.user.id)
    sealed = tokens.seal_late(who.tenant, key)
    with control() as connection:
        late.note_hook(connection, hook.webhook_token, who.tenant.id)
    with transaction(who.tenant) as tx:
        kept = late.keep(tx, sealed, hook, reached=[one.id for one in found], renew=body.renew_webhook)
        for one in picked:
            late.link(tx, one.id, _profile(one), by=who.user.id, at=now())
        ours = {one.late_account: one.id for one in late.linked(tx) if one.late_account is not None}
    is_new = kept.webhook_token == hook.webhook_token
    return LateOut.of(kept, made if is_new else None, reachable(found, ours))


@app.delete("/v1/networks/late", status_code=204, summary="Throw the key of Late away", tags=["accounts"])
@requires("settings:manage", takes_away=True)
def forget() -> None:
    """Throw the key away. Accounts that have no other way are disconnected; networks are reached directly again."""
    who = caller()
    with transaction(who.tenant) as tx:
        for network in late.forget(tx, by=who.user.id, at=now()):
            rerouting.reroute(tx, network, at=now())


def _network(name: str, route: Route) -> NetworkOut:
    return NetworkOut(network=name, route=route, routes=["direct", *(["late"] if name in late_api.REACHED else [])])


def _verified(key: str) -> list[Reachable]:
    """Return what a key reaches; raises `CredentialsRefused`, `ServerUnusable`."""
    if not late_api.KEY.fullmatch(key):
        raise _refused("That is no key of Late: it has letters, digits and signs of ASCII, and no blanks.")
    found = late_api.accounts(LateSettings.from_env().late_api_base, key, seconds=LONGEST_CALL)
    if isinstance(found, Refused) and found.code in ("invalid-credentials", "permission-missing"):
        raise _refused("Late does not take the key. Make one at Late under Settings, API keys, and send that.")
    if isinstance(found, Refused | Later):
        raise ServerUnusable(f"{found.detail} Try again later.")
    return found


def _refused(words: str) -> CredentialsRefused:
    return CredentialsRefused(words, errors=[FieldError("/api_key", "credentials-refused", words)])


def _picked(found: Sequence[Reachable], wanted: Sequence[str]) -> list[Reachable]:
    by_id = {one.id: one for one in found}
    wrong = [
        FieldError(f"/accounts/{index}", "unknown-account", "The key reaches no such account on a network known here.")
        for index, one in enumerate(wanted)
        if one not in by_id
    ]
    if wrong:
        raise NotReached("The answer without any accounts lists those that there are.", errors=wrong)
    return [by_id[one] for one in dict.fromkeys(wanted)]


def _profile(one: Reachable) -> Profile:
    """Return whose account it is: by its network's own id of it, so that it is the same when connected directly."""
    if one.remote_account is None or one.network not in networks.HOMES:
        return Profile(one.network, LateSettings.from_env().late_api_base, one.id, one.name)
    return Profile(one.network, networks.HOMES[one.network], one.remote_account, one.name)


handler = entry(app, *NEEDS)
