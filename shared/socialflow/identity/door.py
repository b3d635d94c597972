"""The door of every HTTP function: a bearer token becomes a user, a header becomes a membership.

A key is both, and so is a credential of our support's, with which each request is written into the tenant's audit.
"""

from functools import cache, partial

from socialflow.entitlements.model import DEFAULT_PLAN, limit
from socialflow.identity import api_key_service, gateway, service, support_service
from socialflow.identity.api_keys import PeopleOnly
from socialflow.identity.bearer import Presented, presented
from socialflow.identity.model import Claims
from socialflow.identity.tokens import Verifier
from socialflow.platform import pace
from socialflow.platform.acting import Actor, act_as
from socialflow.platform.caller import Membership, User
from socialflow.platform.clock import now
from socialflow.platform.database import control
from socialflow.platform.http.guard import current_request
from socialflow.platform.http.refusals import TenantRequired
from socialflow.platform.pace import Allowance, Turn
from socialflow.platform.settings import OidcSettings
from socialflow.platform.tenancy import Tenant

CALLERS = 10
"""How many callers of a tenant may each use their whole allowance at one time: the rest of them share it."""
UNLIMITED = 1_000_000


def sign_in(authorization: str) -> User:
    """Return the user whom an `Authorization` header names; raises `Unauthenticated`, or `PeopleOnly` for a key."""
    key = presented(authorization)
    if key is not None:
        identify = support_service.identify if key.mark == "sfs" else api_key_service.identify
        with control() as connection:
            identify(connection, key, at=now())
        raise PeopleOnly("A key acts in its tenant; this is about a person. Sign in as one.")
    claims = _verified(authorization)
    with control() as connection:
        return service.sign_in(connection, claims)


def admit(authorization: str, tenant: str) -> Membership:
    """Return that user's membership of a tenant (slug or id); raises `Unauthenticated` or `NotAMember`.

    An API key and our support's credential say by themselves which tenant; for anybody else an empty `tenant` raises
    `TenantRequired`. It is one transaction: somebody new belongs nowhere, is refused, and leaves no row behind by
    knocking.
    """
    key = presented(authorization)
    if key is not None and key.mark == "sfs":
        return _looking_in(key, tenant)
    if key is not None:
        with control() as connection:
            return api_key_service.enter(connection, key, tenant, at=now())
    claims = _verified(authorization)
    if not tenant:
        raise TenantRequired
    with control() as connection:
        return service.enter(connection, service.sign_in(connection, claims), tenant)


def turn(user: User, tenant: Tenant | None) -> Turn:
    """Count a request against its caller's allowance and its tenant's, which the plan says; raises `Unavailable`.

    Whoever asks in no tenant has the default plan's. A setting takes the place of every plan's figure.
    """
    said = OidcSettings.from_env().requests_per_minute
    each = said or limit(tenant.plan if tenant else DEFAULT_PLAN, "requests_per_minute") or UNLIMITED
    if tenant is None:
        return pace.take(Allowance(str(user.id), each))
    caller = Allowance(f"{tenant.id}/{user.id}", each)
    return pace.take(caller, Allowance(str(tenant.id), each * CALLERS), cell=tenant.cell)


def _looking_in(key: Presented, tenant: str) -> Membership:
    """Let an operator in, and write down for the tenant's people what is asked for, whatever is answered then."""
    with control() as connection:
        member = support_service.enter(connection, key, tenant, at=now())
    asked = current_request()
    act_as(Actor("operator", member.user.id, member.user.name, asked.app.request_id, asked.address))
    with control() as connection:
        support_service.note(connection, member.user.id, f"{asked.method} {asked.path}", at=now())
    return member


def _verified(authorization: str) -> Claims:
    return _verifier(OidcSettings.from_env()).verify(authorization)


@cache
def _verifier(oidc: OidcSettings) -> Verifier:
    """Keep one verifier for each set of settings: its keys are the sandbox's."""
    keys = gateway.SigningKeys(partial(gateway.fetch, oidc.oidc_jwks_url))
    return Verifier(keys, oidc.oidc_issuer, oidc.oidc_audience, oidc.oidc_authorized_parties)
