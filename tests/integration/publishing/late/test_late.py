"""What Late answers is exactly one outcome, and what it is given is what was approved."""

import json
from typing import Any

import pytest

from socialflow.publishing.networks.late import Late
from socialflow.publishing.networks.port import Gone, Identity, Later, Refused
from tests.integration.publishing.late.conftest import KEY, Desked

CATEGORIES = {
    "auth_expired": "invalid-credentials",
    "user_content": "content-refused",
    "user_abuse": "quota-used-up",
    "account_issue": "account-unavailable",
    "platform_rejected": "content-refused",
    "platform_rate_limit": "quota-used-up",
    "quota_exhausted": "quota-used-up",
}
UNCLEAR = ("platform_error", "system_error", "unknown", "something new")
HOSTILE: tuple[Any, ...] = (
    None,
    [],
    "post",
    {"post": None},
    {"post": {"_id": "../../accounts", "status": "published", "platforms": []}},
    {"post": {"_id": 7, "status": "published"}},
    {"post": {"_id": "a\nb", "status": "published", "platforms": "all"}},
    {"post": {"_id": "another", "status": "published", "platforms": [{"accountId": "x", "status": "published"}]}},
)


def _gateway(ldesk: Desked, network: str = "x") -> Late:
    return Late(ldesk.server.url, KEY, network, ldesk.theirs.id)


def _tell(ldesk: Desked, monkeypatch: pytest.MonkeyPatch, method: str, body: object) -> None:
    """Let every request of a method to a post be answered so."""
    answer = ldesk.server.wire.forward

    def forward(asked: str, target: str, headers: dict[str, str], sent: bytes) -> Any:
        told = answer(asked, target, headers, sent)
        if asked == method and "/v1/posts/" in target:
            told._content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return told

    monkeypatch.setattr(ldesk.server.wire, "forward", forward)


def test_a_post_goes_out_with_its_media_in_order_and_what_they_show(ldesk: Desked) -> None:
    media = [{"id": ldesk.desk.media(alt_text="A ship")}, {"id": ldesk.desk.media(alt_text="A lighthouse")}]
    target = ldesk.publish("Two pictures", media=media)
    assert target["state"] == "published"
    assert ldesk.server.said[ldesk.theirs.id] == [("Two pictures", ["A ship", "A lighthouse"])]
    (post,) = ldesk.server.posts.values()
    assert target["receipt"]["remote_id"] == post["platforms"][0]["platformPostId"]
    assert target["receipt"]["url"] == post["platforms"][0]["platformPostUrl"]
    assert len(ldesk.server.stored) == 2
    assert all(content.startswith(b"\xff\xd8") for content in ldesk.server.stored.values())


def test_the_store_is_not_told_the_key(ldesk: Desked) -> None:
    ldesk.publish("A picture", media=[{"id": ldesk.desk.media()}])
    (heard,) = ldesk.server.store_heard
    assert "authorization" not in heard
    assert KEY not in json.dumps(heard)


def test_what_somebody_changes_in_the_draft_does_not_go_out(ldesk: Desked) -> None:
    post = ldesk.desk.post("As approved", accounts=[ldesk.account()])
    run = ldesk.desk.ready(post["id"])
    (draft,) = ldesk.server.posts.values()
    draft |= {"content": "Nobody approved this", "mediaItems": [{"type": "image", "url": "https://evil.example/x.jpg"}]}
    assert ldesk.desk.publish(post["id"], run)["outcome"] == "done"
    assert ldesk.server.said[ldesk.theirs.id] == [("As approved", [])]


def test_preparing_again_finds_the_draft(ldesk: Desked) -> None:
    for is_idempotent in (True, False):
        ldesk.server.posts.clear()
        ldesk.server.is_idempotent = is_idempotent
        post = ldesk.desk.post(f"Prepared twice, {is_idempotent}", accounts=[ldesk.account()])
        ldesk.server.wire.fail("POST", "/api/v1/posts", "answer lost")
        run = ldesk.desk.start(post["id"])
        ldesk.desk.open(post["id"], run)
        assert ldesk.desk.prepare(post["id"], run)["outcome"] == "again"
        ldesk.desk.let_pause_pass(post["id"])
        assert ldesk.desk.prepare(post["id"], run)["outcome"] == "prepared"
        assert len(ldesk.server.posts) == 1
        assert ldesk.desk.publish(post["id"], run)["outcome"] == "done"
        assert len(ldesk.said()) == 1 + (not is_idempotent)


