"""The calendar shows posts on the days of the zone that is asked for."""

from typing import Any

import pytest

from tests.integration.conftest import Member
from tests.integration.publishing.conftest import Desk


def at(desk: Desk, moment: str, text: str = "x") -> str:
    """Make a post that is due at a moment; return its id."""
    post_id = str(desk.post(text, accounts=[desk.account()], at=desk.in_minutes(60))["id"])
    desk.owner.execute("UPDATE t_acme.posts SET due_at = %s WHERE id = %s", (moment, post_id))
    return post_id


def shown(desk: Desk, query: str) -> dict[str, Any]:
    reply = desk.editor.get(f"/v1/calendar?{query}")
    assert reply.status == 200, reply
    found: dict[str, Any] = reply.json
    return found


def test_a_post_is_on_the_day_of_the_zone(desk: Desk) -> None:
    before = at(desk, "2027-10-30T21:59:59Z")
    first = at(desk, "2027-10-30T22:00:00Z")
    last = at(desk, "2027-10-31T22:59:59Z")
    after = at(desk, "2027-10-31T23:00:00Z")
    day = shown(desk, "from=2027-10-31&to=2027-10-31&zone=Europe/Berlin")
    assert [(one["post"]["id"], one["date"], one["local"]) for one in day["items"]] == [
        (first, "2027-10-31", "2027-10-31T00:00:00+02:00"),
        (last, "2027-10-31", "2027-10-31T23:59:59+01:00"),
    ]
    whole = shown(desk, "from=2027-10-30&to=2027-11-01&zone=Europe/Berlin")
    assert [one["post"]["id"] for one in whole["items"]] == [before, first, last, after]
    assert whole["items"][0]["post"]["targets"][0]["network"] == "mastodon"


def test_without_a_zone_it_is_the_tenants_own(desk: Desk) -> None:
    post = at(desk, "2027-03-01T23:30:00Z")
    assert shown(desk, "from=2027-03-01&to=2027-03-01")["zone"] == "UTC"
    desk.owner.execute('UPDATE control.tenants SET settings = \'{"time_zone": "Asia/Tokyo"}\'')
    theirs = shown(desk, "from=2027-03-02&to=2027-03-02")
    assert (theirs["zone"], [one["post"]["id"] for one in theirs["items"]]) == ("Asia/Tokyo", [post])


def test_pages_follow_each_other_also_where_posts_are_due_at_once(desk: Desk) -> None:
    ids = sorted(at(desk, "2027-03-01T09:00:00Z", f"Number {number}") for number in range(5))
    query, found, cursor = "from=2027-03-01&to=2027-03-31&limit=2", [], ""
    for _ in range(3):
        page = shown(desk, query + cursor)
        found += [one["post"]["id"] for one in page["items"]]
        cursor = f"&cursor={page['next_cursor']}"
    assert (found, page["next_cursor"]) == (ids, None)
    first = shown(desk, query)
    other = desk.editor.get(f"/v1/calendar?from=2027-03-02&to=2027-03-31&limit=2&cursor={first['next_cursor']}")
    assert other.status in (400, 410), "a cursor is of the days that it was given for"


def test_drafts_are_on_no_day_and_states_are_told_apart(desk: Desk) -> None:
    desk.post("A draft", accounts=[], at=None)
    post = at(desk, "2027-03-01T09:00:00Z")
    desk.editor.post(f"/v1/posts/{post}/cancel")
    month = "from=2027-03-01&to=2027-03-31"
    assert len(shown(desk, month)["items"]) == 1
    assert [one["post"]["id"] for one in shown(desk, f"{month}&state=cancelled")["items"]] == [post]
    assert shown(desk, f"{month}&state=published")["items"] == []


def test_who_reads_posts_reads_their_own_tenants_calendar(desk: Desk, member: Member) -> None:
    at(desk, "2027-03-01T09:00:00Z")
    month = "/v1/calendar?from=2027-03-01&to=2027-03-31"
    assert len(member("viewer").get(month).json["items"]) == 1
    assert member("owner", "contoso").get(month).json["items"] == []


@pytest.mark.parametrize(
    "query",
    [
        "",
        "from=2027-03-01",
        "from=x&to=y",
        "from=2027-03-01&to=2027-03-01&zone=..",
        "from=2027-03-01&to=2027-03-01&zone=%00",
        "from=2027-03-01&to=2027-03-01&state=lost",
        "from=2027-03-01&to=2027-03-01&limit=0",
        "from=%FF&to=%ED%A0%80",
    ],
)
def test_what_cannot_be_shown_is_refused(desk: Desk, query: str) -> None:
    reply = desk.editor.get(f"/v1/calendar?{query}")
    assert reply.status in (400, 422), reply
    assert reply.json["detail"]
