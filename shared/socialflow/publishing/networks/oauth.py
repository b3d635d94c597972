"""A grant of OAuth 2.0 is renewed (RFC 6749, section 6) and given back (RFC 7009), as each network wants it.

Sources, read on 2026-11-27: https://docs.x.com/fundamentals/authentication/oauth-2-0/user-access-token
https://learn.microsoft.com/linkedin/shared/authentication/programmatic-refresh-tokens and
https://developers.tiktok.com/doc/oauth-user-access-token-management, where an error may come as 200. LinkedIn names no
address for giving back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import httpx

from socialflow.platform import egress
from socialflow.platform.clock import now
from socialflow.platform.secrets import SecretUnavailable
from socialflow.publishing.networks import wire
from socialflow.publishing.networks.apps import app_of
from socialflow.publishing.networks.grants import App, Grant
from socialflow.publishing.networks.port import Deletion, Gone, Later, Refused
from socialflow.publishing.networks.wire import Body, member

LONGEST_LIFE = 400 * 86_400.0
_OVER = "The permission is over or was taken back. Connect the account again, then retry."
_NOT_SET_UP = "This stage has no registration with the network: its operator sets one up."
# What the token's server says of us and not of the account: nobody's account is to be connected again for it.
_OURS = frozenset({"invalid_client", "unauthorized_client"})


@dataclass(frozen=True)
class Us:
    """What we are to a network and how it is told: `basic` by the header, else in the form; our id is `name` there."""

    app: App
    name: str
    basic: bool


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
    revoke: str = ""
    revokes: tuple[str, ...] = ()
    """Where it takes back tokens, and which."""


RENEWING: Mapping[str, Renewing] = {
    "linkedin": Renewing("/oauth/v2/accessToken", "https://api.linkedin.com", "https://www.linkedin.com"),
    "tiktok": Renewing("/v2/oauth/token/", name="client_key", revoke="/v2/oauth/revoke/", revokes=("access_token",)),
    "x": Renewing("/2/oauth2/token", basic=True, revoke="/2/oauth2/revoke", revokes=("refresh_token", "access_token")),
}


def refresh(network: str, base_url: str, grant: Grant, *, seconds: float) -> Grant | Refused | Later:
    """Exchange a grant for the next: a refresh token may be taken only once."""
    if grant.refresh is None:
        return Refused("invalid-credentials", _OVER)
    form = {"grant_type": "refresh_token", "refresh_token": grant.refresh}
    answer = _asked(network, base_url, RENEWING[network].path, form, seconds)
    return renewed(grant, answer.value) if isinstance(answer, Body) else answer


def revoke(network: str, base_url: str, grant: Grant, *, seconds: float) -> Deletion:
    """Give a grant back, all of its tokens that the network takes; one that is over is gone."""
    how = RENEWING[network]
    named = {"refresh_token": grant.refresh, "access_token": grant.access}
    for kind in how.revokes:
        token = named[kind]
        if token is None:
            continue
        form = {"token": token, "token_type_hint": kind}
        answer = _asked(network, base_url, how.revoke, form, seconds / len(how.revokes))
        if isinstance(answer, Refused) and answer.code != "invalid-credentials":
            return answer
        if isinstance(answer, Later) or (isinstance(answer, Body) and member(answer.value, "error") is not None):
            return answer if isinstance(answer, Later) else Later("The network has not said that it is given back.")
    return Gone("The network has taken it back.")


def _asked(network: str, base_url: str, path: str, form: dict[str, str], seconds: float) -> Body | Refused | Later:
    """Ask what keeps the network's tokens, as the application that they were granted to."""
    how = RENEWING[network]
    try:
        app = app_of(network)
    except SecretUnavailable as error:
        return Later(error.detail)
    if app is None:
        return Later(_NOT_SET_UP)
    origin = how.origin if how.origin and base_url == how.api else base_url
    return posted(origin + path, form, Us(app, how.name, how.basic), _refusal, seconds=seconds)


def posted(
    address: str, form: Mapping[str, str], us: Us, judge: wire.Judge, *, seconds: float
) -> Body | Refused | Later:
    """Post a form to what keeps a network's tokens, as the application that we are there."""
    parts, app = urlsplit(address), us.app
    said = {**form, us.name: app.client_id} | ({} if us.basic else {"client_secret": app.client_secret})
    headers = {"Accept": "application/json"}
    with egress.client(f"{parts.scheme}://{parts.netloc}", seconds=seconds, headers=headers) as client:
        request = client.build_request("POST", parts.path, data=said)
        if us.basic:
            request = next(httpx.BasicAuth(app.client_id, app.client_secret).auth_flow(request))
        return wire.ask(client, request, judge, empty={})


def renewed(grant: Grant, answer: object) -> Grant | Later:
    """Return what a token's server has granted; a refresh token that it does not name stays the one that was."""
    access, refresh_token, life = (member(answer, name) for name in ("access_token", "refresh_token", "expires_in"))
    if not (isinstance(access, str) and access and access.isascii() and access.isprintable()):
        return Later("The network has answered with no token.")
    return replace(
        grant,
        access=access,
        refresh=refresh_token if isinstance(refresh_token, str) and refresh_token else grant.refresh,
        expires_at=_end(life),
        refresh_ends_at=_end(_first(answer, "refresh_token_expires_in", "refresh_expires_in")) or grant.refresh_ends_at,
    )


def _first(answer: object, *names: str) -> Any:
    return next((told for name in names if (told := member(answer, name)) is not None), None)


def _end(life: object) -> float | None:
    """Return when what lives so many seconds from now on ends, where that can be believed."""
    if isinstance(life, bool) or not isinstance(life, int | float) or not 0 < life <= LONGEST_LIFE:
        return None
    return now().timestamp() + life


def _refusal(response: httpx.Response) -> Refused | None:
    """Return the refusal of a grant; what is wrong with us, and not with it, may be mended and is asked again."""
    if response.status_code not in (200, 400, 401, 403):
        return None
    name = member(wire.value_of(response), "error")
    if name in _OURS or not isinstance(name, str):
        return None
    return Refused("invalid-credentials", _OVER) if name in ("invalid_grant", "invalid_request") else None
