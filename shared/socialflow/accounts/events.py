"""What happens to accounts."""

from dataclasses import dataclass
from datetime import datetime
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
    """An account was connected, or got a new token; by nobody: its network lets us in again."""

    type: ClassVar[str] = "account.connected"
    by: UUID | None


@dataclass(frozen=True, kw_only=True)
class AccountExpiring(AccountFact):
    """What was granted ends soon, and cannot be renewed without a person."""

    type: ClassVar[str] = "account.expiring"
    ends_at: datetime


@dataclass(frozen=True, kw_only=True)
class AccountDisconnected(AccountFact):
    """An account's token was thrown away; by nobody: its network takes it no more, for the reason's code."""

    type: ClassVar[str] = "account.disconnected"
    by: UUID | None
    reason: str | None = None
