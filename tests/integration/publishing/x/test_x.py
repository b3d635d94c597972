"""What is X's own: media, links, duplicates, what is forbidden, tokens of two hours, deletion."""

import threading
from datetime import timedelta
from typing import Any

import pytest

from functions.task_prepare_target.handler import handler as task_prepare_target
from functions.task_publish_target.handler import handler as task_publish_target
from socialflow.platform import database
from socialflow.platform.clock import now
from socialflow.publishing.networks import gateway
from socialflow.publishing.networks.grants import Grant
from socialflow.publishing.networks.port import Gone, Identity, Later, Refused
from socialflow.publishing.networks.x import X
from tests.integration.publishing.test_videos import CONTENT, hashed
from tests.integration.publishing.x.conftest import Desked

WORKERS = 32
APPEND = "/2/media/upload/"


def acting(xdesk: Desked, token: str | None = None) -> X:
    made = gateway("x", base_url=xdesk.server.url, token=Grant(token or xdesk.user.token).document())
    assert isinstance(made, X)
    return made


def test_media_keep_their_order_and_their_alt_text(xdesk: Desked) -> None:
    media = [{"id": xdesk.desk.media(alt_text=f"Picture {number}")} for number in range(4)]
    target = xdesk.publish("Four", media=media)
    assert xdesk.user.said == [("Four", [f"Picture {number}" for number in range(4)])]
    assert target["receipt"]["url"] == f"https://x.com/i/status/{xdesk.user.posts[0]['id']}"
    assert len(xdesk.user.posts[0]["attachments"]["media_keys"]) == 4


