"""The three networks under the faults of every network; and what is their own: containers, quotas, errors by number."""

from typing import Any

import pytest

from socialflow.publishing.networks.port import Gone, Identity, Later, Refused
from tests.integration.publishing.faults import Faults
from tests.integration.publishing.graph.conftest import Studio
from tests.integration.publishing.test_videos import hashed

WORDS = "Ünïcode 👩‍👩‍👧 & <b> #harbour\n\nzweiter Absatz"


class TestGraph(Faults):
    """Nothing twice, nothing lost."""

    # A 400 whose number is not known proves nothing here.
    refused = ((401, "invalid-credentials"), (404, "network-refused"), (413, "content-refused"))


@pytest.mark.parametrize("number", [1, 3])
def test_pictures_keep_their_order_and_their_alt_text(studio: Studio, number: int) -> None:
    target = studio.publish(WORDS, media=studio.pictures(number))
    assert target["state"] == "published", target
    (post,) = studio.owner.posts
    assert post["said"] == WORDS
    assert [alt for _, alt in post["media"]] == [f"Picture {each}" for each in range(number)]
    if studio.network != "facebook":
        assert all("/large.jpg?" in link and "versionId=" in link for link, _ in post["media"])
    assert target["receipt"]["url"] == f"https://network.example/{post['id']}"


def test_a_video_is_fetched_by_the_network_and_waited_for(studio: Studio) -> None:
    studio.server.processes = 2
    desk = studio.desk
    post = desk.post("Moving", accounts=[studio.account()], media=[{"id": hashed(desk, seconds=5.0)}])
    run = desk.ready(post["id"])
    outcome = desk.publish(post["id"], run)["outcome"]
    if studio.network == "facebook":  # a video is a post by itself, and processed afterwards
        assert outcome == "unconfirmed"
        assert desk.confirm(post["id"], run)["outcome"] == "unconfirmed"
        desk.confirm(post["id"], run)
        outcome = desk.confirm(post["id"], run)["outcome"]
    assert outcome == "done"
    target = desk.target(post["id"])
    assert target["state"] == "published", target
    assert "/original.mp4?" in studio.owner.posts[0]["media"][0][0]


def test_media_that_cannot_be_processed_are_told_of(studio: Studio) -> None:
    studio.server.fails = True
    desk = studio.desk
    post = desk.post("Broken", accounts=[studio.account()], media=[{"id": hashed(desk, seconds=5.0)}])
    run = desk.start(post["id"])
    desk.open(post["id"], run)
    if desk.prepare(post["id"], run)["outcome"] == "prepared":
        desk.publish(post["id"], run)
        desk.confirm(post["id"], run)
    target = desk.target(post["id"])
    assert (target["state"], target["problem"]["code"]) == ("failed", "content-refused")


@pytest.mark.parametrize(
    ("error", "state", "code"),
    [
        ({"code": 190, "message": "Session has expired"}, "failed", "invalid-credentials"),
        ({"code": 200, "message": "Requires permission"}, "failed", "permission-missing"),
        ({"code": 368, "message": "Blocked for now"}, "failed", "account-unavailable"),
        (
            {"code": 4, "error_subcode": 2207051, "message": "We restrict certain activity"},
            "failed",
            "account-unavailable",
        ),
        ({"code": 9, "error_subcode": 2207042, "message": "Too many"}, "failed", "quota-used-up"),
        ({"code": -2, "error_subcode": 2207020, "message": "Expired"}, "failed", "media-expired"),
        ({"code": 36003, "error_subcode": 2207009, "message": "Ratio"}, "failed", "content-refused"),
        ({"code": 4, "message": "Application request limit reached"}, "prepared", "network-unavailable"),
        ({"code": 9007, "error_subcode": 2207027, "message": "Not ready"}, "prepared", "network-unavailable"),
        ({"code": -1, "error_subcode": 2207001, "message": "Server error"}, "attempting", "outcome-unknown"),
        ({"code": 2, "message": "Service temporarily unavailable"}, "attempting", "outcome-unknown"),
        ({"code": 1, "message": "Unknown"}, "attempting", "outcome-unknown"),
    ],
)
def test_what_each_number_means(studio: Studio, error: dict[str, Any], state: str, code: str) -> None:
    desk = studio.desk
    media = studio.pictures(1)
    post = desk.post("Numbers", accounts=[studio.account()], media=media)
    run = desk.ready(post["id"])
    studio.server.error = error
    desk.publish(post["id"], run)
    target = desk.target(post["id"])
    assert (target["state"], target["problem"]["code"]) == (state, code)
    assert studio.owner.posts == []


