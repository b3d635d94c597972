"""What follows a post under it: a thread's parts in their order, or the first comment; each once, and none without what
it answers.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from socialflow.platform import settings
from tests.integration.publishing.conftest import Desk
from tests.integration.publishing.everywhere import EVERYWHERE
from tests.integration.publishing.places import Place

THREADS = ("bluesky", "mastodon", "mastodon without keys", "threads", "x")
COMMENTS = ("facebook", "instagram", "linkedin")
MOST_ROUNDS = 30


@pytest.fixture
def place(desk: Desk, request: pytest.FixtureRequest) -> Iterator[Place]:
    """One of the networks."""
    with EVERYWHERE[request.param](desk) as opened:
        yield opened


everywhere = pytest.mark.parametrize("place", [*THREADS, *COMMENTS], indirect=True)
threading = pytest.mark.parametrize("place", THREADS, indirect=True)
commenting = pytest.mark.parametrize("place", COMMENTS, indirect=True)
mastodon = pytest.mark.parametrize("place", ["mastodon"], indirect=True)


def parts(place: Place) -> list[str]:
    """Return the texts of replies that the network takes."""
    return ["And then"] if place.network in COMMENTS else ["And then", "And at last"]


def posted(place: Place, *, replies: list[str] | None = None, **more: Any) -> dict[str, Any]:
    """Make a post with replies."""
    said = parts(place) if replies is None else replies
    return place.post("Once", replies=[{"text": text} for text in said], **more)


def go_on(desk: Desk, post_id: str, *, rounds: int = MOST_ROUNDS) -> str:
    """Drive a post as the workflow does, pauses and leases passing at once, until it settles; return its state."""
    run = desk.start(post_id)
    for _ in range(rounds):
        opened = desk.open(post_id, run)
        for target_id in opened["targets"] if opened["outcome"] == "publish" else ():
            one_step(desk, post_id, run, target_id)
        if desk.settle(post_id, run)["outcome"] == "settled":
            break
    return str(desk.read(post_id)["state"])


def one_step(desk: Desk, post_id: str, run: int, target_id: str) -> None:
    """Take whatever step a target is at."""
    index = next(number for number, one in enumerate(desk.read(post_id)["targets"]) if one["id"] == target_id)
    desk.let_pause_pass(post_id)
    state = desk.target(post_id, index)["state"]
    if state in ("scheduled", "preparing"):
        desk.let_lease_pass(post_id)
        desk.prepare(post_id, run, index)
    elif state == "prepared":
        desk.publish(post_id, run, index)
    elif state == "attempting":
        desk.confirm(post_id, run, index)


def reply_ready(desk: Desk, post_id: str) -> int:
    """Publish the post itself and prepare its first reply; return the run."""
    run = desk.start(post_id)
    desk.open(post_id, run)
    desk.prepare(post_id, run, 0)
    desk.publish(post_id, run, 0)
    desk.prepare(post_id, run, 1)
    return run


def states(desk: Desk, post_id: str) -> list[str]:
    """Return the states of a post's targets, by position."""
    return [one["state"] for one in sorted(desk.read(post_id)["targets"], key=lambda one: one["position"])]


def at(desk: Desk, post_id: str, position: int) -> dict[str, Any]:
    """Return a post's target at a position."""
    return next(one for one in desk.read(post_id)["targets"] if one["position"] == position)


@contextmanager
def refusing(place: Place, status: int = 422) -> Iterator[None]:
    """Let Mastodon refuse the next post."""
    place.desk.mastodon.fault("POST", "/api/v1/statuses", type="status", status=status, body={"error": "No"})
    yield


@everywhere
def test_each_part_answers_the_one_before(desk: Desk, place: Place) -> None:
    post = posted(place)
    assert go_on(desk, post["id"]) == "published"
    said = ["Once", *parts(place)]
    assert place.answered() == list(zip(said, ["", *said], strict=False))
    receipts = [one["receipt"]["remote_id"] for one in desk.read(post["id"])["targets"]]
    assert len(set(receipts)) == len(said)


