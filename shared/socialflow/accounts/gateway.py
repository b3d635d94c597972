"""Tokens of accounts, sealed and opened: calls to KMS, never inside a transaction."""

from socialflow.accounts.model import LATE_KEY, LATE_WEBHOOKS, Credentials, Profile
from socialflow.platform import crypto
from socialflow.platform.tenancy import Tenant


def seal(tenant: Tenant, profile: Profile, token: str) -> bytes:
    """Seal a token for its tenant and account."""
    return crypto.seal(tenant, profile.purpose, token.encode())


def token(tenant: Tenant, credentials: Credentials) -> str:
    """Open an account's token; raises `crypto.CannotOpen`."""
    return crypto.open_sealed(tenant, credentials.purpose, credentials.sealed).decode()


def seal_late(tenant: Tenant, key: str) -> bytes:
    """Seal a tenant's key of Late."""
    return crypto.seal(tenant, LATE_KEY, key.encode())


def seal_hook(tenant: Tenant, secret: str) -> bytes:
    """Seal what Late signs a tenant's webhooks with."""
    return crypto.seal(tenant, LATE_WEBHOOKS, secret.encode())


def hook_secret(tenant: Tenant, sealed: bytes) -> bytes:
    """Open what Late signs a tenant's webhooks with; raises `crypto.CannotOpen`."""
    return crypto.open_sealed(tenant, LATE_WEBHOOKS, sealed)
