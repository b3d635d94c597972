"""Connected accounts, and why one cannot be connected."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from socialflow.errors import Conflict, Invalid, NotFound

AccountState = Literal["connected", "expiring", "lapsed", "disconnected"]
"""Expiring: it stops working soon, unless it is connected again. Lapsed: its network lets us in no more."""
ConnectionState = Literal["begun", "completing", "choosing", "done"]
Route = Literal["direct", "late"]
"""How an account is reached: by its network's own API, or by way of Late."""
LATE_KEY, LATE_WEBHOOKS = "late key", "late webhooks"
"""What the tenant's one key of Late, and the secret of its webhooks, are sealed for."""


class UnknownAccount(NotFound):
    """There is no such account here."""

    code, title = "unknown-account", "No such account"


class CredentialsRefused(Invalid):
    """The network does not take the token, or the account."""

    code, title = "credentials-refused", "The network does not take these credentials"


class IncompleteLogin(Invalid):
    """What a network asks for to connect an account was not all sent, or something else was."""

    code, title = "incomplete-login", "That network asks for something else"


class NotConnected(Conflict):
    """Late is asked for, and there is no key of it."""

    code, title = "late-not-connected", "Late is not connected"


class NotReached(Invalid):
    """Late does not reach what is asked for."""

    code, title = "not-reached", "Late does not reach that"


class UnknownLateKey(NotFound):
    """There is no key of Late here."""

    code, title = "unknown-late-key", "No key of Late"


class ServerUnusable(Invalid):
    """No server of the network answers at the address."""

    code, title = "server-unusable", "No usable server at that address"


@dataclass(frozen=True)
class Profile:
    """Whose account it is, as the network says."""

    network: str
    base_url: str
    remote_account: str
    remote_name: str
    capabilities: Mapping[str, Any] = field(default_factory=dict)

    @property
    def purpose(self) -> str:
        """What its token is sealed for: this account and no other."""
        return f"account {self.network} {self.base_url} {self.remote_account}"


@dataclass(frozen=True)
class Account:
    """A connected account. Its token is not part of it."""

    id: UUID
    network: str
    state: AccountState
    base_url: str
    remote_account: str
    remote_name: str
    capabilities: Mapping[str, Any]
    connected_by: UUID
    connected_at: datetime
    late_account: str | None = None
    """Late's id of it, where it is connected there too."""
    has_token: bool = True
    """Whether there is a token of its own, so that its network can be called."""
    route: Route = "direct"
    """By which way it is reached: that of its credentials."""
    looked_at: datetime | None = None
    """When its network last said how it stands."""
    ends_at: datetime | None = None
    """When what was granted ends for good, where that is known."""
    quota_used: int | None = None
    quota_most: int | None = None
    quota_at: datetime | None = None
    """How many posts it has had of those that its network gives it for 24 hours, when the network last said so."""
    trouble_code: str | None = None
    trouble_detail: str | None = None
    """Why its network did not let us in when it was last asked."""

    @property
    def profile(self) -> Profile:
        """Whose account it is."""
        return Profile(self.network, self.base_url, self.remote_account, self.remote_name, self.capabilities)

    def way(self, wanted: Route) -> Route:
        """Return by which way it is reached where its tenant wants one: that, if it is connected by it."""
        if wanted == "late":
            return "late" if self.late_account else "direct"
        return "direct" if self.has_token or not self.late_account else "late"


@dataclass(frozen=True)
class Credentials:
    """An account with its sealed token: opened outside the transaction."""

    account: Account
    sealed: bytes

    @property
    def purpose(self) -> str:
        """What is sealed is sealed for."""
        return LATE_KEY if self.account.route == "late" else self.account.profile.purpose


@dataclass(frozen=True)
class LateKey:
    """What is known of a tenant's key of Late; the key itself is not part of it, and the webhooks' secret is sealed."""

    webhook_token: str
    webhook_secret: bytes
    verified_at: datetime
    set_by: UUID


@dataclass(frozen=True)
class Connection:
    """A sign-in under way. Its secret is sealed."""

    id: UUID
    network: str
    base_url: str
    redirect_uri: str
    state: ConnectionState
    state_sha256: bytes
    secret: bytes
    begun_by: UUID
    expires_at: datetime

    @property
    def purpose(self) -> str:
        """What its secret is sealed for."""
        return f"connection {self.id}"
