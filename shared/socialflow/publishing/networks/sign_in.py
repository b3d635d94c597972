"""Signing in at a network so that it lets us post: the authorization code of OAuth 2.0 (RFC 6749, with PKCE, RFC 7636).

Sources, read on 2026-11-27: docs.x.com (oauth-2-0), learn.microsoft.com/linkedin (authorization-code-flow),
developers.facebook.com (instagram-login/business-login, threads/get-started, pages-api/getting-started),
developers.tiktok.com/doc/login-kit-web, docs.joinmastodon.org/client/authorized.
"""

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx

from socialflow.platform import egress
from socialflow.publishing.networks import graph, linkedin_api, oauth, wire
from socialflow.publishing.networks.grants import App, Grant
from socialflow.publishing.networks.oauth import Us
from socialflow.publishing.networks.port import Later, Refused
from socialflow.publishing.networks.wire import Body, member


@dataclass(frozen=True)
class SignIn:
    """How a network lets people in, and whom: addresses, what is asked for, and how its answers become tokens."""

    authorize: str
    token: str
    scopes: tuple[str, ...]
    joined: str = " "
    name: str = "client_id"
    basic: bool = False
    pkce: bool = False
    longer: tuple[str, str, str] | None = None
    """An address that gives a token of weeks for one of an hour, the kind that it wants named, and what the old is."""


@dataclass(frozen=True)
class Choice:
    """A place where posts may go with what was granted: its name there, and the token to keep for it."""

    name: str
    token: str


_FB = f"https://graph.facebook.com/{graph.VERSION}"
NETWORKS: Mapping[str, SignIn] = {
    "facebook": SignIn(
        f"https://www.facebook.com/{graph.VERSION}/dialog/oauth",
        f"{_FB}/oauth/access_token",
        (
            "pages_show_list",
            "pages_read_engagement",
            "pages_manage_posts",
            "pages_manage_engagement",
            "pages_read_user_content",
        ),
        joined=",",
        longer=(f"{_FB}/oauth/access_token", "fb_exchange_token", "fb_exchange_token"),
    ),
    "instagram": SignIn(
        "https://www.instagram.com/oauth/authorize",
        "https://api.instagram.com/oauth/access_token",
        ("instagram_business_basic", "instagram_business_content_publish", "instagram_business_manage_comments"),
        joined=",",
        longer=("https://graph.instagram.com/access_token", "ig_exchange_token", "access_token"),
    ),
    "linkedin": SignIn(
        "https://www.linkedin.com/oauth/v2/authorization",
        "https://www.linkedin.com/oauth/v2/accessToken",
        ("openid", "profile", "w_member_social"),
    ),
    "mastodon": SignIn("/oauth/authorize", "/oauth/token", ("read", "write"), pkce=True),
    "threads": SignIn(
        "https://threads.net/oauth/authorize",
        "https://graph.threads.net/oauth/access_token",
        (
            "threads_basic",
            "threads_content_publish",
            "threads_delete",
            "threads_manage_replies",
            "threads_read_replies",
        ),
        joined=",",
        longer=("https://graph.threads.net/access_token", "th_exchange_token", "access_token"),
    ),
    "tiktok": SignIn(
        "https://www.tiktok.com/v2/auth/authorize/",
        "https://open.tiktokapis.com/v2/oauth/token/",
        ("user.info.basic", "video.publish", "video.list"),
        joined=",",
        name="client_key",
    ),
    "x": SignIn(
        "https://x.com/i/oauth2/authorize",
        "https://api.x.com/2/oauth2/token",
        ("tweet.read", "tweet.write", "users.read", "media.write", "offline.access"),
        basic=True,
        pkce=True,
    ),
}
REGISTERS = "mastodon"
"""The network with many servers alike, each of which registers us when it is asked."""


@dataclass(frozen=True)
class Begun:
    """One sign-in under way: where, what the network hands back, and what only we know of it."""

    network: str
    server: str | None
    """The origin that stands in for all of the network's; None: its own."""
    app: App
    redirect_uri: str
    state: str
    verifier: str


def register(base_url: str, redirect_uri: str, *, seconds: float) -> App | Refused | Later:
    """Register us with a Mastodon server."""
    body = {"client_name": "SocialFlow", "redirect_uris": redirect_uri, "scopes": " ".join(NETWORKS[REGISTERS].scopes)}
    with egress.client(base_url, seconds=seconds) as client:
        told = wire.ask(client, client.build_request("POST", "/api/v1/apps", json=body), _unwilling)
    if not isinstance(told, Body):
        return told
    client_id, secret = member(told.value, "client_id"), member(told.value, "client_secret")
    if not (isinstance(client_id, str) and client_id and isinstance(secret, str)):
        return Refused("network-refused", "The server does not answer as Mastodon does.")
    return App(client_id, secret)