@everywhere
def test_a_reply_whose_answer_is_lost_is_found_and_not_repeated(desk: Desk, place: Place) -> None:
    post = posted(place, replies=["And then"])
    run = reply_ready(desk, post["id"])
    place.wire.fail(*(place.replying or place.mutation), "answer lost")
    assert desk.publish(post["id"], run, 1)["outcome"] == "unconfirmed"
    assert go_on(desk, post["id"]) == "published"
    assert place.answered() == [("Once", ""), ("And then", "Once")]
    assert at(desk, post["id"], 1)["attempts"] == 1


@everywhere
def test_a_reply_that_never_arrived_is_sent_again_or_left_to_a_person(desk: Desk, place: Place) -> None:
    post = posted(place, replies=["And then"])
    run = reply_ready(desk, post["id"])
    place.wire.fail(*(place.replying or place.mutation), "question lost")
    desk.publish(post["id"], run, 1)
    state = go_on(desk, post["id"])
    there = ("And then", "Once") in place.answered()
    assert (state, there) == (("published", True) if place.repeats else ("unconfirmed", False))
    if state == "unconfirmed":
        target = at(desk, post["id"], 1)["id"]
        reply = desk.editor.post(f"/v1/posts/{post['id']}/targets/{target}/resolve", {"post_again": True})
        assert reply.status == 200, reply
        assert go_on(desk, post["id"]) == "published"
    assert place.answered() == [("Once", ""), ("And then", "Once")]


@mastodon
def test_no_reply_is_begun_before_what_it_answers_is_out(desk: Desk, place: Place) -> None:
    post = posted(place)
    run = desk.start(post["id"])
    assert len(desk.open(post["id"], run)["targets"]) == 1
    assert desk.prepare(post["id"], run, 1)["outcome"] == "left"
    assert desk.publish(post["id"], run, 1)["outcome"] in ("left", "done")
    desk.prepare(post["id"], run, 0)
    desk.owner.execute("UPDATE t_acme.targets SET state = 'prepared', prepared = '{}', prepared_hash = content_hash")
    assert desk.publish(post["id"], run, 1)["outcome"] == "left"
    assert place.answered() == []


@mastodon
def test_replies_of_what_is_refused_are_not_begun_and_follow_when_it_is_out(desk: Desk, place: Place) -> None:
    post = posted(place)
    with refusing(place):
        assert go_on(desk, post["id"]) == "failed"
    assert states(desk, post["id"]) == ["failed"] * 3
    assert at(desk, post["id"], 2)["problem"]["code"] == "answers-nothing"
    first, second = (at(desk, post["id"], number)["id"] for number in (0, 1))
    told = desk.editor.post(f"/v1/posts/{post['id']}/targets/{second}/retry", {})
    assert (told.status, told.code) == (409, "nothing-to-retry"), told
    assert desk.editor.post(f"/v1/posts/{post['id']}/targets/{first}/retry", {}).status == 200
    assert go_on(desk, post["id"]) == "published"
    assert [text for text, _ in place.answered()] == ["Once", "And then", "And at last"]


@mastodon
def test_a_refused_reply_leaves_the_post_out_and_can_be_retried_alone(desk: Desk, place: Place) -> None:
    post = posted(place)
    run = desk.start(post["id"])
    desk.open(post["id"], run)
    desk.prepare(post["id"], run, 0)
    desk.publish(post["id"], run, 0)
    with refusing(place):
        assert go_on(desk, post["id"]) == "partial"
    assert states(desk, post["id"]) == ["published", "failed", "failed"]
    second = at(desk, post["id"], 1)["id"]
    assert desk.editor.post(f"/v1/posts/{post['id']}/targets/{second}/retry", {}).status == 200
    assert go_on(desk, post["id"]) == "published"
    assert [text for text, _ in place.answered()] == ["Once", "And then", "And at last"]


