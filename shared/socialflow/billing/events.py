"""What happens to a tenant's plan."""

from dataclasses import dataclass
from typing import ClassVar

from socialflow.platform.events import Fact


@dataclass(frozen=True, kw_only=True)
class PlanChanged(Fact):
    """A tenant has another plan; `subject_id` is the tenant's."""

    type: ClassVar[str] = "tenant.plan.changed"
    aggregate: ClassVar[str] = "tenant"

    old: str
    new: str
