"""A place on every network: a server on loopback with an account of acme's, for tests that hold for all of them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

import pytest

from socialflow.accounts.model import Profile
from socialflow.platform import settings
from socialflow.platform.clock import now
from socialflow.publishing.networks.grants import Grant
from tests import bluesky
from tests.bluesky import Pds
from tests.integration.publishing.conftest import Desk
from tests.integration.publishing.places import Place, granted, reachable
from tests.peers import graph, late, linkedin, tiktok, x

HOUR = 3_600.0
LATE_KEY = "sk_acme_0123"


@contextmanager
def at_mastodon(desk: Desk, *, keeps_keys: bool = True) -> Iterator[Place]:
    """The independent mastodon_mock; without keys as a server that forgets them."""
    desk.mastodon.wire.strips_keys = not keeps_keys
    yield Place(
        network="mastodon",
        desk=desk,
        wire=desk.mastodon.wire,
        account=lambda: desk.account(keeps_keys=keeps_keys),
        listed=desk.mastodon.every_text,
        mutation=("POST", "/api/v1/statuses"),
        evidence=("GET", "/api/v1/accounts/"),
        repeats=keeps_keys,
        answered=desk.mastodon.answered,
    )


@contextmanager
def at_bluesky(desk: Desk, server: Callable[[], AbstractContextManager[Pds]] = bluesky.stand_in) -> Iterator[Place]:
    """Our stand-in for a PDS, which the tests of Bluesky hold against the real one; or that."""
    with server() as pds, reachable(pds.host):
        owner = pds.owner()
        login = {"handle": owner.handle, "app_password": owner.app_password}

        def account() -> str:
            reply = desk.admin.post("/v1/accounts", {"network": "bluesky", "base_url": pds.url, **login})
            assert reply.status in (200, 201), reply
            return str(reply.json["id"])

        yield Place(
            network="bluesky",
            desk=desk,
            wire=pds.wire,
            account=account,
            listed=lambda: pds.texts(owner),
            mutation=("POST", "/xrpc/com.atproto.repo.putRecord"),
            evidence=("GET", "/xrpc/com.atproto.repo.getRecord"),
            repeats=True,
            answered=lambda: pds.answered(owner),
        )


@contextmanager
def at_x(desk: Desk) -> Iterator[Place]:
    """X, as its own client knows it."""
    with x.running() as server, reachable(server.host):
        user = server.user()
        grant = Grant(user.token, user.refresh, now().timestamp() + HOUR)
        profile = Profile("x", server.url, user.id, user.username)
        yield Place(
            network="x",
            desk=desk,
            wire=server.wire,
            account=lambda: granted(desk, profile, grant),
            listed=lambda: [said for said, _ in user.said],
            mutation=("POST", "/2/tweets"),
            evidence=("GET", f"/2/users/{user.id}/tweets"),
            answered=lambda: list(user.answered),
        )


@contextmanager
def at_linkedin(desk: Desk) -> Iterator[Place]:
    """LinkedIn."""
    with linkedin.running() as server, reachable(server.host):
        member = server.member()
        grant = Grant(member.token, member.refresh, now().timestamp() + HOUR)
        profile = Profile("linkedin", server.url, member.urn, "Acme")
        yield Place(
            network="linkedin",
            desk=desk,
            wire=server.wire,
            account=lambda: granted(desk, profile, grant),
            listed=lambda: server.said(member),
            mutation=("POST", "/rest/posts"),
            evidence=("GET", "/rest/posts"),
            answered=lambda: server.answered(member),
            replying=("POST", "/rest/socialActions/"),
        )


def _at_graph(network: str, mutation: str, evidence: str) -> Callable[[Desk], AbstractContextManager[Place]]:
    @contextmanager
    def at(desk: Desk) -> Iterator[Place]:
        with graph.running() as server, reachable(server.host):
            owner = server.account()
            server.quota = 1_000_000
            ends = None if network == "facebook" else now().timestamp() + HOUR
            profile, grant = Profile(network, server.url, owner.id, owner.name), Grant(owner.token, expires_at=ends)
            yield Place(
                network=network,
                desk=desk,
                wire=server.wire,
                account=lambda: granted(desk, profile, grant),
                listed=owner.said,
                mutation=("POST", mutation.format(owner.id)),
                evidence=("GET", evidence.format(owner.id)),
                media_first=network == "instagram",
                answered=owner.answered,
                replying=None if network == "threads" else ("POST", "/v25.0/1"),
            )

    return at


@contextmanager
def at_tiktok(desk: Desk) -> Iterator[Place]:
    """TikTok, which works on what it has taken."""
    with tiktok.running() as server, reachable(server.host):
        creator = server.creator()
        grant = Grant(creator.token, creator.refresh, now().timestamp() + HOUR)
        profile = Profile("tiktok", server.url, creator.open_id, "Acme")
        yield Place(
            network="tiktok",
            desk=desk,
            wire=server.wire,
            account=lambda: granted(desk, profile, grant),
            listed=creator.said,
            mutation=("POST", "/v2/post/publish/content/init/"),
            evidence=("POST", "/v2/post/publish/status/fetch/"),
            media_first=True,
        )


@contextmanager
def at_late(desk: Desk) -> Iterator[Place]:
    """X by way of Late, whose own client the stand-in serves."""
    with (
        late.running() as server,
        pytest.MonkeyPatch.context() as patch,
        reachable(server.host),
    ):
        patch.setenv("SOCIALFLOW_LATE_API_BASE", server.url)
        settings.forget()
        theirs = server.account("twitter", LATE_KEY)

        def account() -> str:
            body = {"api_key": LATE_KEY, "accounts": [theirs.id]}
            reply = desk.admin.request("PUT", "/v1/networks/late", body)
            assert reply.status == 200, reply
            return str(next(one["account_id"] for one in reply.json["accounts"] if one["id"] == theirs.id))

        yield Place(
            network="x",
            desk=desk,
            wire=server.wire,
            account=account,
            listed=lambda: [text for text, _ in server.said[theirs.id]],
            mutation=("PUT", "/api/v1/posts/"),
            evidence=("GET", "/api/v1/posts/"),
            repeats=True,
        )
    settings.forget()


def forgetful_mastodon(desk: Desk) -> AbstractContextManager[Place]:
    """A Mastodon-like server that keeps no keys."""
    return at_mastodon(desk, keeps_keys=False)


EVERYWHERE: Mapping[str, Callable[..., AbstractContextManager[Place]]] = {
    "bluesky": at_bluesky,
    "facebook": _at_graph("facebook", "/v25.0/{}/feed", "/v25.0/{}/published_posts"),
    "instagram": _at_graph("instagram", "/v25.0/{}/media_publish", "/v25.0/{}/media"),
    "late": at_late,
    "linkedin": at_linkedin,
    "mastodon": at_mastodon,
    "mastodon without keys": forgetful_mastodon,
    "threads": _at_graph("threads", "/v1.0/{}/threads_publish", "/v1.0/{}/threads"),
    "tiktok": at_tiktok,
    "x": at_x,
}
