"""Facts about a tenant's AI budget; `subject_id` is the tenant's."""

from dataclasses import dataclass
from typing import ClassVar

from socialflow.platform.events import Fact


@dataclass(frozen=True, kw_only=True)
class BudgetFact(Fact):
    """How much of a cap is used: dollars in millionths, tokens one by one."""

    aggregate: ClassVar[str] = "tenant"

    meter: str
    used: int
    cap: int
    period: str
    key_owner: str


@dataclass(frozen=True, kw_only=True)
class BudgetWarning(BudgetFact):
    """Less than a tenth is left."""

    type: ClassVar[str] = "ai.budget.warning"


@dataclass(frozen=True, kw_only=True)
class BudgetExceeded(BudgetFact):
    """A call was refused, as what is left is less than it may come to."""

    type: ClassVar[str] = "ai.budget.exceeded"
