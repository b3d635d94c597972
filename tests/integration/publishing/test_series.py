"""Posts that recur: each occurrence is one post, made a week ahead, whoever makes it at once."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from functions.cron_make_occurrences.handler import handler as make_occurrences
from socialflow.platform.clock import now
from tests.integration.conftest import Member
from tests.integration.media.test_together import together
from tests.integration.publishing.conftest import Desk
from tests.integration.publishing.everywhere import EVERYWHERE

ZONE = "Europe/Berlin"


def soon(hours: float = 2) -> str:
    """A wall clock's time in Berlin, so many hours from now."""
    return (datetime.now(ZoneInfo(ZONE)) + timedelta(hours=hours)).replace(tzinfo=None, microsecond=0).isoformat()


def ask(desk: Desk, account: str, **changed: Any) -> Any:
    body = {"text": "Good morning", "targets": [{"account_id": account}], "rule": "FREQ=DAILY", "zone": ZONE}
    return desk.editor.post("/v1/series", body | {"starts_local": soon()} | changed)


def made(desk: Desk, account: str, **changed: Any) -> dict[str, Any]:
    reply = ask(desk, account, **changed)
    assert reply.status == 201, reply
    found: dict[str, Any] = reply.json
    return found


def patch(desk: Desk, series: dict[str, Any], **body: Any) -> Any:
    return desk.editor.patch(f"/v1/series/{series['id']}", body, if_match=f'"{series["version"]}"')