def test_a_video_goes_up_in_pieces_and_is_waited_for(xdesk: Desked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socialflow.publishing.networks.x_api.SEGMENT", 4000)
    monkeypatch.setattr(xdesk.server, "processes", 1)
    xdesk.publish("Moving", media=[{"id": hashed(xdesk.desk)}])
    medium = next(one for one in xdesk.server.media.values() if one["owner"] == xdesk.user.id)
    assert (medium["content"], medium["media_category"]) == (CONTENT, "tweet_video")
    assert len(medium["parts"]) == -(-len(CONTENT) // 4000)


@pytest.mark.parametrize(
    "text",
    [
        "See https://example.com/a?b=c&d=e and HTTPS://Example.org/, <or> example.com/x & more",
        "example.com",
        "Línea uno\n\nlínea dos 👩‍👩‍👧 #tag @acme",
        "a &amp; b &lt;c&gt;",
    ],
)
@pytest.mark.parametrize("pictures", [0, 2])
def test_what_x_shows_of_a_text_is_known_again(xdesk: Desked, text: str, pictures: int) -> None:
    desk = xdesk.desk
    media = [{"id": desk.media()} for _ in range(pictures)]
    post = desk.post(text, accounts=[xdesk.account()], media=media)
    run = desk.ready(post["id"])
    xdesk.server.wire.fail("POST", "/2/tweets", "answer lost")
    desk.publish(post["id"], run)
    desk.confirm(post["id"], run)
    assert desk.target(post["id"])["state"] == "published"


def test_other_posts_are_not_taken_for_it(xdesk: Desked) -> None:
    desk = xdesk.desk
    for other in ("Only once!", "only once", "Only once https://example.com"):
        xdesk.publish(other)
    xdesk.publish("Only  once", media=[{"id": desk.media()}])
    post = desk.post("Only once", accounts=[xdesk.account()])
    run = desk.ready(post["id"])
    xdesk.server.wire.fail("POST", "/2/tweets", "question lost")
    desk.publish(post["id"], run)
    desk.confirm(post["id"], run)
    assert desk.target(post["id"])["state"] == "unconfirmed"


def test_it_is_found_behind_a_page_of_others(xdesk: Desked, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = xdesk.desk
    monkeypatch.setattr("socialflow.publishing.networks.x.PAGE", 5)
    post = desk.post("The first", accounts=[xdesk.account()])
    run = desk.ready(post["id"])
    xdesk.server.wire.fail("POST", "/2/tweets", "answer lost")
    desk.publish(post["id"], run)
    for number in range(7):
        xdesk.publish(f"After it {number}")
    desk.confirm(post["id"], run)
    assert desk.target(post["id"])["state"] == "published"


def refused_as_duplicate(xdesk: Desked, text: str) -> str:
    """Have X refuse a text that stands there by another hand; return the post that waits for a person."""
    desk, account = xdesk.desk, xdesk.account()
    xdesk.publish(text)
    desk.owner.execute("DELETE FROM t_acme.posts")
    xdesk.server.users[xdesk.user.id].posts[0]["created_at"] = "2026-01-01T00:00:00.000Z"
    post = desk.post(text, accounts=[account])
    run = desk.ready(post["id"])
    assert desk.publish(post["id"], run)["outcome"] == "unconfirmed"
    assert desk.confirm(post["id"], run)["outcome"] == "done"
    desk.settle(post["id"], run)
    return str(post["id"])


def test_the_same_text_again_is_refused_by_x_and_a_person_looks(xdesk: Desked) -> None:
    post = refused_as_duplicate(xdesk, "Each day the same")
    target = xdesk.desk.target(post)
    assert (target["state"], target["problem"]["code"]) == ("unconfirmed", "duplicate-content")
    assert "change the text" in target["problem"]["detail"]
    assert xdesk.desk.facts(post)[-1] == "post.unconfirmed"
    assert len(xdesk.user.posts) == 1


def test_a_duplicate_is_there_where_a_person_says_so(xdesk: Desked) -> None:
    post, desk = refused_as_duplicate(xdesk, "There by hand"), xdesk.desk
    there = {"it_is_there": True, "remote_id": xdesk.user.posts[0]["id"]}
    assert desk.editor.post(f"/v1/posts/{post}/targets/{desk.target(post)['id']}/resolve", there).status == 200
    assert desk.target(post)["state"] == "published"
    assert len(xdesk.user.posts) == 1


def test_a_duplicate_goes_out_with_other_words(xdesk: Desked) -> None:
    post, desk = refused_as_duplicate(xdesk, "There by hand too"), xdesk.desk
    version = f'"{desk.read(post)["version"]}"'
    changed = desk.editor.patch(f"/v1/posts/{post}", {"text": "Other", "publish_at": "now"}, if_match=version)
    assert changed.status == 200, changed
    desk.publish(post, desk.ready(post))
    assert desk.target(post)["state"] == "published"
    assert [said for said, _ in xdesk.user.said] == ["There by hand too", "Other"]


def test_a_duplicate_is_refused_again_as_long_as_it_is_one(xdesk: Desked) -> None:
    post, desk = refused_as_duplicate(xdesk, "Still there"), xdesk.desk
    again = f"/v1/posts/{post}/targets/{desk.target(post)['id']}/resolve"
    assert desk.editor.post(again, {"post_again": True}).status == 200
    run = desk.ready(post)
    desk.publish(post, run)
    desk.confirm(post, run)
    assert (desk.target(post)["state"], len(xdesk.user.posts)) == ("unconfirmed", 1)


def test_a_cancelled_post_that_is_a_duplicate_is_not_said_to_be_nowhere(xdesk: Desked) -> None:
    desk = xdesk.desk
    xdesk.user.said.append(("Nowhere", []))
    post = desk.post("Nowhere", accounts=[xdesk.account()])
    run = desk.ready(post["id"])
    desk.meanwhile_at(
        xdesk.server.wire, "POST", "/2/tweets", lambda: desk.editor.post(f"/v1/posts/{post['id']}/cancel")
    )
    desk.publish(post["id"], run)
    desk.confirm(post["id"], run)
    assert desk.target(post["id"])["state"] == "unconfirmed"


def test_a_duplicate_that_is_this_very_post_is_its_receipt(xdesk: Desked) -> None:
    """Nobody could see it, a person said "post again", and X says that it is there."""
    desk = xdesk.desk
    post = desk.post("Was there", accounts=[xdesk.account()])
    run = desk.ready(post["id"])
    xdesk.server.wire.fail("POST", "/2/tweets", "answer lost")
    desk.publish(post["id"], run)
    xdesk.server.wire.fail("GET", f"/2/users/{xdesk.user.id}/tweets", "down", times=20)
    for _ in range(14):
        desk.confirm(post["id"], run)
    xdesk.server.wire.faults.clear()
    resolve = f"/v1/posts/{post['id']}/targets/{desk.target(post['id'])['id']}/resolve"
    assert desk.editor.post(resolve, {"post_again": True}).status == 200
    desk.owner.execute("UPDATE t_acme.attempts SET started_at = started_at - interval '3 h'")
    xdesk.user.posts[0]["created_at"] = (now() - timedelta(hours=3)).isoformat()
    run = desk.ready(post["id"])
    assert desk.publish(post["id"], run)["outcome"] == "unconfirmed"
    desk.confirm(post["id"], run)
    target = desk.target(post["id"])
    assert (target["state"], target["receipt"]["remote_id"]) == ("published", xdesk.user.posts[0]["id"])
    assert len(xdesk.user.posts) == 1


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("Your account is suspended and is not permitted to access this feature.", "account-unavailable"),
        ("To protect our users, this account is temporarily locked.", "account-unavailable"),
        ("You are not permitted to perform this action.", "permission-missing"),
        ("This request looks like it might be automated.", "content-refused"),
        ("<script>alert(1)</script>" * 100, "content-refused"),
    ],
)
def test_what_is_forbidden_says_why(xdesk: Desked, words: str, code: str) -> None:
    desk = xdesk.desk
    post = desk.post("No", accounts=[xdesk.account()])
    run = desk.ready(post["id"])
    xdesk.server.refuses = (403, words)
    try:
        desk.publish(post["id"], run)
    finally:
        xdesk.server.refuses = None
    problem = desk.target(post["id"])["problem"]
    assert problem["code"] == code
    assert words[:100] in problem["detail"]
    assert len(problem["detail"]) < 500


@pytest.mark.parametrize("whose", ["user", "app"])
def test_a_day_that_is_used_up_is_not_waited_for(xdesk: Desked, whose: str, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = xdesk.desk
    for left, state, code in (("7", "prepared", "network-unavailable"), ("0", "failed", "quota-used-up")):
        post = desk.post(f"Left: {left}", accounts=[xdesk.account()])
        run = desk.ready(post["id"])
        monkeypatch.setattr(xdesk.server, "refuses", (429, "Too Many Requests"))
        monkeypatch.setattr(xdesk.server, "left_today", {f"x-{whose}-limit-24hour-remaining": left})
        desk.publish(post["id"], run)
        target = desk.target(post["id"])
        assert (target["state"], target["problem"]["code"]) == (state, code)
    assert xdesk.user.posts == []


def test_all_who_need_a_new_token_fetch_one(xdesk: Desked) -> None:
    desk, before = xdesk.desk, xdesk.server.refreshed
    account = xdesk.account(expires_in=-1.0)
    posts = [desk.post(f"Renewed {number}", accounts=[account]) for number in range(WORKERS)]
    runs = {post["id"]: _start(xdesk, post["id"]) for post in posts}
    threads = [threading.Thread(target=_prepare_and_publish, args=(xdesk, *each)) for each in runs.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert xdesk.server.refreshed - before == 1
    for post_id, run in runs.items():
        _prepare_and_publish(xdesk, post_id, run)  # who waited too long for the others is called again
    assert {said for said, _ in xdesk.user.said} == {f"Renewed {number}" for number in range(WORKERS)}
    assert len(xdesk.user.said) == WORKERS


def _start(xdesk: Desked, post_id: str) -> int:
    run = xdesk.desk.start(post_id)
    xdesk.desk.open(post_id, run)
    return run


def _prepare_and_publish(xdesk: Desked, post_id: str, run: int) -> None:
    target = str(xdesk.desk.value("SELECT id FROM t_acme.targets WHERE post_id = %s", post_id))
    given: dict[str, Any] = xdesk.desk.given(post_id, run, target_id=target)
    try:
        task_prepare_target(given, None)
        task_publish_target(given, None)
    finally:
        database.forget()


def test_a_grant_that_was_taken_back_says_to_connect_again(xdesk: Desked) -> None:
    desk = xdesk.desk
    account = xdesk.account(expires_in=-1.0)
    xdesk.user.refresh = "another"
    post = desk.post("Never", accounts=[account])
    run = _start(xdesk, post["id"])
    desk.prepare(post["id"], run)
    problem = desk.target(post["id"])["problem"]
    assert problem["code"] == "invalid-credentials"
    assert "Connect the account again" in problem["detail"]


def test_it_says_whose_token_it_is(xdesk: Desked) -> None:
    found = acting(xdesk).identify(seconds=5)
    assert found == Identity(xdesk.user.id, f"@{xdesk.user.username}", {})
    refused = acting(xdesk, "spent").identify(seconds=5)
    assert isinstance(refused, Refused)
    assert refused.code == "invalid-credentials"


def test_a_post_is_deleted_as_often_as_asked(xdesk: Desked) -> None:
    target = xdesk.publish("Short life")
    remote_id = target["receipt"]["remote_id"]
    xdesk.server.wire.fail("DELETE", "/2/tweets/", "answer lost")
    assert isinstance(acting(xdesk).delete(remote_id, seconds=5), Later)
    assert isinstance(acting(xdesk).delete(remote_id, seconds=5), Gone)
    assert xdesk.user.posts == []
    for hostile in ("1/../2", "x", "", "1?a=b", "1" * 20):
        assert isinstance(acting(xdesk).delete(hostile, seconds=5), Refused)