def address(begun: Begun) -> str:
    """Return where the member's browser goes to sign in."""
    how = NETWORKS[begun.network]
    query = {
        "response_type": "code",
        how.name: begun.app.client_id,
        "redirect_uri": begun.redirect_uri,
        "scope": how.joined.join(begun.app.scopes or how.scopes),
        "state": begun.state,
    }
    if how.pkce:
        digest = hashlib.sha256(begun.verifier.encode()).digest()
        query["code_challenge"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        query["code_challenge_method"] = "S256"
    return f"{_at(begun, how.authorize)}?{urlencode(query)}"


def exchanged(begun: Begun, code: str, *, seconds: float) -> list[Choice] | Refused | Later:
    """Exchange the code that the network has handed back; return the places where posts may go."""
    how, app = NETWORKS[begun.network], begun.app
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": begun.redirect_uri}
    if how.pkce:
        form["code_verifier"] = begun.verifier
    where = _at(begun, how.token)
    told = _said(oauth.posted(where, form, Us(app, how.name, how.basic), _unwilling, seconds=seconds))
    if isinstance(told, Refused | Later):
        return told
    rows = member(told, "data")  # Instagram answers with a list of one
    grant: Grant | Refused | Later = oauth.renewed(Grant(""), rows[0] if isinstance(rows, list) and rows else told)
    if isinstance(grant, Grant) and how.longer is not None:
        grant = _longer(begun, how.longer, grant, seconds)
    if not isinstance(grant, Grant):
        return grant
    return _PLACES.get(begun.network, _one)(begun, grant, seconds)


def _longer(begun: Begun, how: tuple[str, str, str], grant: Grant, seconds: float) -> Grant | Refused | Later:
    where, kind, old = how
    query = {"grant_type": kind, "client_secret": begun.app.client_secret, old: grant.access}
    if begun.network == "facebook":
        query["client_id"] = begun.app.client_id
    told = _asked(_at(begun, where), seconds, params=query)
    return told if isinstance(told, Refused | Later) else oauth.renewed(grant, told)


def _one(_begun: Begun, grant: Grant, _seconds: float) -> list[Choice] | Refused | Later:
    return [Choice("", grant.document())]


def _mastodon(_begun: Begun, grant: Grant, _seconds: float) -> list[Choice] | Refused | Later:
    return [Choice("", grant.access)]  # it does not end


def _pages(begun: Begun, grant: Grant, seconds: float) -> list[Choice] | Refused | Later:
    """Return the Pages of a person, each with a token of its own, which does not end."""
    headers = {"Authorization": f"Bearer {grant.access}"}
    query = {"fields": "id,name,access_token", "limit": "100"}
    told = _asked(_at(begun, f"{_FB}/me/accounts"), seconds, params=query, headers=headers)
    if isinstance(told, Refused | Later):
        return told
    found = []
    for page in member(told, "data") or []:
        token, name = member(page, "access_token"), member(page, "name")
        if isinstance(token, str) and token and isinstance(name, str):
            found.append(Choice(name[:200], Grant(token).document()))
    return found or Refused("nothing-granted", "No Page was shared with us. Choose at least one when you allow it.")


def _organisations(begun: Begun, grant: Grant, seconds: float) -> list[Choice] | Refused | Later:
    """Return the member, and the organisations that they may post for, where we may ask for those."""
    found = [Choice("", grant.document())]
    if "w_organization_social" not in (begun.app.scopes or ()):
        return found
    api, headers = "https://api.linkedin.com/rest", linkedin_api.headers(grant.access)
    query = {"q": "roleAssignee", "role": "ADMINISTRATOR", "state": "APPROVED", "count": "100"}
    told = _asked(_at(begun, f"{api}/organizationAcls"), seconds, params=query, headers=headers)
    if isinstance(told, Refused | Later):
        return told
    for one in member(told, "elements") or []:
        urn = member(one, "organization")
        if not isinstance(urn, str) or not urn.startswith("urn:li:organization:") or not urn[20:].isdecimal():
            continue
        page = _asked(_at(begun, f"{api}/organizations/{quote(urn[20:])}"), seconds, headers=headers)
        name = member(page, "localizedName")
        shown = name if isinstance(name, str) and name else urn
        more = {"author": urn, "name": shown[:200]}
        found.append(Choice(shown[:200], replace(grant, more=more).document()))
    return found


_PLACES: Mapping[str, Callable[[Begun, Grant, float], list[Choice] | Refused | Later]] = {
    "facebook": _pages,
    "linkedin": _organisations,
    "mastodon": _mastodon,
}


def _at(begun: Begun, url: str) -> str:
    """Return an address of the network's, at the server that stands in for it."""
    if begun.server is None:
        return url
    return begun.server + (urlsplit(url).path if "://" in url else url)


def _asked(url: str, seconds: float, **more: Any) -> Any:
    """Return the JSON of an address, or `Refused` or `Later`."""
    parts = urlsplit(url)
    with egress.client(f"{parts.scheme}://{parts.netloc}", seconds=seconds) as client:
        return _said(wire.ask(client, client.build_request("GET", parts.path, **more), _unwilling))


def _said(told: Body | Refused | Later) -> Any:
    return (_refused(told.value) or told.value) if isinstance(told, Body) else told


def _unwilling(response: httpx.Response) -> Refused | None:
    if response.status_code not in (400, 401, 403, 404, 422):
        return None
    return _refused(wire.value_of(response)) or Refused("sign-in-refused", f"It answers {response.status_code}.")


def _refused(value: object) -> Refused | None:
    """Return what an answer says against it: some networks answer 200 with an error."""
    error = member(value, "error")
    if error is None:
        return None
    named = error if isinstance(error, str) else member(error, "code")
    if named == "ok":
        return None
    said = member(value, "error_description") or member(error, "message") or named
    return Refused("sign-in-refused", f"The network says: {wire.line(str(said)).rstrip('. ')}.")
