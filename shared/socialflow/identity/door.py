"""The door of every HTTP function: a bearer token becomes a user, a header becomes a membership."""

from functools import cache, partial

from socialflow.identity import gateway, service
from socialflow.identity.model import Claims
from socialflow.identity.tokens import Verifier
from socialflow.platform.caller import Membership, User
from socialflow.platform.database import control
from socialflow.platform.settings import OidcSettings


def sign_in(authorization: str) -> User:
    """Return the user whom an `Authorization` header names; raises `Unauthenticated`."""
    claims = _verified(authorization)
    with control() as connection:
        return service.sign_in(connection, claims)


def admit(authorization: str, tenant: str) -> Membership:
    """Return that user's membership of a tenant (slug or id); raises `Unauthenticated` or `NotAMember`.

    It is one transaction: somebody new belongs nowhere, is refused, and leaves no row behind by knocking.
    """
    claims = _verified(authorization)
    with control() as connection:
        return service.enter(connection, service.sign_in(connection, claims), tenant)


def _verified(authorization: str) -> Claims:
    return _verifier(OidcSettings.from_env()).verify(authorization)


@cache
def _verifier(oidc: OidcSettings) -> Verifier:
    """Keep one verifier for each set of settings: its keys are the sandbox's."""
    keys = gateway.SigningKeys(partial(gateway.fetch, oidc.oidc_jwks_url))
    return Verifier(keys, oidc.oidc_issuer, oidc.oidc_audience, oidc.oidc_authorized_parties)
