"""Facts about tenants."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from socialflow.platform.events import Fact


@dataclass(frozen=True, kw_only=True)
class TenantFact(Fact):
    """Something that happened to a tenant as a whole."""

    aggregate: ClassVar[str] = "tenant"


@dataclass(frozen=True, kw_only=True)
class TenantCreated(TenantFact):
    """A tenant has a schema, a role and an owner."""

    type: ClassVar[str] = "tenant.created"


@dataclass(frozen=True, kw_only=True)
class TenantSuspended(TenantFact):
    """A tenant only reads from now on, and publishes nothing."""

    type: ClassVar[str] = "tenant.suspended"


@dataclass(frozen=True, kw_only=True)
class TenantResumed(TenantFact):
    """A suspended tenant goes on."""

    type: ClassVar[str] = "tenant.resumed"


@dataclass(frozen=True, kw_only=True)
class TenantDeleted(TenantFact):
    """Nobody sees the tenant any more; until then an owner may bring it back."""

    type: ClassVar[str] = "tenant.deleted"

    restorable_until: datetime


@dataclass(frozen=True, kw_only=True)
class TenantRestored(TenantFact):
    """An owner has brought a deleted tenant back."""

    type: ClassVar[str] = "tenant.restored"


@dataclass(frozen=True, kw_only=True)
class TenantPurged(TenantFact):
    """Nothing is left of a deleted tenant but its slug."""

    type: ClassVar[str] = "tenant.purged"
