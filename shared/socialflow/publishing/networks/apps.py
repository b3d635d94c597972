"""What we are registered as with networks that let nobody else renew a grant: the operator's, from a secret."""

from typing import Any

from socialflow.platform import secrets
from socialflow.platform.settings import NetworkSettings
from socialflow.publishing.networks.grants import App


def app_of(network: str) -> App | None:
    """Return our registration with a network; None where this stage has none. Raises `SecretUnavailable`."""
    arn = NetworkSettings.from_env().network_apps_secret
    found = _document(arn).get(network) if arn else None
    if not isinstance(found, dict):
        return None
    client_id, client_secret = found.get("client_id"), found.get("client_secret", "")
    if not isinstance(client_id, str) or not isinstance(client_secret, str):
        return None
    return App(client_id, client_secret, tuple(str(found.get("scopes") or "").split()))


def _document(arn: str) -> dict[str, Any]:
    """Return the secret; one that nobody has set yet has a random value and holds nothing."""
    try:
        found = secrets.document(arn)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def home(network: str) -> str | None:
    """Return the origin that this stage calls in place of a network's own; None: it calls that."""
    homes = dict(one.split("=", 1) for one in NetworkSettings.from_env().network_homes if "=" in one)
    return homes.get(network)
