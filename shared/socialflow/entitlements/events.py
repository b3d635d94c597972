"""What happens to a tenant's entitlements."""

from dataclasses import dataclass
from typing import ClassVar

from socialflow.platform.events import Fact


@dataclass(frozen=True, kw_only=True)
class PlanWarning(Fact):
    """A tenant has come close to a limit of its plan; `subject_id` is the tenant's."""

    type: ClassVar[str] = "tenant.plan.warning"
    aggregate: ClassVar[str] = "tenant"

    meter: str
    used: int
    limit: int
    period: str
