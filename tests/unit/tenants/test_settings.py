"""What may stand in a tenant's settings, and which slugs nobody gets."""

from typing import Any

import pytest

from socialflow.entitlements.model import PLANS, limit
from socialflow.tenants.model import UnusableSlug, usable_slug
from socialflow.tenants.refusals import UnusableSetting
from socialflow.tenants.settings import APPROVALS, TenantSettings, checked, checked_name


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"time_zone": "America/Argentina/Buenos_Aires"}, {"time_zone": "America/Argentina/Buenos_Aires"}),
        ({"languages": ("zh-hant-tw", "de-CH-1996", "DE-ch-1996")}, {"languages": ["zh-Hant-TW", "de-CH-1996"]}),
        ({"brand_voice": "  Warm.\n"}, {"brand_voice": "Warm."}),
        ({"approval": "none"}, {"approval": "none"}),
        ({}, {}),
    ],
)
def test_settings_are_kept_in_one_form(given: dict[str, Any], kept: dict[str, Any]) -> None:
    assert checked(given) == kept


@pytest.mark.parametrize(
    "given",
    [
        {"plan": "enterprise"},
        {"time_zone": None},
        {"time_zone": 1},
        {"time_zone": "Factory"},
        {"time_zone": "/etc/localtime"},
        {"approval": ["none"]},
        {"brand_voice": "a\x00b"},
        {"languages": {"en": 1}},
        {"languages": [1]},
        {"languages": [""]},
        {"languages": ["english"]},
        {"languages": ["en-"]},
    ],
)
def test_what_means_nothing_is_refused_at_its_place(given: dict[str, Any]) -> None:
    with pytest.raises(UnusableSetting) as raised:
        checked(given)
    (name,) = given
    assert raised.value.errors[0].pointer.startswith(f"/settings/{name}")


def test_what_others_keep_in_the_settings_is_not_ours() -> None:
    assert TenantSettings.of({"theirs": 1, "approval": "required"}) == TenantSettings(approval="required")


@pytest.mark.parametrize("name", ["", " ", "a\nb", "a\x00", "x" * 201, "\u202eevil"])
def test_a_name_is_one_printable_line(name: str) -> None:
    with pytest.raises(UnusableSetting):
        checked_name(name)


@pytest.mark.parametrize("slug", ["acme", "a1", "north_wind", "controls", "pgx", "rw", "deleted"])
def test_a_slug_that_only_looks_like_a_reserved_one_is_usable(slug: str) -> None:
    assert usable_slug(slug) == slug


@pytest.mark.parametrize("slug", ["pg_temp", "deleted_x", "x_rw", "system", "www"])
def test_a_reserved_slug_is_nobodys(slug: str) -> None:
    with pytest.raises(UnusableSlug):
        usable_slug(slug)


def test_no_policy_asks_for_more_levels_of_approval_than_every_plan_includes() -> None:
    """A policy of several levels would have to be held against the plan where it is set."""
    levels = {"none": 0, "optional": 1, "required": 1}
    assert set(levels) == set(APPROVALS)
    assert max(levels.values()) <= min(limit(plan, "approval_levels") or 0 for plan in PLANS)
    for more in (2, "2", ["required", "required"], {"levels": 2}, "required:2"):
        with pytest.raises(UnusableSetting):
            checked({"approval": more})
    with pytest.raises(UnusableSetting):
        checked({"approval_levels": 2})


@pytest.mark.parametrize(("wish", "kept"), [(0, 0.0), (12.345, 12.35), (1_000_000, 1_000_000.0)])
def test_an_ai_budget_is_whole_cents(wish: float, kept: float) -> None:
    assert checked({"ai_budget_usd": wish}) == {"ai_budget_usd": kept}


@pytest.mark.parametrize("wish", [-0.01, 1_000_001, float("nan"), float("inf"), True, "5", [5]])
def test_an_ai_budget_is_an_amount(wish: object) -> None:
    with pytest.raises(UnusableSetting):
        checked({"ai_budget_usd": wish})


def test_banned_words_are_kept_once_and_trimmed() -> None:
    assert checked({"banned_words": [" cheap ", "cheap", "weiß"]}) == {"banned_words": ["cheap", "weiß"]}
    assert checked({"banned_words": []}) == {"banned_words": []}


@pytest.mark.parametrize("wish", ["cheap", [""], ["x" * 61], ["a\x00"], [5], ["x"] * 101, None])
def test_banned_words_are_words(wish: object) -> None:
    with pytest.raises(UnusableSetting):
        checked({"banned_words": wish})