@pytest.mark.parametrize(("category", "code"), CATEGORIES.items())
def test_a_failure_says_what_to_do(ldesk: Desked, category: str, code: str) -> None:
    ldesk.server.ends = category
    target = ldesk.publish(f"Fails by {category}")
    assert (target["state"], target["problem"]["code"]) == ("failed", code)
    assert target["problem"]["detail"].startswith("Late says: It failed. ")
    assert target["problem"]["detail"].endswith(".")


@pytest.mark.parametrize("category", UNCLEAR)
def test_a_failure_that_may_be_none_is_a_persons_to_decide(ldesk: Desked, category: str) -> None:
    ldesk.server.ends = category
    post = ldesk.desk.post(f"Unclear by {category}", accounts=[ldesk.account()])
    run = ldesk.desk.ready(post["id"])
    assert ldesk.desk.publish(post["id"], run)["outcome"] == "unconfirmed"
    assert ldesk.desk.confirm(post["id"], run)["outcome"] == "done"
    target = ldesk.desk.target(post["id"])
    assert target["state"] == "unconfirmed"
    assert "look there and decide" in target["problem"]["detail"]
    assert ldesk.server.wire.asked("PUT", f"/api/v1/posts/{next(iter(ldesk.server.posts))}") == 1


def test_a_failed_post_is_made_anew_when_it_is_retried(ldesk: Desked) -> None:
    ldesk.server.ends = "user_content"
    post = ldesk.desk.post("Second try", accounts=[ldesk.account()])
    ldesk.desk.publish(post["id"], ldesk.desk.ready(post["id"]))
    ldesk.server.ends = "published"
    target = ldesk.desk.target(post["id"])["id"]
    assert ldesk.desk.editor.post(f"/v1/posts/{post['id']}/targets/{target}/retry", {}).status == 200
    assert ldesk.desk.publish(post["id"], ldesk.desk.ready(post["id"]))["outcome"] == "done"
    assert ldesk.said() == ["Second try"]
    assert sorted(one["status"] for one in ldesk.server.posts.values()) == ["failed", "published"]


@pytest.mark.parametrize(("ends", "state"), [("published", "published"), ("user_content", "failed")])
def test_what_late_is_still_at_work_on_is_asked_for(ldesk: Desked, ends: str, state: str) -> None:
    ldesk.server.ends = "publishing"
    post = ldesk.desk.post("Slowly", accounts=[ldesk.account()])
    run = ldesk.desk.ready(post["id"])
    assert ldesk.desk.publish(post["id"], run)["outcome"] == "unconfirmed"
    assert ldesk.desk.confirm(post["id"], run)["outcome"] == "unconfirmed"
    ldesk.server.finish(next(iter(ldesk.server.posts)), ends)
    assert ldesk.desk.confirm(post["id"], run)["outcome"] == "done"
    assert ldesk.desk.target(post["id"])["state"] == state
    assert len(ldesk.said()) == (ends == "published")


def test_an_answer_that_takes_too_long_is_asked_for_at_once(ldesk: Desked) -> None:
    post = ldesk.desk.post("Minutes", accounts=[ldesk.account()])
    run = ldesk.desk.ready(post["id"])
    ldesk.server.wire.fail("PUT", "/api/v1/posts/", "answer held")
    assert ldesk.desk.publish(post["id"], run, seconds=19.0)["outcome"] == "done"
    assert ldesk.desk.target(post["id"])["state"] == "published"


def test_content_that_is_there_already_is_not_sent_again(ldesk: Desked) -> None:
    account = ldesk.account()
    first = ldesk.desk.post("The same", accounts=[account])
    ldesk.desk.publish(first["id"], ldesk.desk.ready(first["id"]))
    second = ldesk.desk.post("The same", accounts=[account])
    run = ldesk.desk.start(second["id"])
    ldesk.desk.open(second["id"], run)
    assert ldesk.desk.prepare(second["id"], run)["outcome"] == "done"
    target = ldesk.desk.target(second["id"])
    assert (target["state"], target["problem"]["code"]) == ("failed", "duplicate-content")
    assert ldesk.said() == ["The same"]


