"""What members are told of their plan."""

from datetime import UTC, datetime

import psycopg
import pytest

from functions.api_plan.schemas import TenantPlanOut
from socialflow.entitlements.model import METERS, PLANS
from socialflow.platform.clock import now
from socialflow.platform.tenancy import Tenant
from tests.api import Client
from tests.integration.conftest import Member


def line(client: Client, meter: str) -> dict[str, object]:
    (found,) = [each for each in client.get("/v1/plan").json["usage"] if each["meter"] == meter]
    return dict(found)


def test_a_stranger_may_read_what_plans_there_are(acme: Tenant) -> None:
    listed = Client().get("/v1/plans")
    assert listed.status == 200
    assert [each["plan"] for each in listed.json["items"]] == list(PLANS)
    for each in listed.json["items"]:
        assert {one["meter"]: one["limit"] for one in each["includes"]} == dict(PLANS[each["plan"]].limits)


@pytest.mark.parametrize("role", ["owner", "admin", "editor", "viewer"])
def test_every_member_sees_what_is_used_and_only_an_owner_what_is_paid(member: Member, acme: Tenant, role: str) -> None:
    found = member(role).get("/v1/plan").json
    assert found["plan"] == "business"
    assert [each["meter"] for each in found["usage"]] == list(METERS)
    assert (found["billing"] is not None) is (role == "owner")


def test_what_is_used_is_what_was_done(member: Member, acme: Tenant) -> None:
    editor = member("editor")
    editor.post("/v1/media/uploads", {"file_name": "a.jpg", "content_type": "image/jpeg", "size": 900})
    editor.post("/v1/posts", {"text": "Good evening", "media": [], "targets": [], "publish_at": None})
    used = {each["meter"]: each["used"] for each in editor.get("/v1/plan").json["usage"]}
    assert used == {
        "seats": 4,
        "storage_bytes": 900,
        "upload_bytes": None,
        "video_seconds": None,
        "uploads": 1,
        "posts": 1,
        "accounts": 0,
        "ai_tokens": 0,
        "ai_budget_usd": 0.0,
        "approval_levels": None,
        "requests_per_minute": None,
        "api": 0,
    }


@pytest.mark.parametrize(
    ("used", "level"), [(79, "ok"), (80, "near"), (99, "near"), (100, "reached"), (250, "reached")]
)
def test_four_fifths_are_a_warning(
    member: Member, acme: Tenant, owner: psycopg.Connection, used: int, level: str
) -> None:
    owner.execute("UPDATE control.tenants SET plan = 'free' WHERE id = %s", (acme.id,))
    owner.execute("INSERT INTO cell.usage VALUES ('acme', 'posts', %s, %s)", (now().strftime("%Y-%m"), used))
    viewer = member("viewer")
    assert line(viewer, "posts")["level"] == level
    warned = viewer.get("/v1/plan").json["warnings"]
    assert ("posts" in warned) is (level != "ok")


def test_last_months_use_is_no_use_of_this_month(member: Member, acme: Tenant, owner: psycopg.Connection) -> None:
    owner.execute(
        "INSERT INTO cell.usage VALUES ('acme', 'posts', '2001-01', 99), ('contoso', 'uploads', %s, 5)",
        (now().strftime("%Y-%m"),),
    )
    viewer = member("viewer")
    assert (line(viewer, "posts")["used"], line(viewer, "uploads")["used"]) == (0, 0)


@pytest.mark.parametrize(
    ("at", "period", "reset"),
    [
        (datetime(2026, 11, 30, 23, 59, tzinfo=UTC), "2026-11", datetime(2026, 12, 1, tzinfo=UTC)),
        (datetime(2026, 12, 31, tzinfo=UTC), "2026-12", datetime(2027, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_month_ends_where_the_next_begins(at: datetime, period: str, reset: datetime) -> None:
    shown = TenantPlanOut.of(PLANS["free"], {}, None, at)
    assert (shown.period, shown.resets_at) == (period, reset)
    assert {each.meter for each in shown.usage if each.resets_at} == {"uploads", "posts", "ai_tokens", "ai_budget_usd"}


def test_outsiders_read_nobodys_plan(stranger: Client, member: Member) -> None:
    assert stranger.get("/v1/plan").code == "not-a-member"
    assert member("owner", "contoso", tenant="acme").get("/v1/plan").code == "not-a-member"
    assert member("owner", "contoso", tenant="acme").post("/v1/plan/portal").code == "not-a-member"