def test_what_is_out_and_not_yet_listed_is_told_by_its_container(studio: Studio) -> None:
    if studio.network == "facebook":
        return  # it has no containers: its list is all there is
    desk = studio.desk
    studio.server.lists = False
    post = desk.post("Unlisted", accounts=[studio.account()], media=studio.pictures(1))
    run = desk.ready(post["id"])
    studio.server.wire.fail(*studio.mutation, "answer lost")
    desk.publish(post["id"], run)
    assert desk.confirm(post["id"], run)["outcome"] == "done"
    assert desk.target(post["id"])["state"] == "published"
    assert studio.owner.said() == ["Unlisted"]


def test_an_account_without_room_is_told_before_the_post_is_made(studio: Studio) -> None:
    if studio.network == "facebook":
        return  # it tells of no quota
    desk = studio.desk
    studio.owner.used = 50
    post = desk.post("Too many", accounts=[studio.account()], media=studio.pictures(1))
    run = desk.start(post["id"])
    desk.open(post["id"], run)
    assert desk.prepare(post["id"], run)["outcome"] == "done"
    problem = desk.target(post["id"])["problem"]
    assert problem["code"] == "quota-used-up"
    assert "later time" in problem["detail"]


def test_the_same_text_again(studio: Studio) -> None:
    """Facebook refuses it where it is text alone; the others take it, and each post is its own."""
    more: dict[str, Any] = {} if studio.network == "facebook" else {"media": studio.pictures(1)}
    first = studio.publish("Each day the same", **more)
    assert first["state"] == "published"
    studio.owner.posts[0]["created_time"] = studio.owner.posts[0]["timestamp"] = "2026-01-01T00:00:00+0000"
    desk = studio.desk
    post = desk.post("Each day the same", accounts=[studio.account()], **more)
    run = desk.ready(post["id"])
    if desk.publish(post["id"], run)["outcome"] == "unconfirmed":
        desk.confirm(post["id"], run)
    second = desk.target(post["id"])
    if studio.network == "facebook":
        assert (second["state"], second["problem"]["code"]) == ("unconfirmed", "duplicate-content")
    else:
        assert second["receipt"]["remote_id"] != first["receipt"]["remote_id"]


def test_a_token_that_is_nearly_over_is_exchanged(studio: Studio) -> None:
    if studio.network == "facebook":
        return  # a Page's token does not end
    studio_desk = studio.desk
    media = studio.pictures(1)
    post = studio_desk.post("Renewed", accounts=[studio.account(expires_in=100)], media=media)
    studio_desk.publish(post["id"], studio_desk.ready(post["id"]))
    assert studio.owner.token.endswith("n")
    assert studio.owner.said() == ["Renewed"]


def test_it_says_whose_token_it_is(studio: Studio) -> None:
    found = studio.acting().identify(seconds=5)
    assert isinstance(found, Identity)
    assert (found.remote_account, found.remote_name.lstrip("@")) == (studio.owner.id, studio.owner.name)
    studio.owner.token = "another"
    again = studio.acting()
    studio.owner.token = "changed"
    refused = again.identify(seconds=5)
    assert isinstance(refused, Refused)
    assert refused.code == "invalid-credentials"


def test_a_post_is_deleted_where_that_is_possible(studio: Studio) -> None:
    made = studio.publish("Short life", media=studio.pictures(1))["receipt"]["remote_id"]
    if studio.network == "instagram":
        answer = studio.acting().delete(made, seconds=5)
        assert isinstance(answer, Refused)
        assert "in the app" in answer.detail
        return
    studio.server.wire.fail("DELETE", "/", "answer lost")
    assert isinstance(studio.acting().delete(made, seconds=5), Later)
    assert isinstance(studio.acting().delete(made, seconds=5), Gone)
    assert studio.owner.posts == []
    for hostile in ("1/../2", "me", "", "1?x=1"):
        assert isinstance(studio.acting().delete(hostile, seconds=5), Refused)
