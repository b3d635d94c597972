"""The wire shapes of AI: what it has cost."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Self

from pydantic import BaseModel, Field

from socialflow.ai.model import MICROS, Caps, KeyOwner, Purse, Spending


class SpendingOut(BaseModel):
    """What was spent on one day, on one model or by one member."""

    what: Annotated[str | None, Field(description="The day, the model or the member's id; null: nobody asked for it.")]
    calls: int
    answered: Annotated[int, Field(description="Calls that gave an answer.")]
    tokens_in: int
    tokens_out: int
    cost_usd: Annotated[float, Field(description="By LiteLLM's table of prices; of both owners' keys.")]
    own_key_usd: Annotated[float, Field(description="Of it what your own providers' keys have cost.")]
    latency_ms: Annotated[int | None, Field(description="How long an answer took, on average.")]

    @classmethod
    def of(cls, spent: Spending) -> Self:
        """Shape a line."""
        return cls(
            what=spent.what,
            calls=spent.calls,
            answered=spent.answered,
            tokens_in=spent.tokens_in,
            tokens_out=spent.tokens_out,
            cost_usd=spent.micros / MICROS,
            own_key_usd=spent.own_key_micros / MICROS,
            latency_ms=spent.latency_ms,
        )


class AiBudgetOut(BaseModel):
    """What may be spent this month under one owner's keys, and what is left."""

    key_owner: Annotated[str, Field(description="platform: what your plan includes; tenant: your own keys.")]
    cap_usd: Annotated[float | None, Field(description="Null: without an end.")]
    spent_usd: float
    reserved_usd: Annotated[float, Field(description="For calls that are under way.")]
    left_usd: float | None
    cap_tokens: int | None
    spent_tokens: int

    @classmethod
    def of(cls, key_owner: KeyOwner, purse: Purse, caps: Caps) -> Self:
        """Shape a purse."""
        left = None if caps.micros is None else max(0, caps.micros - purse.spent_micros - purse.reserved_micros)
        return cls(
            key_owner=key_owner,
            cap_usd=None if caps.micros is None else caps.micros / MICROS,
            spent_usd=purse.spent_micros / MICROS,
            reserved_usd=purse.reserved_micros / MICROS,
            left_usd=None if left is None else left / MICROS,
            cap_tokens=caps.tokens,
            spent_tokens=purse.spent_tokens,
        )


class AiUsageOut(BaseModel):
    """What models have cost from a day to another, both included (UTC), and this month's budgets."""

    since: date
    until: date
    by: str
    items: list[SpendingOut]
    budgets: list[AiBudgetOut]

    @classmethod
    def of(cls, window: tuple[date, date], by: str, spent: Sequence[Spending], budgets: list[AiBudgetOut]) -> Self:
        """Shape an answer."""
        return cls(
            since=window[0],
            until=window[1],
            by=by,
            items=[SpendingOut.of(line) for line in spent],
            budgets=budgets,
        )
