"""Facts about who belongs to a tenant; the subject is the user."""

from dataclasses import dataclass
from typing import ClassVar

from socialflow.platform.events import Fact


@dataclass(frozen=True, kw_only=True)
class UserJoined(Fact):
    """Somebody belongs to the tenant, by Clerk's word."""

    type: ClassVar[str] = "user.joined"
    aggregate: ClassVar[str] = "member"

    role: str


@dataclass(frozen=True, kw_only=True)
class UserRemoved(Fact):
    """Somebody belongs to the tenant no more, by Clerk's word."""

    type: ClassVar[str] = "user.removed"
    aggregate: ClassVar[str] = "member"

    role: str
