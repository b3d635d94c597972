"""A grant of OAuth 2.0 is renewed (RFC 6749, section 6), as each network wants to be asked for it.

Sources, read on 2026-11-27: https://docs.x.com/fundamentals/authentication/oauth-2-0/user-access-token
https://learn.microsoft.com/linkedin/shared/authentication/programmatic-refresh-tokens and
https://developers.tiktok.com/doc/oauth-user-access-token-management, where an error may come as 200.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import httpx

from socialflow.platform import egress
from socialflow.platform.clock import now
from socialflow.platform.secrets import SecretUnavailable
from socialflow.publishing.networks import wire
from socialflow.publishing.networks.apps import app_of
from socialflow.publishing.networks.grants import Grant
from socialflow.publishing.networks.port import Later, Refused
from socialflow.publishing.networks.wire import Body, member

LONGEST_LIFE = 400 * 86_400.0
_OVER = "The permission is over or was taken back. Connect the account again, then retry."
_NOT_SET_UP = "This stage has no registration with the network: its operator sets one up."
# What the token's server says of us and not of the account: nobody's account is to be connected again for it.
_OURS = frozenset({"invalid_client", "unauthorized_client"})


@dataclass(frozen=True)
class Renewing:
    """Where a network renews, and how we say who we are: `basic` by the header, else in the form."""

    path: str
    api: str = ""
    origin: str = ""
    """What is asked instead, where the account's server is `api`; one of a stage's own answers for both."""
    basic: bool = False
    name: str = "client_id"
    """What the network calls our id."""


RENEWING: Mapping[str, Renewing] = {
    "linkedin": Renewing("/oauth/v2/accessToken", "https://api.linkedin.com", "https://www.linkedin.com"),
    "tiktok": Renewing("/v2/oauth/token/", name="client_key"),
    "x": Renewing("/2/oauth2/token", basic=True),
}


def refresh(network: str, base_url: str, grant: Grant, *, seconds: float) -> Grant | Refused | Later:
    """Exchange a grant for the next: a refresh token may be taken only once."""
    how = RENEWING[network]
    if grant.refresh is None:
        return Refused("invalid-credentials", _OVER)
    try:
        app = app_of(network)
    except SecretUnavailable as error:
        return Later(error.detail)
    if app is None:
        return Later(_NOT_SET_UP)
    form = {"grant_type": "refresh_token", "refresh_token": grant.refresh, how.name: app.client_id}
    if not how.basic:
        form["client_secret"] = app.client_secret
    origin = how.origin if how.origin and base_url == how.api else base_url
    auth = httpx.BasicAuth(app.client_id, app.client_secret) if how.basic else None
    with egress.client(origin, seconds=seconds, headers={"Accept": "application/json"}) as client:
        request = client.build_request("POST", how.path, data=form)
        if auth is not None:
            request = next(auth.auth_flow(request))
        answer = wire.ask(client, request, _refusal)
    return renewed(grant, answer.value) if isinstance(answer, Body) else answer


def renewed(grant: Grant, answer: object) -> Grant | Later:
    """Return what a token's server has granted; a refresh token that it does not name stays the one that was."""
    access, refresh_token, life = (member(answer, name) for name in ("access_token", "refresh_token", "expires_in"))
    if not (isinstance(access, str) and access and access.isascii() and access.isprintable()):
        return Later("The network has answered with no token.")
    lives = float(life) if type(life) in (int, float) and 0 < life <= LONGEST_LIFE else None
    return replace(
        grant,
        access=access,
        refresh=refresh_token if isinstance(refresh_token, str) and refresh_token else grant.refresh,
        expires_at=None if lives is None else now().timestamp() + lives,
    )


def _refusal(response: httpx.Response) -> Refused | None:
    """Return the refusal of a grant; what is wrong with us, and not with it, may be mended and is asked again."""
    if response.status_code not in (200, 400, 401, 403):
        return None
    name = member(wire.value_of(response), "error")
    if name in _OURS or not isinstance(name, str):
        return None
    return Refused("invalid-credentials", _OVER) if name in ("invalid_grant", "invalid_request") else None
