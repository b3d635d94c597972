"""Tokens of accounts, sealed and opened: calls to KMS, never inside a transaction."""

from socialflow.accounts.model import Credentials, Profile
from socialflow.platform import crypto
from socialflow.platform.tenancy import Tenant


def seal(tenant: Tenant, profile: Profile, token: str) -> bytes:
    """Seal a token for its tenant and account."""
    return crypto.seal(tenant, profile.purpose, token.encode())


def token(tenant: Tenant, credentials: Credentials) -> str:
    """Open an account's token; raises `crypto.CannotOpen`."""
    return crypto.open_sealed(tenant, credentials.account.profile.purpose, credentials.sealed).decode()