@pytest.mark.parametrize("place", ["mastodon without keys"], indirect=True)
def test_a_person_who_says_it_is_there_lets_the_replies_follow(desk: Desk, place: Place) -> None:
    post = posted(place)
    run = desk.ready_first(post["id"])
    place.wire.fail(*place.mutation, "question lost")
    desk.publish(post["id"], run, 0)
    assert go_on(desk, post["id"]) == "unconfirmed"
    assert states(desk, post["id"]) == ["unconfirmed", "failed", "failed"]
    found = desk.mastodon.post("Once")
    resolve = f"/v1/posts/{post['id']}/targets/{at(desk, post['id'], 0)['id']}/resolve"
    assert desk.editor.post(resolve, {"it_is_there": True, "remote_id": found}).status == 200
    assert desk.value("SELECT wake_at <= now() FROM cell.work WHERE id = %s", post["id"])
    assert go_on(desk, post["id"]) == "published"
    assert place.answered() == [("Once", ""), ("And then", "Once"), ("And at last", "And then")]


@mastodon
def test_cancelling_between_two_parts_stops_the_rest(desk: Desk, place: Place) -> None:
    post = posted(place)
    run = desk.ready_first(post["id"])
    desk.publish(post["id"], run, 0)
    assert desk.editor.post(f"/v1/posts/{post['id']}/cancel", {}).status == 200
    assert go_on(desk, post["id"]) == "partial"
    assert states(desk, post["id"]) == ["published", "cancelled", "cancelled"]
    assert place.answered() == [("Once", "")]


@mastodon
def test_nothing_is_said_under_what_was_deleted(desk: Desk, place: Place) -> None:
    post = posted(place)
    run = desk.ready_first(post["id"])
    desk.publish(post["id"], run, 0)
    first = at(desk, post["id"], 0)["id"]
    assert desk.admin.post(f"/v1/posts/{post['id']}/targets/{first}/delete", {}).status == 200
    assert go_on(desk, post["id"]) == "partial"
    assert states(desk, post["id"]) == ["published", "failed", "failed"]
    assert place.answered() == []


@mastodon
def test_an_approval_is_for_the_replies_too(desk: Desk, place: Place) -> None:
    desk.approvals("required")
    post = posted(place, at=desk.in_minutes(30))
    approve = f"/v1/posts/{post['id']}/approve"
    assert desk.admin.post(approve, {"content_hash": post["content_hash"]}).status == 200
    other = {"replies": [{"text": "Something else"}]}
    changed = desk.editor.patch(f"/v1/posts/{post['id']}", other, if_match='"2"')
    assert (changed.status, changed.json["state"]) == (200, "awaiting_approval"), changed
    assert changed.json["content_hash"] != post["content_hash"]
    assert len(changed.json["targets"]) == 2


@mastodon
def test_replies_come_and_go_with_edits(desk: Desk, place: Place) -> None:
    post = posted(place, at=desk.in_minutes(30))
    assert [one["position"] for one in post["targets"]] == [0, 1, 2]
    kept = post["targets"][0]["id"]

    def change(version: int, **body: Any) -> dict[str, Any]:
        reply = desk.editor.patch(f"/v1/posts/{post['id']}", body, if_match=f'"{version}"')
        assert reply.status == 200, reply
        found: dict[str, Any] = reply.json
        return found

    without = change(1, replies=[])
    assert [one["id"] for one in without["targets"]] == [kept]
    own = change(2, variants={"mastodon": {"replies": [{"text": "Only here"}]}})
    assert [one["position"] for one in own["targets"]] == [0, 1]
    assert own["variants"]["mastodon"]["replies"] == [{"text": "Only here", "media": []}]
    again = change(3, text="Another")
    assert [one["id"] for one in again["targets"]] == [one["id"] for one in own["targets"]]


@threading
def test_media_go_with_the_part_that_they_are_of(desk: Desk, place: Place) -> None:
    post = place.post("Once", replies=[{"text": "And then", "media": [{"id": desk.media()}]}])
    assert go_on(desk, post["id"]) == "published"
    assert place.answered() == [("Once", ""), ("And then", "Once")]


def test_a_medium_of_a_reply_is_in_use(desk: Desk, member: Any) -> None:
    media_id, other = desk.media(), desk.media()
    own = {"mastodon": {"replies": [{"media": [{"id": other}]}]}}
    desk.post(accounts=[desk.account()], at=desk.in_minutes(60), replies=[{"media": [{"id": media_id}]}], variants=own)
    for each in (media_id, other):
        reply = desk.admin.delete(f"/v1/media/{each}", if_match='"1"')
        assert (reply.status, reply.code) == (409, "media-in-use"), reply


