"""The networks: each speaks one API behind the same questions (`port`)."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from socialflow.limits import UnknownNetwork, canonical
from socialflow.publishing.content import Route
from socialflow.publishing.networks import bluesky, facebook, instagram, late, linkedin, threads, tiktok, x
from socialflow.publishing.networks.bluesky import Bluesky
from socialflow.publishing.networks.facebook import Facebook
from socialflow.publishing.networks.instagram import Instagram
from socialflow.publishing.networks.late import Late
from socialflow.publishing.networks.linkedin import LinkedIn
from socialflow.publishing.networks.mastodon import Mastodon
from socialflow.publishing.networks.port import Gateway, Later, Refused
from socialflow.publishing.networks.threads import Threads
from socialflow.publishing.networks.tiktok import TikTok
from socialflow.publishing.networks.x import X

_GATEWAYS: Mapping[str, Callable[[str, str], Gateway]] = {
    "bluesky": Bluesky,
    "facebook": Facebook,
    "instagram": Instagram,
    "linkedin": LinkedIn,
    "mastodon": Mastodon,
    "threads": Threads,
    "tiktok": TikTok,
    "x": X,
}
CREDENTIALS: Mapping[str, tuple[str, ...]] = {"bluesky": ("handle", "app_password"), "mastodon": ("access_token",)}
"""What a person gives to connect an account; a network that is not here is connected by signing in there."""
HOMES: Mapping[str, str] = {
    "bluesky": "https://bsky.social",
    "facebook": facebook.HOME,
    "instagram": instagram.HOME,
    "linkedin": linkedin.HOME,
    "threads": threads.HOME,
    "tiktok": tiktok.HOME,
    "x": x.HOME,
}
"""The server where an account is that names none; a network without one has many servers alike."""

REVOKING = frozenset({"bluesky", "tiktok", "x"})
"""Networks that take back what was granted; at the others it is taken back in the account's settings there."""

FETCHES = frozenset({"facebook", "instagram", "threads", "tiktok"})
"""Networks that fetch media themselves: they are told where from."""


class Reached(Protocol):
    """An account as another context has it: on which network, and by which way it is reached."""

    @property
    def network(self) -> str:
        """Its network."""

    @property
    def base_url(self) -> str:
        """Where is called: its own server, or Late."""

    @property
    def route(self) -> Route:
        """By which way."""

    @property
    def late_account(self) -> str | None:
        """Late's id of it."""

    @property
    def capabilities(self) -> Mapping[str, Any]:
        """What its own server can do."""


def reached(account: Reached, token: str) -> Gateway:
    """Return the gateway of a connected account, by the way by which it is reached."""
    if account.route == "late":
        assert account.late_account is not None  # it is reached by it
        return Late(account.base_url, token, account.network, account.late_account)
    return gateway(account.network, base_url=account.base_url, token=token)


def capabilities(account: Reached) -> Mapping[str, Any]:
    """Return what can be done where a connected account is reached."""
    return late.CAPABILITIES if account.route == "late" else account.capabilities


def gateway(network: str, *, base_url: str, token: str) -> Gateway:
    """Return the gateway of one account."""
    return _GATEWAYS[supported(network)](base_url, token)


def log_in(network: str, base_url: str, given: Mapping[str, str], *, seconds: float) -> str | Refused | Later:
    """Return the token to keep for what a person gives (`CREDENTIALS`)."""
    if supported(network) == "bluesky":
        return bluesky.log_in(base_url, given["handle"], given["app_password"], seconds=seconds)
    return given["access_token"]


def supported(name: str) -> str:
    """Return a network's name as it is kept; raises `UnknownNetwork` in words."""
    network = canonical(name)
    if network not in _GATEWAYS:
        raise UnknownNetwork(f"{name!r} is not supported. Supported: {', '.join(sorted(_GATEWAYS))}.")
    return network
