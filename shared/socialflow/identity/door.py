"""The door of every HTTP function: a bearer token becomes a user, a header becomes a membership; a key is both."""

from functools import cache, partial

from socialflow.entitlements.model import DEFAULT_PLAN, limit
from socialflow.identity import api_key_service, gateway, service
from socialflow.identity.api_keys import PeopleOnly, presented
from socialflow.identity.model import Claims
from socialflow.identity.tokens import Verifier
from socialflow.platform import pace
from socialflow.platform.caller import Membership, User
from socialflow.platform.clock import now
from socialflow.platform.database import control
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
        with control() as connection:
            api_key_service.identify(connection, key, at=now())
        raise PeopleOnly("An API key acts in its tenant; this is about a person. Sign in as one.")
    claims = _verified(authorization)
    with control() as connection:
        return service.sign_in(connection, claims)


def admit(authorization: str, tenant: str) -> Membership:
    """Return that user's membership of a tenant (slug or id); raises `Unauthenticated` or `NotAMember`.

    An API key says by itself which tenant; for anybody else an empty `tenant` raises `TenantRequired`. It is one
    transaction: somebody new belongs nowhere, is refused, and leaves no row behind by knocking.
    """
    key = presented(authorization)
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


def _verified(authorization: str) -> Claims:
    return _verifier(OidcSettings.from_env()).verify(authorization)


@cache
def _verifier(oidc: OidcSettings) -> Verifier:
    """Keep one verifier for each set of settings: its keys are the sandbox's."""
    keys = gateway.SigningKeys(partial(gateway.fetch, oidc.oidc_jwks_url))
    return Verifier(keys, oidc.oidc_issuer, oidc.oidc_audience, oidc.oidc_authorized_parties)
