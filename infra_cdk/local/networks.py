"""The social networks of the stack: Mastodon in every one, a real Bluesky server where somebody asks for it."""

import re
import secrets
from collections.abc import Callable, Mapping

import httpx

from infra_cdk.local import servers
from infra_cdk.local.process import LocalError
from infra_cdk.local.servers import Server
from infra_cdk.local.state import State, read_json, write_json

ALWAYS = ("mastodon",)
# The Mastodon server makes this account and its token when it starts.
MASTODON_TOKEN = "mock_token"  # noqa: S105 — published with mastodon-mock
HANDLE = "acme-studio.test"  # the server keeps acme for itself
PUBLIC = {
    "mastodon": "/api/v1/timelines/public",
    "bluesky": f"/xrpc/com.atproto.repo.listRecords?repo={HANDLE}&collection=app.bsky.feed.post",
}
METHODS = "/xrpc/com.atproto.server."
TIMEOUT_S = 30.0


def asked_for(text: str) -> tuple[str, ...]:
    """The stack's networks with those that somebody names, in the order in which they start; raises LocalError."""
    named = [name for name in re.split(r"[\s,]+", text) if name]
    if unknown := [name for name in named if name not in SERVERS]:
        raise LocalError(f"there is no network {unknown[0]!r} on this machine: NETWORKS may name {', '.join(SERVERS)}")
    return tuple(name for name in SERVERS if name in ALWAYS or name in named)


def public(name: str, url: str) -> str:
    """Where a person sees what is published on a network, with a word about it."""
    return f"{url}{PUBLIC[name]}    what is published on the local {name.capitalize()} server"


def mastodon_login(_state: State, url: str) -> dict[str, str]:
    """What connects the account that the Mastodon server begins with."""
    return {"network": "mastodon", "base_url": url, "access_token": MASTODON_TOKEN}


def bluesky_login(state: State, url: str) -> dict[str, str]:
    """What connects acme's account on the Bluesky server, which is made on the first call, with an app password."""
    path = state.home / "bluesky" / "account.json"
    kept = read_json(path)
    if "app_password" not in kept:
        # Written down before it is used: the account may be made by a start that is broken off.
        kept = {"handle": HANDLE, "password": kept.get("password") or secrets.token_urlsafe(24)}
        write_json(path, kept)
        kept["app_password"] = _app_password(url, kept)
        write_json(path, kept)
    return {"network": "bluesky", "base_url": url, "handle": kept["handle"], "app_password": kept["app_password"]}


def _app_password(url: str, account: Mapping[str, str]) -> str:
    """Sign in, or up, and let the server make an app password; raises LocalError."""
    login = {"identifier": account["handle"], "password": account["password"]}
    new = {"handle": account["handle"], "email": f"owner@{HANDLE}", "password": account["password"]}
    try:
        with httpx.Client(base_url=url, timeout=TIMEOUT_S, trust_env=False) as client:
            session = client.post(f"{METHODS}createSession", json=login)
            if session.status_code == httpx.codes.UNAUTHORIZED:
                session = client.post(f"{METHODS}createAccount", json=new)
            headers = {"Authorization": f"Bearer {_told(session, 'accessJwt')}"}
            named = {"name": f"socialflow {secrets.token_hex(4)}"}
            return _told(client.post(f"{METHODS}createAppPassword", json=named, headers=headers), "password")
    except httpx.HTTPError as error:
        raise LocalError(f"the Bluesky server does not answer: {error}") from error


def _told(answer: httpx.Response, name: str) -> str:
    if not answer.is_success:
        raise LocalError(f"the Bluesky server refuses {answer.url} ({answer.status_code}): {answer.text[:500]}")
    found: str = answer.json()[name]
    return found


SERVERS: Mapping[str, Callable[[State], Server]] = {"mastodon": servers.mastodon, "bluesky": servers.bluesky}
LOGINS: Mapping[str, Callable[[State, str], dict[str, str]]] = {"mastodon": mastodon_login, "bluesky": bluesky_login}
