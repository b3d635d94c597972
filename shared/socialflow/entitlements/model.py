"""Plans and what each includes; the refusal that names the limit and the way out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, get_args

from socialflow.errors import FieldError, Invalid, Refusal

Meter = Literal[
    "seats",
    "storage_bytes",
    "upload_bytes",
    "video_seconds",
    "uploads",
    "posts",
    "accounts",
    "ai_tokens",
    "ai_budget_usd",
    "approval_levels",
    "requests_per_minute",
    "api",
]
METERS: tuple[Meter, ...] = get_args(Meter)
MONTHLY: frozenset[Meter] = frozenset({"uploads", "posts", "ai_tokens", "ai_budget_usd"})
"""Counted by the calendar month (UTC); every other meter stands until something is given back."""

COUNTED: tuple[Meter, ...] = ("storage_bytes", "uploads", "posts", "accounts")
"""Counted here as they are taken; members and keys are counted where their rows are, AI where its calls are."""

EACH: frozenset[Meter] = frozenset({"upload_bytes", "video_seconds"})
"""A limit of each one by itself: nothing of it is used up."""

DEFAULT_PLAN = "free"
STANDING = "standing"
"""The period of what has none."""
WARNING = 0.8
"""From this part of a limit on, the tenant is warned."""

MIB = 1024**2
GIB = 1024**3

NAMES: Mapping[Meter, str] = {
    "seats": "members and open invitations",
    "storage_bytes": "bytes of storage",
    "upload_bytes": "bytes in one file",
    "video_seconds": "seconds of one video",
    "uploads": "uploads a month",
    "posts": "posts a month",
    "accounts": "connected accounts",
    "ai_tokens": "AI tokens a month",
    "ai_budget_usd": "US dollars of AI a month",
    "approval_levels": "levels of approval",
    "requests_per_minute": "requests a minute from one caller",
    "api": "API keys",
}
_ROOM: Mapping[Meter, str] = {
    "seats": "Remove a member or revoke an invitation",
    "storage_bytes": "Delete media",
    "upload_bytes": "Upload a smaller file",
    "video_seconds": "Shorten the video",
    "accounts": "Disconnect an account",
    "api": "Revoke a key",
    "approval_levels": "Ask for fewer levels",
    "requests_per_minute": "Wait a minute",
}


@dataclass(frozen=True)
class Plan:
    """What a plan includes: for each meter the most that there may be; None is without a limit."""

    name: str
    title: str
    limits: Mapping[Meter, int | None]


PLANS: Mapping[str, Plan] = {
    plan.name: plan
    for plan in (
        Plan(
            "free",
            "Free",
            {
                "seats": 5,
                "storage_bytes": 5 * GIB,
                "upload_bytes": 100 * MIB,
                "video_seconds": 600,
                "uploads": 500,
                "posts": 100,
                "accounts": 3,
                "ai_tokens": 250_000,
                "ai_budget_usd": 1,
                "approval_levels": 1,
                "requests_per_minute": 100,
                "api": 1,
            },
        ),
        Plan(
            "pro",
            "Pro",
            {
                "seats": 10,
                "storage_bytes": 100 * GIB,
                "upload_bytes": 500 * MIB,
                "video_seconds": 1_800,
                "uploads": 5_000,
                "posts": 1_000,
                "accounts": 10,
                "ai_tokens": 5_000_000,
                "ai_budget_usd": 20,
                "approval_levels": 1,
                "requests_per_minute": 300,
                "api": 5,
            },
        ),
        Plan(
            "business",
            "Business",
            {
                "seats": 100,
                "storage_bytes": 1_024 * GIB,
                "upload_bytes": 2 * GIB,
                "video_seconds": 3_600,
                "uploads": 100_000,
                "posts": 20_000,
                "accounts": 100,
                "ai_tokens": 100_000_000,
                "ai_budget_usd": 400,
                "approval_levels": 3,
                "requests_per_minute": 1_000,
                "api": 50,
            },
        ),
        Plan(
            "enterprise",
            "Enterprise",
            {
                "seats": None,
                "storage_bytes": None,
                "upload_bytes": 4 * GIB,
                "video_seconds": 3_600,
                "uploads": None,
                "posts": None,
                "accounts": None,
                "ai_tokens": None,
                "ai_budget_usd": 5_000,  # money that goes out to others always has an end
                "approval_levels": 5,
                "requests_per_minute": 3_000,
                "api": None,
            },
        ),
    )
}


class UnknownPlan(Invalid):
    """There is no such plan."""

    code, title = "unknown-plan", "No such plan"


class LimitReached(Refusal):
    """The tenant's plan includes no more of something."""

    status, code, title = 402, "limit-reached", "Your plan includes no more of this"

    def __init__(self, plan: str, meter: Meter, *, used: int, limit: int, asked: int = 1) -> None:
        """Name the limit, what of it is used, and the way out."""
        ways = [_ROOM[meter]] if meter in _ROOM else ["Wait for the first of next month (UTC)"]
        if plan != "enterprise":
            ways.append("have an owner choose a larger plan with POST /v1/plan/checkout")
        taken = f"this has {asked:,}" if meter in EACH else f"{used:,} are used"
        super().__init__(
            f"The plan {plan} includes {limit:,} {NAMES[meter]}, and {taken}. {', or '.join(ways)}.",
            meter=meter,
            limit=limit,
            used=used,
            asked=asked,
            plan=plan,
        )


def plan_of(name: str) -> Plan:
    """Return a plan; a name that is none (any more) is the free one."""
    return PLANS.get(name, PLANS[DEFAULT_PLAN])


def known_plan(name: str) -> Plan:
    """Return a plan; raises `UnknownPlan` for a name that is none."""
    if name not in PLANS:
        detail = f"Plans are {', '.join(PLANS)}. GET /v1/plans tells what each includes."
        raise UnknownPlan(detail, errors=[FieldError("/plan", "unknown-plan", detail)])
    return PLANS[name]


def limit(plan: str, meter: Meter) -> int | None:
    """Return how much of a meter a plan includes; None is without a limit."""
    return plan_of(plan).limits[meter]


def check(plan: str, meter: Meter, *, used: int, asked: int = 1) -> None:
    """Raise `LimitReached` where `used` and what is asked for come to more than the plan includes.

    Only for what is counted under a lock of the caller's own, as seats are under the tenant's row.
    """
    most = limit(plan, meter)
    if most is not None and used + asked > most:
        raise LimitReached(plan, meter, used=used, limit=most, asked=asked)


def period_of(meter: Meter, at: datetime) -> str:
    """Return the period that a moment counts for: its month (UTC) as 2026-11, or `standing`."""
    return at.astimezone(UTC).strftime("%Y-%m") if meter in MONTHLY else STANDING


def resets_at(meter: Meter, at: datetime) -> datetime | None:
    """Return when a meter begins anew: the first of the next month (UTC); None for one that stands."""
    if meter not in MONTHLY:
        return None
    month = at.astimezone(UTC)
    return datetime(month.year + month.month // 12, month.month % 12 + 1, 1, tzinfo=UTC)


def warns(used: float, most: int) -> bool:
    """Tell whether so much of a limit is used that the tenant is to know."""
    return most > 0 and used >= most * WARNING
