"""Facts about who belongs to a tenant, where the subject is the user, and about who of ours looks in."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

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


@dataclass(frozen=True, kw_only=True)
class SupportAccessGranted(Fact):
    """An operator of ours may look into the tenant until then; who and why, its people read."""

    type: ClassVar[str] = "tenant.support.granted"
    aggregate: ClassVar[str] = "tenant"

    grant_id: UUID
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class SupportAccessEnded(Fact):
    """An operator may look in no more, before the time was over."""

    type: ClassVar[str] = "tenant.support.ended"
    aggregate: ClassVar[str] = "tenant"

    grant_id: UUID
