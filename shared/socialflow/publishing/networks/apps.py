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
    return App(client_id, client_secret) if isinstance(client_id, str) and isinstance(client_secret, str) else None


def _document(arn: str) -> dict[str, Any]:
    """Return the secret; one that nobody has set yet has a random value and holds nothing."""
    try:
        found = secrets.document(arn)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
