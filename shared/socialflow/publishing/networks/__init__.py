"""The networks: each speaks one API behind the same questions (`port`)."""

from collections.abc import Callable, Mapping

from socialflow.limits import UnknownNetwork, canonical
from socialflow.publishing.networks import bluesky, facebook, instagram, linkedin, threads, tiktok, x
from socialflow.publishing.networks.bluesky import Bluesky
from socialflow.publishing.networks.facebook import Facebook
from socialflow.publishing.networks.instagram import Instagram
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

FETCHES = frozenset({"facebook", "instagram", "threads", "tiktok"})
"""Networks that fetch media themselves: they are told where from."""


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
