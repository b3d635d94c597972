"""The networks: each speaks one API behind the same questions (`port`)."""

from collections.abc import Callable, Mapping

from socialflow.limits import UnknownNetwork, canonical
from socialflow.publishing.networks.mastodon import Mastodon
from socialflow.publishing.networks.port import Gateway

_GATEWAYS: Mapping[str, Callable[[str, str], Gateway]] = {"mastodon": Mastodon}


def gateway(network: str, *, base_url: str, token: str) -> Gateway:
    """Return the gateway of one account."""
    return _GATEWAYS[supported(network)](base_url, token)


def supported(name: str) -> str:
    """Return a network's name as it is kept; raises `UnknownNetwork` in words."""
    network = canonical(name)
    if network not in _GATEWAYS:
        raise UnknownNetwork(f"{name!r} is not supported. Supported: {', '.join(sorted(_GATEWAYS))}.")
    return network


def goes_out(network: str) -> bool:
    """Tell whether posts go out to a network yet."""
    return network in _GATEWAYS
