"""Finding what needs a person, and how each attempt is known: the inbox of failures, filters, receipts."""

from typing import Any

import pytest

from socialflow.platform.ids import new_id
from tests.integration.conftest import Member
from tests.integration.publishing.conftest import Desk

STATUSES = "/api/v1/statuses"


@pytest.fixture
def posts(desk: Desk) -> dict[str, dict[str, Any]]:
    """One that is out, one that was refused, and one that nobody knows of."""
    account = desk.account()
    made = {name: desk.post(f"The {name} one", accounts=[account]) for name in ("published", "failed", "unknown")}
    desk.publish(made["published"]["id"], desk.ready(made["published"]["id"]))
    desk.mastodon.fault("POST", STATUSES, type="status", status=422, body={"error": "No"})
    desk.publish(made["failed"]["id"], desk.ready(made["failed"]["id"]))
    desk.claim_and_die(made["unknown"]["id"], desk.ready(made["unknown"]["id"]))
    for post in made.values():
        desk.settle(post["id"], desk.value("SELECT run FROM cell.work WHERE id = %s", post["id"]))
    return made


def ids(desk: Desk, query: str) -> list[str]:
    reply = desk.editor.get(f"/v1/posts{query}")
    assert reply.status == 200, reply
    return [item["id"] for item in reply.json["items"]]


def test_several_states_are_one_list(desk: Desk, posts: dict[str, dict[str, Any]]) -> None:
    assert ids(desk, "?state=failed,unconfirmed,partial") == [posts["failed"]["id"]]
    both = ids(desk, "?state=published, failed")
    assert both == [posts["failed"]["id"], posts["published"]["id"]]


@pytest.mark.parametrize("state", ["", "lost", "failed,", "failed;published", "FAILED", "%00"])
def test_an_unknown_state_is_refused_in_words(desk: Desk, state: str) -> None:
    reply = desk.editor.get(f"/v1/posts?state={state}")
    assert reply.status in (400, 422), reply
    assert reply.json["detail"]


def test_posts_are_found_by_what_they_say_and_where_they_go(desk: Desk, posts: dict[str, dict[str, Any]]) -> None:
    account = posts["failed"]["targets"][0]["account_id"]
    assert ids(desk, "?text=FAILED%20one") == [posts["failed"]["id"]]
    assert ids(desk, "?text=%25") == []
    assert ids(desk, "?network=x") == []
    assert len(ids(desk, "?network=mastodon")) == 3
    assert len(ids(desk, f"?account_id={account}")) == 3
    assert ids(desk, f"?account_id={new_id()}") == []
    assert ids(desk, f"?account_id={account}&network=bluesky") == []


def test_a_filtered_list_goes_on_where_it_ended_and_nowhere_else(desk: Desk, posts: dict[str, dict[str, Any]]) -> None:
    first = desk.editor.get("/v1/posts?network=mastodon&limit=2").json
    rest = desk.editor.get(f"/v1/posts?network=mastodon&limit=2&cursor={first['next_cursor']}").json
    assert {item["id"] for item in first["items"] + rest["items"]} == {post["id"] for post in posts.values()}
    other = desk.editor.get(f"/v1/posts?network=x&limit=2&cursor={first['next_cursor']}")
    assert (other.status, other.code) == (400, "cursor-expired"), other


def test_receipts_say_how_each_attempt_is_known(desk: Desk, posts: dict[str, dict[str, Any]]) -> None:
    (entry,) = desk.editor.get(f"/v1/posts/{posts['published']['id']}/receipts").json["items"]
    status = desk.mastodon.statuses()[0]
    assert (entry["outcome"], entry["remote_id"], entry["network"]) == ("published", status["id"], "mastodon")
    assert entry["evidence"]["answered"] == 200
    sent = desk.mastodon.wire.keys()
    assert entry["key"] in sent
    (refused,) = desk.editor.get(f"/v1/posts/{posts['failed']['id']}/receipts").json["items"]
    assert (refused["outcome"], refused["evidence"]["code"]) == ("failed", "content-refused")
    (open_one,) = desk.editor.get(f"/v1/posts/{posts['unknown']['id']}/receipts").json["items"]
    assert (open_one["outcome"], open_one["finished_at"]) == (None, None)


def test_nobody_reads_anothers_receipts(desk: Desk, posts: dict[str, dict[str, Any]], member: Member) -> None:
    path = f"/v1/posts/{posts['published']['id']}/receipts"
    assert member("viewer").get(path).status == 200
    assert desk.editor.get(f"/v1/posts/{new_id()}/receipts").code == "unknown-post"
