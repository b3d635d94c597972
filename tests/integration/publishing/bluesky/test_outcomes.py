"""What Bluesky may answer, and what is made of it: nothing twice, nothing lost."""

from datetime import timedelta

import pytest

from socialflow.platform.clock import now
from socialflow.publishing.model import KEY_WINDOW
from tests.integration.publishing.bluesky.conftest import GET, PUT, Sky
from tests.wire import LIMITED, Fault

ARRIVED: tuple[Fault, ...] = ("answer lost", "garbage", "bad gateway")


def test_a_post_is_a_record_under_a_key_of_ours(sky: Sky) -> None:
    desk = sky.desk
    text = f"Ünïcode 👩‍👩‍👧 see https://example.com/a?b=c. #harbour1 @{sky.owner.handle} @nobody.invalid"
    post = desk.post(text, accounts=[sky.account()], variants={"bluesky": {"options": {"language": "de"}}})
    run = desk.ready(post["id"])
    assert desk.publish(post["id"], run)["outcome"] == "done"
    (record,) = sky.pds.records(sky.owner)
    target = desk.target(post["id"])
    assert (target["state"], target["receipt"]["remote_id"]) == ("published", record["uri"])
    rkey = record["uri"].rpartition("/")[2]
    assert target["receipt"]["url"] == f"https://bsky.app/profile/{sky.owner.did}/post/{rkey}"
    value = record["value"]
    assert (value["text"], value["langs"]) == (text, ["de"])
    marked = {
        text.encode()[facet["index"]["byteStart"] : facet["index"]["byteEnd"]].decode(): facet["features"][0]
        for facet in value["facets"]
    }
    assert marked == {
        "https://example.com/a?b=c": {
            "$type": "app.bsky.richtext.facet#link",
            "uri": "https://example.com/a?b=c",
        },
        "#harbour1": {"$type": "app.bsky.richtext.facet#tag", "tag": "harbour1"},
        f"@{sky.owner.handle}": {"$type": "app.bsky.richtext.facet#mention", "did": sky.owner.did},
    }


def test_pictures_go_with_their_alt_text_and_their_shape(sky: Sky) -> None:
    desk = sky.desk
    media = [{"id": desk.media(alt_text=f"Picture {number}")} for number in range(4)]
    post = desk.post("", accounts=[sky.account()], media=media)
    assert desk.publish(post["id"], desk.ready(post["id"]))["outcome"] == "done"
    (record,) = sky.pds.records(sky.owner)
    images = record["value"]["embed"]["images"]
    assert [image["alt"] for image in images] == [f"Picture {number}" for number in range(4)]
    assert [image["aspectRatio"] for image in images] == [{"width": 64, "height": 48}] * 4
    assert {image["image"]["mimeType"] for image in images} == {"image/jpeg"}


@pytest.mark.parametrize("fault", ARRIVED)
def test_what_was_accepted_and_not_answered_is_found_and_not_sent_again(sky: Sky, fault: Fault) -> None:
    desk = sky.desk
    post = desk.post("Only once", accounts=[sky.account()])
    run = desk.ready(post["id"])
    sky.pds.wire.fail("POST", PUT, fault)
    assert desk.publish(post["id"], run)["outcome"] == "unconfirmed"
    assert desk.target(post["id"])["state"] == "attempting"
    assert desk.confirm(post["id"], run)["outcome"] == "done"
    assert desk.settle(post["id"], run)["outcome"] == "settled"
    (record,) = sky.pds.records(sky.owner)
    target = desk.target(post["id"])
    assert (target["state"], target["receipt"]["remote_id"]) == ("published", record["uri"])
    assert sky.pds.wire.asked("POST", PUT) == 1
    assert desk.facts(post["id"])[-1] == "post.published"


def test_a_call_that_outlives_its_deadline_is_found_too(sky: Sky) -> None:
    desk = sky.desk
    post = desk.post("Slow", accounts=[sky.account()])
    run = desk.ready(post["id"])
    sky.pds.wire.fail("POST", PUT, "answer held")
    assert desk.publish(post["id"], run, seconds=9.0)["outcome"] == "unconfirmed"
    sky.pds.wire.release.set()
    assert desk.confirm(post["id"], run)["outcome"] == "done"
    assert sky.texts() == ["Slow"]


@pytest.mark.parametrize("late", [timedelta(), KEY_WINDOW])
def test_what_never_arrived_is_sent_again_under_its_key_however_late(sky: Sky, late: timedelta) -> None:
    desk = sky.desk
    post = desk.post("Lost on the way", accounts=[sky.account()])
    run = desk.ready(post["id"])
    sky.pds.wire.fail("POST", PUT, "question lost")
    assert desk.publish(post["id"], run)["outcome"] == "unconfirmed"
    assert sky.texts() == []
    desk.owner.execute("UPDATE t_acme.attempts SET started_at = started_at - %s", (late,))
    assert desk.confirm(post["id"], run)["outcome"] == "done"
    assert sky.texts() == ["Lost on the way"]
    assert desk.target(post["id"])["state"] == "published"


