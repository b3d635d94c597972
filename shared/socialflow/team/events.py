"""Facts about a tenant's people."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from socialflow.platform.events import Fact


@dataclass(frozen=True, kw_only=True)
class UserInvited(Fact):
    """An invitation is to be mailed, for the first time or again. It has no address and no link."""

    type: ClassVar[str] = "user.invited"
    aggregate: ClassVar[str] = "invitation"

    role: str
    round: int


@dataclass(frozen=True, kw_only=True)
class UserJoined(Fact):
    """Somebody has accepted an invitation."""

    type: ClassVar[str] = "user.joined"
    aggregate: ClassVar[str] = "member"

    role: str
    invitation: UUID


@dataclass(frozen=True, kw_only=True)
class UserRemoved(Fact):
    """Somebody has left, or was removed."""

    type: ClassVar[str] = "user.removed"
    aggregate: ClassVar[str] = "member"

    role: str