def read(desk: Desk, series: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = desk.editor.get(f"/v1/series/{series['id']}").json
    return found


def posts(desk: Desk) -> list[tuple[datetime, str]]:
    rows = desk.owner.execute("SELECT due_at, state FROM t_acme.posts ORDER BY due_at, state").fetchall()
    return [(row[0], row[1]) for row in rows]


def weeks_pass(desk: Desk, days: int) -> None:
    """Let days have passed: everything that is planned moves to the past by them."""
    back = f"interval '{days} days'"
    desk.owner.execute(f"UPDATE t_acme.posts SET due_at = due_at - {back}, occurrence = occurrence - {back}")
    desk.owner.execute(
        f"UPDATE t_acme.series SET starts_local = starts_local - {back}, made_local = made_local - {back},"
        f" look_at = look_at - {back}, trouble_at = trouble_at - {back}"
    )


def test_a_week_of_posts_is_made_at_once_and_the_rest_is_foreseen(desk: Desk) -> None:
    series = made(desk, desk.account())
    assert len(series["made"]) == 7
    assert {one["state"] for one in series["made"]} == {"scheduled"}
    assert len(series["foreseen"]) == 5
    first = desk.read(series["made"][0]["post_id"])
    assert (first["series_id"], first["text"], first["due_zone"]) == (series["id"], "Good morning", ZONE)
    assert first["due_local"] == series["starts_local"]
    times = [one["due_at"] for one in (*series["made"], *series["foreseen"])]
    assert times == sorted(set(times))


def test_what_is_made_publishes_as_any_post(desk: Desk) -> None:
    series = made(desk, desk.account())
    post = series["made"][0]["post_id"]
    desk.owner.execute("UPDATE t_acme.posts SET due_at = now() WHERE id = %s", (post,))
    desk.owner.execute("UPDATE t_acme.targets SET due_at = now() WHERE post_id = %s", (post,))
    assert desk.publish(post, desk.ready(post))["outcome"] == "done"
    assert desk.mastodon.texts() == ["Good morning"]


def test_each_is_approved_by_itself_where_that_is_asked_for(desk: Desk) -> None:
    desk.approvals("required")
    series = made(desk, desk.account(), rule="FREQ=DAILY;COUNT=2")
    assert {one["state"] for one in series["made"]} == {"awaiting_approval"}


def test_the_hour_makes_what_comes_into_the_week(desk: Desk) -> None:
    series = made(desk, desk.account())
    assert make_occurrences({}, None) == {"looked_at": 0, "failed": []}
    weeks_pass(desk, 3)
    assert make_occurrences({}, None) == {"looked_at": 1, "failed": []}
    assert len(posts(desk)) == 10
    assert make_occurrences({}, None) == {"looked_at": 0, "failed": []}
    assert read(desk, series)["missed"] == 0


def test_many_who_make_at_once_make_each_once(desk: Desk) -> None:
    for text in ("One", "Two"):
        made(desk, desk.account(), text=text)
    weeks_pass(desk, 5)
    together(*[lambda: make_occurrences({}, None)] * 16)
    assert len(posts(desk)) == 24
    assert desk.value("SELECT count(DISTINCT (series_id, occurrence)) FROM t_acme.posts") == 24


def test_the_same_request_with_a_key_is_one_series(desk: Desk) -> None:
    account = desk.account()
    body = {"text": "Once", "targets": [{"account_id": account}], "rule": "FREQ=DAILY", "zone": ZONE}
    body |= {"starts_local": soon()}
    first, second = (desk.editor.post("/v1/series", body, idempotency_key="a-series") for _ in range(2))
    assert first.json["id"] == second.json["id"]
    assert len(posts(desk)) == 7


def test_what_fell_due_while_nobody_looked_is_missed_and_told(desk: Desk) -> None:
    series = made(desk, desk.account())
    weeks_pass(desk, 30)
    make_occurrences({}, None)
    shown = read(desk, series)
    assert shown["missed"] == 23
    assert len(shown["made"]) == 7


def test_a_post_that_cannot_be_made_is_told_once_and_made_when_it_can(desk: Desk) -> None:
    media_id = desk.media()
    series = made(desk, desk.account(), media=[{"id": media_id}])
    desk.owner.execute("UPDATE t_acme.media_items SET state = 'rejected' WHERE id = %s", (media_id,))
    weeks_pass(desk, 2)
    make_occurrences({}, None)
    desk.owner.execute("UPDATE t_acme.series SET look_at = now()")
    make_occurrences({}, None)
    shown = read(desk, series)
    assert (shown["trouble"]["code"], shown["state"]) == ("media-not-approved", "active")
    assert len(posts(desk)) == 7
    told = "SELECT count(*) FROM cell.outbox WHERE type = 'series.refused'"
    assert desk.value(told) == 1
    desk.owner.execute("UPDATE t_acme.media_items SET state = 'approved' WHERE id = %s", (media_id,))
    desk.owner.execute("UPDATE t_acme.series SET look_at = now()")
    make_occurrences({}, None)
    assert read(desk, series)["trouble"] is None
    assert len(posts(desk)) == 9


def test_one_series_in_trouble_does_not_stop_another(desk: Desk) -> None:
    media_id = desk.media()
    made(desk, desk.account(), media=[{"id": media_id}])
    made(desk, desk.account(), text="Another")
    desk.owner.execute("UPDATE t_acme.media_items SET state = 'rejected' WHERE id = %s", (media_id,))
    weeks_pass(desk, 2)
    assert make_occurrences({}, None) == {"looked_at": 2, "failed": []}
    assert len(posts(desk)) == 16


def test_a_refused_series_leaves_nothing(desk: Desk) -> None:
    account = desk.account()
    for body, status in (
        ({"text": "x" * 501}, 422),
        ({"media": [{"id": desk.media(state="in_review")}]}, 422),
        ({"rule": "FREQ=HOURLY"}, 422),
        ({"rule": "FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=31", "starts_local": "2027-02-01T09:00:00"}, 422),
        ({"zone": "Europe/Atlantis"}, 422),
        ({"starts_local": "2027-02-01T09:00:00+01:00"}, 422),
        ({"starts_local": "1999-02-01T09:00:00"}, 422),
        ({"starts_local": "in the morning"}, 422),
        ({"targets": []}, 422),
        ({"targets": [{"account_id": "01a21def-13a5-71f8-aa38-6f01987ff5d4"}]}, 422),
        ({"rule": "FREQ=DAILY;UNTIL=20200101"}, 422),
    ):
        reply = ask(desk, account, **body)
        assert reply.status == status, (body, reply)
        assert reply.json["errors"], reply
    assert desk.value("SELECT count(*) FROM t_acme.series") == 0
    assert posts(desk) == []


def test_a_change_holds_for_what_is_not_made(desk: Desk) -> None:
    series = made(desk, desk.account())
    reply = patch(desk, series, text="Good evening")
    assert (reply.status, reply.json["version"]) == (200, 2), reply
    assert desk.read(series["made"][-1]["post_id"])["text"] == "Good morning"
    weeks_pass(desk, 1)
    make_occurrences({}, None)
    newest = desk.value("SELECT text FROM t_acme.posts ORDER BY due_at DESC LIMIT 1")
    assert newest == "Good evening"
    assert patch(desk, series, text="Stale").status == 412


def test_a_change_may_hold_for_what_is_made_too(desk: Desk) -> None:
    series = made(desk, desk.account())
    reply = patch(desk, series, text="Good evening", rule="FREQ=DAILY;INTERVAL=2", apply_to_made=True)
    assert reply.status == 200, reply
    assert [state for _, state in posts(desk)].count("cancelled") == 7
    assert len(reply.json["made"]) == 4
    assert {desk.read(one["post_id"])["text"] for one in reply.json["made"]} == {"Good evening"}


def test_what_somebody_cancelled_is_not_made_again(desk: Desk) -> None:
    series = made(desk, desk.account())
    post = series["made"][2]["post_id"]
    assert desk.editor.post(f"/v1/posts/{post}/cancel", {}).status == 200
    weeks_pass(desk, 1)
    make_occurrences({}, None)
    assert desk.value("SELECT count(*) FROM t_acme.posts WHERE state <> 'cancelled'") == 7


def test_a_paused_series_makes_nothing_and_makes_up_for_nothing(desk: Desk) -> None:
    series = made(desk, desk.account())
    paused = patch(desk, series, state="paused")
    assert (paused.json["state"], paused.json["foreseen"]) == ("paused", [])
    weeks_pass(desk, 30)
    assert make_occurrences({}, None) == {"looked_at": 0, "failed": []}
    resumed = patch(desk, paused.json, state="active")
    assert (resumed.status, resumed.json["missed"]) == (200, 0), resumed
    assert len(resumed.json["made"]) == 7


def test_an_ended_series_stays_ended(desk: Desk) -> None:
    series = made(desk, desk.account())
    ended = desk.editor.post(f"/v1/series/{series['id']}/end", {"cancel_made": True})
    assert (ended.status, ended.json["state"], ended.json["made"]) == (200, "ended", []), ended
    again = patch(desk, ended.json, text="More")
    assert (again.status, again.code) == (409, "series-ended")
    assert {state for _, state in posts(desk)} == {"cancelled"}


def test_a_rule_that_is_over_ends_its_series(desk: Desk) -> None:
    series = made(desk, desk.account(), rule="FREQ=DAILY;COUNT=2")
    assert (series["state"], len(series["made"]), series["foreseen"]) == ("active", 2, [])
    longer = patch(desk, series, rule="FREQ=DAILY;COUNT=3").json
    assert (longer["state"], len(longer["made"])) == ("active", 3)
    weeks_pass(desk, 4)
    assert make_occurrences({}, None) == {"looked_at": 1, "failed": []}
    assert (read(desk, series)["state"], read(desk, series)["missed"]) == ("ended", 0)
    assert desk.editor.post(f"/v1/series/{series['id']}/end", {}).status == 200


def test_who_repeats_words_is_told(desk: Desk) -> None:
    assert made(desk, desk.account())["findings"] == []
    with EVERYWHERE["x"](desk) as place:
        (found,) = made(desk, place.account())["findings"]
    assert (found["severity"], found["code"], found["pointer"]) == ("warning", "repeated-text", "/rule")


def test_a_company_has_so_many(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socialflow.publishing.series.MOST", 1)
    account = desk.account()
    made(desk, account)
    reply = ask(desk, account)
    assert (reply.status, reply.code) == (409, "too-many-series")


def test_who_may_only_look_looks(desk: Desk, member: Member) -> None:
    series = made(desk, desk.account())
    viewer = member("viewer")
    assert viewer.get(f"/v1/series/{series['id']}").status == 200
    assert [one["id"] for one in viewer.get("/v1/series").json["items"]] == [series["id"]]
    assert viewer.post(f"/v1/series/{series['id']}/end", {}).status == 403


def test_series_are_listed_page_by_page(desk: Desk) -> None:
    account = desk.account()
    ids = [made(desk, account, rule="FREQ=DAILY;COUNT=1", text=f"{number}")["id"] for number in range(3)]
    first = desk.editor.get("/v1/series?limit=2").json
    second = desk.editor.get(f"/v1/series?limit=2&cursor={first['next_cursor']}").json
    assert [one["id"] for one in (*first["items"], *second["items"])] == ids[::-1]
    assert second["next_cursor"] is None


def test_a_suspended_tenant_makes_nothing(desk: Desk) -> None:
    made(desk, desk.account())
    weeks_pass(desk, 1)
    desk.owner.execute("UPDATE control.tenants SET status = 'suspended' WHERE slug = 'acme'")
    assert make_occurrences({}, None) == {"looked_at": 0, "failed": []}


def test_a_clock_change_keeps_the_wall(desk: Desk) -> None:
    at = now().astimezone(ZoneInfo(ZONE))
    series = made(desk, desk.account(), rule="FREQ=MONTHLY;BYMONTHDAY=1", starts_local=f"{at:%Y-%m-%d}T02:30:00")
    locals_ = [one["local"] for one in series["foreseen"]]
    assert all(one.endswith("T02:30:00") for one in locals_)
    assert len({datetime.fromisoformat(one["due_at"]).hour for one in series["foreseen"]}) == 2, "winter and summer"