@commenting
def test_a_comment_is_one_and_text_alone(desk: Desk, place: Place) -> None:
    account = place.account()
    media = [{"id": desk.media()}] if place.media_first else []
    many = desk.try_post("Once", accounts=[account], media=media, replies=[{"text": "One"}, {"text": "Two"}])
    assert (many.status, many.json["errors"][0]["code"]) == (422, "too-many-replies"), many
    assert many.json["errors"][0]["pointer"] == "/replies/1"
    shown = desk.try_post(
        "Once", accounts=[account], media=media, replies=[{"text": "", "media": [{"id": desk.media()}]}]
    )
    assert (shown.status, shown.json["errors"][0]["pointer"]) == (422, "/replies/0/media"), shown
    long = desk.try_post("Once", accounts=[account], media=media, replies=[{"text": "x" * 9_000}])
    assert (long.status, long.json["errors"][0]["pointer"]) == (422, "/replies/0/text"), long


def test_what_cannot_be_said_under_a_post_is_told_while_it_is_written(desk: Desk) -> None:
    body = {"text": "Once", "media": [{"id": desk.media()}], "replies": [{"text": " "}], "networks": ["tiktok", "x"]}
    told = {one["network"]: one for one in desk.editor.post("/v1/posts/validate", body).json["networks"]}
    assert ("no-replies", "/replies/0") in {(one["code"], one["pointer"]) for one in told["tiktok"]["findings"]}
    assert ("empty", "/replies/0/text") in {(one["code"], one["pointer"]) for one in told["x"]["findings"]}
    without = desk.editor.post("/v1/posts/validate", body | {"variants": {"tiktok": {"replies": []}}}).json["networks"]
    assert "no-replies" not in {one["code"] for each in without for one in each["findings"]}


def test_each_part_is_billed(desk: Desk) -> None:
    body = {"text": "Once", "replies": [{"text": "https://acme.com"}, {"text": "End"}], "networks": ["x"]}
    (told,) = desk.editor.post("/v1/posts/validate", body).json["networks"]
    assert told["cost"] == {"amount": "0.230", "currency": "USD"}


def test_nothing_of_it_goes_by_way_of_late(desk: Desk) -> None:
    with EVERYWHERE["late"](desk) as place:
        account = place.account()
        assert desk.admin.request("PUT", "/v1/networks/x/route", {"route": "late"}).status == 200
        reply = desk.try_post("Once", accounts=[account], replies=[{"text": "And then"}])
    assert (reply.status, reply.json["errors"][0]["code"]) == (422, "no-replies"), reply
    assert "Late" in reply.json["errors"][0]["detail"]
    settings.forget()


@pytest.mark.parametrize(
    "replies",
    [[{"text": "x"}] * 16, [{"words": "x"}], "x", [None], [{"text": "x" * 10_001}], [{"media": [{"id": "1"}]}]],
)
def test_what_is_no_reply_is_refused(desk: Desk, replies: object) -> None:
    reply = desk.try_post("Once", accounts=[desk.account()], replies=replies)
    assert reply.status == 422, reply


def test_a_copy_has_the_replies(desk: Desk) -> None:
    post = desk.post("Once", accounts=[desk.account()], at=None, replies=[{"text": "And then"}])
    copy = desk.editor.post(f"/v1/posts/{post['id']}/duplicate", {}).json
    assert copy["replies"] == [{"text": "And then", "media": []}]
    assert [one["position"] for one in copy["targets"]] == [0, 1]


@commenting
def test_a_comment_can_be_deleted_there(desk: Desk, place: Place) -> None:
    post = posted(place)
    assert go_on(desk, post["id"]) == "published"
    target = at(desk, post["id"], 1)["id"]
    reply = desk.admin.post(f"/v1/posts/{post['id']}/targets/{target}/delete", {})
    assert reply.status == (409 if place.network == "instagram" else 200), reply
    assert len(place.answered()) == (2 if place.network == "instagram" else 1)
