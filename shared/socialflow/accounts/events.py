"""What happens to accounts."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from socialflow.platform.events import Fact


@dataclass(frozen=True, kw_only=True)
class AccountFact(Fact):
    """A fact about an account; `subject_id` is the account's."""

    aggregate: ClassVar[str] = "account"
    network: str


@dataclass(frozen=True, kw_only=True)
class AccountConnected(AccountFact):
    """An account was connected, or got a new token."""

    type: ClassVar[str] = "account.connected"
    by: UUID


@dataclass(frozen=True, kw_only=True)
class AccountDisconnected(AccountFact):
    """An account's token was thrown away."""

    type: ClassVar[str] = "account.disconnected"
    by: UUID