def test_a_repetition_that_meets_the_first_is_refused_by_the_server_and_is_the_receipt(sky: Sky) -> None:
    """The evidence could not be seen, the record is there: the server does not put another in its place."""
    desk = sky.desk
    post = desk.post("Crossing", accounts=[sky.account()])
    run = desk.ready(post["id"])
    sky.pds.wire.fail("POST", PUT, "answer lost")
    desk.publish(post["id"], run)
    (first,) = sky.pds.records(sky.owner)
    target = desk.target(post["id"])["id"]
    sky.pds.wire.fail("GET", GET, "down", times=12)
    for _ in range(13):
        desk.confirm(post["id"], run)
    assert desk.target(post["id"])["state"] == "unconfirmed"
    assert desk.editor.post(f"/v1/posts/{post['id']}/targets/{target}/resolve", {"post_again": True}).status == 200
    assert desk.publish(post["id"], desk.ready(post["id"]))["outcome"] == "done"
    assert sky.pds.records(sky.owner) == [first]
    assert desk.target(post["id"])["state"] == "published"


def test_another_text_under_the_key_is_neither_overwritten_nor_taken_for_ours(sky: Sky) -> None:
    desk = sky.desk
    first = desk.post("First", accounts=[sky.account()])
    run = desk.ready(first["id"])
    sky.pds.wire.fail("POST", PUT, "answer lost")
    desk.publish(first["id"], run)
    (record,) = sky.pds.records(sky.owner)
    sky.pds.put(sky.owner, record["uri"].rpartition("/")[2], "Mine now")
    assert desk.confirm(first["id"], run)["outcome"] == "unconfirmed"
    assert sky.texts() == ["Mine now"]
    assert desk.target(first["id"])["state"] == "attempting"


def test_an_edit_is_another_record(sky: Sky) -> None:
    desk = sky.desk
    account = sky.account()
    posts = [desk.post(text, accounts=[account]) for text in ("Same", "Same", "Other")]
    for post in posts:
        desk.publish(post["id"], desk.ready(post["id"]))
    assert sorted(sky.texts()) == ["Other", "Same", "Same"]


def test_a_rate_limit_is_waited_for(sky: Sky) -> None:
    desk = sky.desk
    post = desk.post("Patience", accounts=[sky.account()])
    run = desk.ready(post["id"])
    sky.pds.wire.fail("POST", PUT, "limited")
    before = now()
    assert desk.publish(post["id"], run)["outcome"] == "wait"
    waits = desk.value("SELECT next_at FROM t_acme.targets") - before
    assert timedelta(seconds=LIMITED - 2) < waits < timedelta(seconds=LIMITED + 30)
    assert sky.texts() == []
    desk.let_pause_pass(post["id"])
    assert desk.publish(post["id"], run)["outcome"] == "done"
    assert sky.texts() == ["Patience"]


@pytest.mark.parametrize("fault", ["down", "limited", "question lost", "answer lost", "garbage", "bad gateway"])
def test_uploads_that_fail_are_repeated(sky: Sky, fault: Fault) -> None:
    desk = sky.desk
    post = desk.post("Picture", accounts=[sky.account()], media=[{"id": desk.media()}])
    run = desk.start(post["id"])
    desk.open(post["id"], run)
    sky.pds.wire.fail("POST", "/xrpc/com.atproto.repo.uploadBlob", fault)
    assert desk.prepare(post["id"], run)["outcome"] == "again"
    desk.let_pause_pass(post["id"])
    assert desk.prepare(post["id"], run)["outcome"] == "prepared"
    assert desk.publish(post["id"], run)["outcome"] == "done"
    assert sky.texts() == ["Picture"]


def test_an_account_that_was_taken_down_is_told_in_words(sky: Sky) -> None:
    desk = sky.desk
    post = desk.post("Too late", accounts=[sky.account()])
    run = desk.ready(post["id"])
    sky.pds.take_down(sky.owner)
    assert desk.publish(post["id"], run)["outcome"] == "done"
    problem = desk.target(post["id"])["problem"]
    assert problem["code"] == "account-unavailable"
    assert "retry" in problem["detail"]


def test_a_redirect_is_not_followed_and_says_nothing(sky: Sky) -> None:
    desk = sky.desk
    post = desk.post("Elsewhere", accounts=[sky.account()])
    run = desk.ready(post["id"])
    sky.pds.wire.fail("POST", PUT, "redirect")
    assert desk.publish(post["id"], run)["outcome"] == "unconfirmed"
    assert desk.confirm(post["id"], run)["outcome"] == "done"
    assert sky.texts() == ["Elsewhere"]
