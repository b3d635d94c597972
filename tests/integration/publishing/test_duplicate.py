"""A post made once more is a draft of its own."""

import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from socialflow.platform import database
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.ids import new_id
from socialflow.platform.settings import PublishSettings
from socialflow.publishing import duplicating, service
from socialflow.publishing.asking import Asked
from socialflow.publishing.model import Pace
from socialflow.publishing.planning import Known
from tests.integration.publishing.conftest import Desk


def test_a_draft_has_the_content_and_the_accounts_and_nothing_of_the_past(desk: Desk) -> None:
    first, second = desk.media(), desk.media(alt_text="A gull")
    variant = {"text": "Short", "media": [{"id": second, "alt_text": "Two"}], "options": {"visibility": "unlisted"}}
    post = desk.post(
        "Words", accounts=[desk.account()], media=[{"id": first, "alt_text": "One"}], variants={"mastodon": variant}
    )
    run = desk.ready(post["id"])
    desk.publish(post["id"], run)
    made = desk.editor.post(f"/v1/posts/{post['id']}/duplicate", {})
    assert (made.status, made.headers["location"]) == (201, f"/v1/posts/{made.json['id']}")
    assert made.json["id"] != post["id"]
    for same in ("text", "media", "variants"):
        assert made.json[same] == post[same]
    assert (made.json["state"], made.json["due_at"], made.json["version"]) == ("draft", None, 1)
    (target,) = made.json["targets"]
    assert (target["account_id"], target["receipt"], target["attempts"]) == (post["targets"][0]["account_id"], None, 0)
    assert target["id"] != post["targets"][0]["id"]
    assert len(desk.mastodon.statuses()) == 1
    assert desk.value("SELECT count(*) FROM cell.work WHERE id = %s", made.json["id"]) == 0


def test_what_was_approved_of_the_post_is_not_of_the_draft(desk: Desk) -> None:
    desk.approvals("required")
    post = desk.post(accounts=[desk.account()], at=desk.in_minutes(60))
    desk.admin.post(f"/v1/posts/{post['id']}/approve", {"version": 1})
    draft = desk.editor.post(f"/v1/posts/{post['id']}/duplicate", {}).json
    timed = desk.editor.patch(f"/v1/posts/{draft['id']}", {"publish_at": desk.in_minutes(30)}, if_match="*")
    assert (timed.json["state"], timed.json["approval"]["approved"]) == ("awaiting_approval", False)


def test_a_cancelled_post_can_be_made_once_more(desk: Desk) -> None:
    post = desk.post(accounts=[desk.account()], at=desk.in_minutes(60))
    desk.editor.post(f"/v1/posts/{post['id']}/cancel")
    assert desk.editor.post(f"/v1/posts/{post['id']}/duplicate").json["state"] == "draft"


def test_an_account_that_is_gone_is_left_out(desk: Desk) -> None:
    first, second = desk.account(), desk.account(token="other_token")
    post = desk.post(accounts=[first, second], at=desk.in_minutes(60))
    desk.admin.delete(f"/v1/accounts/{first}")
    made = desk.editor.post(f"/v1/posts/{post['id']}/duplicate")
    assert [target["account_id"] for target in made.json["targets"]] == [second]


def test_a_medium_that_is_no_longer_approved_is_refused(desk: Desk) -> None:
    post = desk.post(accounts=[desk.account()], at=desk.in_minutes(60), media=[{"id": desk.media()}])
    desk.owner.execute("UPDATE t_acme.media_items SET state = 'rejected'")
    reply = desk.editor.post(f"/v1/posts/{post['id']}/duplicate")
    assert (reply.status, reply.code, reply.json["errors"][0]["pointer"]) == (422, "media-not-approved", "/media/0/id")
    assert desk.value("SELECT count(*) FROM t_acme.posts") == 1


def test_the_same_id_and_the_same_key_make_one_draft(desk: Desk) -> None:
    account = desk.account()
    post, other = (desk.post(text, accounts=[account], at=None)["id"] for text in ("One", "Two"))
    chosen = str(new_id())
    replies = [desk.editor.post(f"/v1/posts/{one}/duplicate", {"id": chosen}) for one in (post, post, other)]
    assert [reply.status for reply in replies] == [201, 200, 409]
    assert replies[2].code == "post-exists"
    again = [desk.editor.post(f"/v1/posts/{post}/duplicate", idempotency_key="key-1") for _ in range(2)]
    assert again[0].json == again[1].json
    assert desk.value("SELECT count(*) FROM t_acme.posts") == 4


def test_eight_at_once_with_one_id_make_one_draft(desk: Desk) -> None:
    post, chosen, start = UUID(desk.post(accounts=[], at=None)["id"]), new_id(), threading.Barrier(8)
    asked = Asked(new_id(), now(), Pace.of(PublishSettings.from_env()))

    def make(_: int) -> bool:
        start.wait()
        try:
            with transaction(desk.tenant) as tx:
                order = duplicating.order(service.get(tx, post), Known(), post_id=chosen)
                return service.create(tx, order, Known(), asked)[1]
        finally:
            database.forget()

    with ThreadPoolExecutor(8) as pool:
        made = sorted(pool.map(make, range(8)))
    assert made == [False] * 7 + [True]
    assert desk.value("SELECT count(*) FROM t_acme.posts") == 2


def test_a_duplicate_takes_of_the_plan(desk: Desk) -> None:
    post = desk.post(accounts=[], at=None)
    used = "SELECT coalesce(sum(used), 0) FROM cell.usage WHERE meter = 'posts'"
    before = desk.value(used)
    desk.editor.post(f"/v1/posts/{post['id']}/duplicate")
    assert desk.value(used) == before + 1


@pytest.mark.parametrize(
    "body", [{"id": "1"}, {"id": "8b5f5d6e-32a5-4b1c-9c44-0123456789ab"}, {"publish_at": "now"}, []]
)
def test_what_cannot_be_meant_is_refused(desk: Desk, body: object) -> None:
    post = desk.post(accounts=[], at=None)
    assert desk.editor.post(f"/v1/posts/{post['id']}/duplicate", body).status == 422
    assert desk.editor.post(f"/v1/posts/{new_id()}/duplicate").code == "unknown-post"
