"""Plans: complete, growing, and refusing in words."""

from itertools import pairwise

import pytest

from socialflow.entitlements.model import METERS, PLANS, LimitReached, check, limit

ORDER = ("free", "pro", "business", "enterprise")


def test_every_plan_says_something_of_every_meter() -> None:
    assert tuple(PLANS) == ORDER
    for name, plan in PLANS.items():
        assert plan.name == name
        assert set(plan.limits) == set(METERS)


@pytest.mark.parametrize("meter", METERS)
def test_a_larger_plan_never_includes_less(meter: str) -> None:
    found = [PLANS[name].limits[meter] for name in ORDER]  # type: ignore[index] # a Meter by way of parametrize
    sizes = [float("inf") if each is None else each for each in found]
    assert all(smaller <= larger for smaller, larger in pairwise(sizes))


def test_a_plan_that_there_is_not_is_the_free_one() -> None:
    assert limit("platinum", "posts") == limit("free", "posts")


def test_a_hundred_requests_a_minute_are_the_default() -> None:
    assert limit("free", "requests_per_minute") == 100


def test_up_to_the_limit_is_within_it() -> None:
    most = limit("free", "seats")
    assert most is not None
    check("free", "seats", used=most - 1)
    with pytest.raises(LimitReached):
        check("free", "seats", used=most)
    with pytest.raises(LimitReached):
        check("free", "seats", used=most - 1, asked=2)


def test_nothing_is_too_much_without_a_limit() -> None:
    check("enterprise", "posts", used=10**12)


def test_a_refusal_names_the_limit_and_the_way_out() -> None:
    refusal = LimitReached("free", "accounts", used=3, limit=3)
    assert (refusal.status, refusal.code) == (402, "limit-reached")
    assert refusal.facts == {"meter": "accounts", "limit": 3, "used": 3, "asked": 1, "plan": "free"}
    assert "includes 3 connected accounts, and 3 are used" in refusal.detail
    assert "Disconnect an account" in refusal.detail
    assert "/v1/plan/checkout" in refusal.detail


def test_what_is_counted_by_the_month_says_when_it_begins_anew() -> None:
    assert "first of next month" in LimitReached("pro", "uploads", used=1, limit=1).detail


def test_nobody_is_sent_to_a_plan_that_there_is_not() -> None:
    assert "checkout" not in LimitReached("enterprise", "ai_budget_usd", used=1, limit=1).detail
