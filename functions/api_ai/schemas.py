"""The wire shapes of AI: models, keys, and what it has cost. No shape that leaves has a key."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from socialflow.ai.catalogue import Model
from socialflow.ai.key_repository import StoredKey
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


class ModelOut(BaseModel):
    """A model that may write captions, and what that costs."""

    model: str
    title: str
    provider: str
    usd_per_million_tokens_in: float
    usd_per_million_tokens_out: float
    usd_per_1000_captions: Annotated[float, Field(description="Of usual length: a picture, short notes, one caption.")]
    available_by: Annotated[
        str | None, Field(description="platform, or tenant: a key of your own; null: set a key of the provider first.")
    ]

    @classmethod
    def of(cls, model: Model, available_by: KeyOwner | None) -> Self:
        """Shape a model."""
        return cls(
            model=model.name,
            title=model.title,
            provider=model.provider,
            usd_per_million_tokens_in=model.usd_in,
            usd_per_million_tokens_out=model.usd_out,
            usd_per_1000_captions=model.usd_per_1000_captions,
            available_by=available_by,
        )


class ModelsOut(BaseModel):
    """The models that a tenant may choose from."""

    items: list[ModelOut]


class AiKeyIn(BaseModel):
    """A key of your own of a provider. It is tried before it is kept, and never shown again."""

    model_config = ConfigDict(extra="forbid")

    key: Annotated[SecretStr, Field(min_length=1, max_length=512)]
    base_url: Annotated[
        str | None, Field(max_length=300, description="Of a compatible server alone: https://models.example.com/v1")
    ] = None
    model: Annotated[str | None, Field(max_length=120, description="The model that is asked on that server.")] = None


class AiKeyOut(BaseModel):
    """A key as it may be seen: its last letters."""

    provider: str
    hint: str
    base_url: str | None
    model: str | None
    version: Annotated[int, Field(description="Counts how often it was set.")]
    verified_at: datetime

    @classmethod
    def of(cls, kept: StoredKey) -> Self:
        """Shape a key."""
        return cls(
            provider=kept.provider,
            hint=f"…{kept.hint}",
            base_url=kept.base_url,
            model=kept.model,
            version=kept.version,
            verified_at=kept.verified_at,
        )


class AiKeysOut(BaseModel):
    """The tenant's keys, and the providers of which there may be one."""

    items: list[AiKeyOut]
    providers: list[str]


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
