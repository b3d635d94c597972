"""What a call of a model may cost, what a tenant may spend and has spent. Money is whole millionths of a dollar."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from socialflow.ai.catalogue import Model
from socialflow.entitlements.model import limit

KeyOwner = Literal["platform", "tenant"]
Purpose = Literal["caption", "embedding"]
By = Literal["day", "model", "member"]
Meter = Literal["ai_budget_usd", "ai_tokens"]

MICROS = 1_000_000
WARNING = 0.9
"""From this part of a cap on, the tenant is warned."""
RESERVED_FOR = timedelta(minutes=5)
"""How long a call may be under way; its function is ended long before."""
WRAPPING = 1_000
"""Tokens that a provider may add around a question: its own words about the form of the answer."""
LONGEST_WAIT = 3_600.0
"""Seconds for which a caption of an upload waits its turn at the most: a review is not to open hours late."""
EMBEDDINGS_PER_MINUTE = 100


@dataclass(frozen=True)
class Most:
    """What a call may come to at the most: so much is reserved for it."""

    micros: int
    tokens: int


@dataclass(frozen=True)
class Caps:
    """What a tenant may spend in a month under one owner's keys; None is without an end."""

    micros: int | None
    tokens: int | None

    def of(self, meter: Meter) -> int | None:
        """Return the cap of a meter."""
        return self.micros if meter == "ai_budget_usd" else self.tokens


@dataclass(frozen=True)
class Purse:
    """What a tenant has spent and reserved in a month under one owner's keys."""

    spent_micros: int
    reserved_micros: int
    spent_tokens: int
    reserved_tokens: int
    warned_for: str | None = None
    exceeded_for: str | None = None

    @property
    def settled(self) -> "Purse":
        """The same without what is reserved."""
        return replace(self, reserved_micros=0, reserved_tokens=0)

    def lacks(self, most: Most, caps: Caps) -> Meter | None:
        """Tell of which there is not enough for a call."""
        if caps.micros is not None and self.spent_micros + self.reserved_micros + most.micros > caps.micros:
            return "ai_budget_usd"
        if caps.tokens is not None and self.spent_tokens + self.reserved_tokens + most.tokens > caps.tokens:
            return "ai_tokens"
        return None

    def close_to(self, caps: Caps) -> Meter | None:
        """Tell of which less than a tenth is left."""
        if caps.micros is not None and self.spent_micros > caps.micros * WARNING:
            return "ai_budget_usd"
        if caps.tokens is not None and self.spent_tokens > caps.tokens * WARNING:
            return "ai_tokens"
        return None

    def spent(self, meter: Meter) -> int:
        """Return what is spent of a meter."""
        return self.spent_micros if meter == "ai_budget_usd" else self.spent_tokens


@dataclass(frozen=True)
class Wanted:
    """A call that is about to be made, and for whom."""

    purpose: Purpose
    subject: UUID
    member: UUID | None
    model: Model
    key_owner: KeyOwner
    most: Most
    at: datetime

    @property
    def period(self) -> str:
        """The month that it counts for: the one that it begins in."""
        return period_of(self.at)


@dataclass(frozen=True)
class Used:
    """What a call came to. Without tokens nobody knows, and all that was reserved is counted."""

    outcome: str
    latency_ms: int
    tokens_in: int | None = None
    tokens_out: int | None = None


UNBILLED = (0, 0)
"""Tokens of a call that its provider has turned away."""


@dataclass(frozen=True)
class Spending:
    """What was spent on one day, on one model or by one member, which `what` names; by both owners' keys together."""

    what: str | None
    calls: int
    answered: int
    tokens_in: int
    tokens_out: int
    micros: int
    own_key_micros: int
    latency_ms: int | None


def most(model: Model, *, text: str, pictures: int, max_tokens: int) -> Most:
    """Return what a question may come to at the most: no tokenizer makes more tokens of a text than it has bytes."""
    tokens_in = len(text.encode()) + WRAPPING + pictures * model.picture_tokens
    return Most(cost(model, tokens_in, max_tokens), tokens_in + max_tokens)


def cost(model: Model, tokens_in: int, tokens_out: int) -> int:
    """Return what tokens cost, in millionths of a dollar, rounded up."""
    # A price by the million tokens in dollars is one by the token in millionths.
    return math.ceil(round(tokens_in * model.usd_in + tokens_out * model.usd_out, 6))


def caps(plan: str, settings: Mapping[str, Any], key_owner: KeyOwner) -> Caps:
    """Return what a tenant may spend: its plan, or a lower cap of its own; with its own key its own cap alone."""
    own = settings.get("ai_budget_usd")
    own_micros = None if own is None else round(float(own) * MICROS)
    if key_owner == "tenant":
        return Caps(own_micros, None)
    included = limit(plan, "ai_budget_usd")
    ends = [cap for cap in (own_micros, None if included is None else included * MICROS) if cap is not None]
    return Caps(min(ends, default=None), limit(plan, "ai_tokens"))


def captions_key(tenant: str) -> str:
    """Return the key under which a tenant's captions are paced."""
    return f"ai:caption:{tenant}"


def embeddings_key(tenant: str) -> str:
    """Return the key under which a tenant's embeddings are paced."""
    return f"ai:embedding:{tenant}"


def period_of(at: datetime) -> str:
    """Return the month (UTC) that a call counts for: 2026-11."""
    return at.astimezone(UTC).strftime("%Y-%m")
