"""How many posts of 24 hours an account has left: as its network says, and as the plans go."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from functions.cron_check_accounts.handler import handler as check_accounts
from socialflow.platform.clock import now
from tests.integration.publishing.graph.conftest import Studio

instagram = pytest.mark.parametrize("studio", ["instagram"], indirect=True)


def told(studio: Studio, account: str, at: object = None) -> list[dict[str, Any]]:
    """Return what is found of a post for the account at a time, concerning its quota."""
    body = {"text": "One more", "media": studio.pictures(1), "targets": [{"account_id": account}], "publish_at": at}
    reply = studio.desk.editor.post("/v1/posts/validate", body)
    assert reply.status == 200, reply
    (network,) = reply.json["networks"]
    return [one for one in network["findings"] if one["code"] == "quota-used-up"]


def shown(studio: Studio, account: str) -> Any:
    return studio.desk.editor.get(f"/v1/accounts/{account}").json["quota"]


def note(studio: Studio, used: int, most: int, at: datetime | None = None) -> None:
    studio.desk.owner.execute(
        "UPDATE t_acme.social_accounts SET quota_used = %s, quota_most = %s, quota_at = %s", (used, most, at or now())
    )


@instagram
def test_preparing_learns_what_the_network_says(studio: Studio) -> None:
    account = studio.account()
    assert shown(studio, account) is None
    assert told(studio, account) == []
    studio.owner.used = 7
    post = studio.desk.post("One", accounts=[account], media=studio.pictures(1))
    studio.desk.ready(post["id"])
    assert (shown(studio, account)["used"], shown(studio, account)["most"]) == (7, studio.server.quota)


@instagram
def test_the_daily_look_learns_it_too(studio: Studio) -> None:
    account = studio.account()
    studio.owner.used = 9
    studio.desk.let_look_be_due()
    check_accounts({}, None)
    assert shown(studio, account)["used"] == 9


@instagram
def test_an_account_that_has_had_its_day_is_told_while_a_post_is_written(studio: Studio) -> None:
    account = studio.account()
    note(studio, 25, 25)
    (found,) = told(studio, account)
    assert (found["severity"], found["pointer"], found["limit"], found["found"]) == ("warning", "/publish_at", 25, 25)
    assert "instagram itself" in found["source"]
    later = (now() + timedelta(hours=25)).isoformat()
    assert told(studio, account, later) == []


@instagram
def test_what_is_planned_counts(studio: Studio) -> None:
    account = studio.account()
    note(studio, 0, 3)
    for minutes in (60, 61, 62):
        studio.desk.post(
            f"At {minutes}", accounts=[account], media=studio.pictures(1), at=studio.desk.in_minutes(minutes)
        )
    assert told(studio, account) == []
    assert told(studio, account, studio.desk.in_minutes(61.5)) == []
    assert [one["found"] for one in told(studio, account, studio.desk.in_minutes(70))] == [3]
    assert told(studio, account, studio.desk.in_minutes(60 * 25 + 1)) == []


@instagram
def test_what_others_post_counts_for_a_day(studio: Studio) -> None:
    account = studio.account()
    note(studio, 2, 3, now() - timedelta(hours=1))
    studio.desk.post("Soon", accounts=[account], media=studio.pictures(1), at=studio.desk.in_minutes(30))
    assert [one["found"] for one in told(studio, account, studio.desk.in_minutes(60))] == [3]
    assert told(studio, account, studio.desk.in_minutes(60 * 23 + 1)) == []


@instagram
def test_a_time_that_cannot_be_is_found_and_not_refused(studio: Studio) -> None:
    account = studio.account()
    for wish, code in (("2020-01-01T00:00:00Z", "in-the-past"), ("tomorrow", "not-a-time")):
        body = {"text": "x", "targets": [{"account_id": account}], "publish_at": wish}
        reply = studio.desk.editor.post("/v1/posts/validate", body)
        assert reply.status == 200, reply
        assert (reply.json["fits"], reply.json["findings"][0]["code"]) == (False, code)
        assert reply.json["findings"][0]["pointer"] == "/publish_at"


@instagram
def test_a_network_that_tells_nonsense_tells_nothing(studio: Studio) -> None:
    account = studio.account()
    for used, most in ((-1, 5), (3, 0)):
        studio.owner.used, studio.server.quota = used, most
        assert studio.acting().quota(studio.owner.id, seconds=5.0) is None
    studio.server.quota = 50
    assert shown(studio, account) is None