def test_a_post_that_is_out_already_under_our_key_is_known_again(ldesk: Desked) -> None:
    post = ldesk.desk.post("Out already", accounts=[ldesk.account()])
    run = ldesk.desk.ready(post["id"])
    ldesk.server.finish(next(iter(ldesk.server.posts)), "published")
    assert ldesk.desk.publish(post["id"], run)["outcome"] == "done"
    assert ldesk.desk.target(post["id"])["state"] == "published"
    assert ldesk.said() == ["Out already"]


def test_a_draft_that_somebody_has_deleted_is_told(ldesk: Desked) -> None:
    post = ldesk.desk.post("Deleted there", accounts=[ldesk.account()])
    run = ldesk.desk.ready(post["id"])
    ldesk.server.posts.clear()
    assert ldesk.desk.publish(post["id"], run)["outcome"] == "done"
    target = ldesk.desk.target(post["id"])
    assert (target["state"], target["problem"]["code"]) == ("failed", "network-refused")
    assert ldesk.said() == []


@pytest.mark.parametrize("body", [*HOSTILE, b"<html>", b'{"post": ' + b"[" * 100_000, b"{" + b" " * 3_000_000])
def test_a_hostile_answer_is_no_receipt(ldesk: Desked, monkeypatch: pytest.MonkeyPatch, body: object) -> None:
    post = ldesk.desk.post("Hostile", accounts=[ldesk.account()])
    run = ldesk.desk.ready(post["id"])
    with monkeypatch.context() as patch:
        _tell(ldesk, patch, "PUT", body)
        assert ldesk.desk.publish(post["id"], run)["outcome"] == "unconfirmed"
    with monkeypatch.context() as patch:
        _tell(ldesk, patch, "GET", body)
        ldesk.desk.confirm(post["id"], run)
    assert ldesk.desk.target(post["id"])["state"] in ("attempting", "unconfirmed")
    assert ldesk.said() == ["Hostile"]


@pytest.mark.parametrize(
    "address", ["http://10.0.0.1/store", "https://[", "file:///etc/passwd", "https://a@b/c", "https://x\ny", 7, None]
)
def test_media_are_put_nowhere_else(ldesk: Desked, monkeypatch: pytest.MonkeyPatch, address: object) -> None:
    presign = ldesk.server._presign

    def lying(asked: Any) -> Any:
        told: Any = presign(asked)
        told.body["uploadUrl"] = address
        return told

    monkeypatch.setattr(ldesk.server, "_presign", lying)
    post = ldesk.desk.post("A picture", accounts=[ldesk.account()], media=[{"id": ldesk.desk.media()}])
    run = ldesk.desk.start(post["id"])
    ldesk.desk.open(post["id"], run)
    assert ldesk.desk.prepare(post["id"], run)["outcome"] in ("again", "done")
    assert ldesk.server.stored == {}
    assert ldesk.server.posts == {}


def test_a_post_is_taken_down_where_late_can(ldesk: Desked) -> None:
    target = ldesk.publish("Taken down")
    gateway = _gateway(ldesk)
    assert isinstance(gateway.delete(target["receipt"]["remote_id"], seconds=5), Gone)
    assert ldesk.said() == []
    assert isinstance(gateway.delete("999", seconds=5), Refused)
    assert isinstance(_gateway(ldesk, "instagram").delete("999", seconds=5), Refused)


def test_whose_account_it_is(ldesk: Desked) -> None:
    found = _gateway(ldesk).identify(seconds=5)
    assert isinstance(found, Identity)
    assert (found.remote_account, found.remote_name) == (ldesk.theirs.own_id, ldesk.theirs.username)
    assert isinstance(_gateway(ldesk, "linkedin").identify(seconds=5), Refused)
    assert isinstance(Late(ldesk.server.url, "sk_nobody", "x", ldesk.theirs.id).identify(seconds=5), Refused)
    ldesk.server.wire.fail("GET", "/api/v1/accounts", "down")
    assert isinstance(_gateway(ldesk).identify(seconds=5), Later)


def test_a_person_has_it_taken_down_by_the_way_it_went(ldesk: Desked) -> None:
    post = ldesk.desk.post("Not any more", accounts=[ldesk.account()])
    ldesk.desk.publish(post["id"], ldesk.desk.ready(post["id"]))
    target = ldesk.desk.target(post["id"])["id"]
    reply = ldesk.desk.editor.post(f"/v1/posts/{post['id']}/targets/{target}/delete", {})
    assert (reply.status, ldesk.said()) == (200, []), reply
