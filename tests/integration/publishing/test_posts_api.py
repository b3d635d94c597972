"""The posts' API: what is taken, and what is refused in words with nothing half-written."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from socialflow.platform import database
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.ids import new_id
from socialflow.platform.settings import PublishSettings
from socialflow.publishing import service
from socialflow.publishing.asking import Asked
from socialflow.publishing.model import Pace
from socialflow.publishing.planning import Known, Written
from socialflow.publishing.service import Order
from tests.integration.conftest import Member
from tests.integration.publishing.conftest import Desk


def test_a_wall_clock_keeps_its_zone(desk: Desk) -> None:
    year = now().year + 1
    post = desk.post(accounts=[desk.account()], at={"local": f"{year}-01-15T09:00:00", "zone": "Europe/Berlin"})
    assert post["due_at"] == f"{year}-01-15T08:00:00Z"
    assert (post["due_local"], post["due_zone"]) == (f"{year}-01-15T09:00:00", "Europe/Berlin")


def test_a_moment_with_an_offset_is_kept_in_utc(desk: Desk) -> None:
    year = now().year + 1
    post = desk.post(accounts=[desk.account()], at=f"{year}-01-15T09:00:00+05:30")
    assert post["due_at"] == f"{year}-01-15T03:30:00Z"
    assert (post["due_local"], post["due_zone"]) == (None, None)


def test_now_is_now(desk: Desk) -> None:
    due = datetime.fromisoformat(desk.post(accounts=[desk.account()])["due_at"])
    assert timedelta(0) <= now() - due < timedelta(seconds=10)


@pytest.mark.parametrize(
    ("at", "code", "words"),
    [
        ("2020-01-01T00:00:00Z", "unusable-time", "past"),
        ("2027-03-01T09:00:00", "unusable-time", "offset"),
        ("2027-03-01", "unusable-time", "offset"),
        ("tomorrow", "unusable-time", "no time"),
        ("", "unusable-time", "no time"),
        ("9999-12-31T23:59:59-12:00", "unusable-time", "calendar"),
        ("2199-01-01T00:00:00Z", "unusable-time", "two years"),
        ({"local": "2027-03-28T02:30:00", "zone": "Europe/Berlin"}, "unusable-time", "does not exist"),
        ({"local": "2027-10-31T02:30:00", "zone": "Europe/Berlin"}, "unusable-time", "twice"),
        ({"local": "2027-03-01T09:00:00", "zone": "Europe/Atlantis"}, "unusable-time", "no time zone"),
        ({"local": "2027-03-01T09:00:00", "zone": "../../etc/passwd"}, "unusable-time", "no time zone"),
        ({"local": "2027-03-01T09:00:00+01:00", "zone": "Europe/Berlin"}, "unusable-time", "offset"),
        ({"local": "9 o'clock", "zone": "Europe/Berlin"}, "unusable-time", "no time"),
        (1_800_000_000, "invalid", ""),
        ({"local": "2027-03-01T09:00:00"}, "invalid", ""),
    ],
)
def test_a_time_that_cannot_be_used_is_refused_in_words(desk: Desk, at: object, code: str, words: str) -> None:
    reply = desk.try_post(accounts=[desk.account()], at=at)
    assert (reply.status, reply.code) == (422, code), reply
    assert words in reply.json["detail"]
    assert all(error["pointer"].startswith("/publish_at") for error in reply.json["errors"])
    assert desk.value("SELECT count(*) FROM t_acme.posts") == 0
    assert desk.value("SELECT count(*) FROM cell.work") == 0


@pytest.mark.parametrize(("choice", "hour"), [("earlier", "00:30:00"), ("later", "01:30:00")])
def test_a_time_that_happens_twice_is_told_apart(desk: Desk, choice: str, hour: str) -> None:
    at = {"local": "2027-10-31T02:30:00", "zone": "Europe/Berlin", "on_ambiguous": choice}
    assert desk.post(accounts=[desk.account()], at=at)["due_at"] == f"2027-10-31T{hour}Z"


@pytest.mark.parametrize(
    ("state", "words"), [("rejected", "rejected"), ("in_review", "in review"), ("processing", "processing")]
)
def test_a_medium_that_is_not_approved_is_refused(desk: Desk, state: str, words: str) -> None:
    media = [desk.media(), desk.media(state=state)]
    reply = desk.try_post(accounts=[desk.account()], media=[{"id": one} for one in media])
    assert (reply.status, reply.code) == (422, "media-not-approved")
    assert words in reply.json["detail"]
    assert reply.json["errors"][0]["pointer"] == "/media/1/id"
    draft = desk.try_post(accounts=[], at=None, variants={"mastodon": {"media": [{"id": media[1]}]}})
    assert draft.json["errors"][0]["pointer"] == "/variants/mastodon/media/0/id"


def test_unknown_and_repeated_media_and_accounts_are_refused(desk: Desk) -> None:
    account, medium = desk.account(), desk.media()
    for body, code, pointer in (
        ({"media": [{"id": str(new_id())}]}, "media-not-approved", "/media/0/id"),
        ({"media": [{"id": medium}, {"id": medium}]}, "media-not-approved", "/media/1/id"),
        ({"accounts": [str(new_id())]}, "account-not-connected", "/targets/0/account_id"),
        ({"accounts": [account, account]}, "account-not-connected", "/targets/1/account_id"),
        ({"variants": {"myspace": {"text": "x"}}}, "unknown-network", ""),
    ):
        reply = desk.try_post(**({"accounts": [account]} | body))
        assert (reply.status, reply.code) == (422, code), reply
        assert not pointer or reply.json["errors"][0]["pointer"] == pointer
    assert desk.value("SELECT count(*) FROM t_acme.posts") == 0


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"text": "x" * 501}, "/text"),
        ({"text": ""}, "/text"),
        ({"text": " \n "}, "/text"),
        ({"variants": {"mastodon": {"text": "y" * 501}}}, "/variants/mastodon/text"),
        ({"variants": {"mastodon": {"options": {"visibility": "direct"}}}}, "/variants/mastodon/options/visibility"),
        ({"variants": {"mastodon": {"options": {"colour": "red"}}}}, "/variants/mastodon/options/colour"),
        ({"accounts": []}, "/targets"),
    ],
)
def test_what_the_network_would_refuse_is_refused_here(desk: Desk, body: dict[str, object], pointer: str) -> None:
    account = desk.account()
    given: dict[str, Any] = {"text": "Fits", "accounts": [account], **body}
    reply = desk.try_post(**given)
    assert (reply.status, reply.code) == (422, "does-not-fit"), reply
    assert pointer in [error["pointer"] for error in reply.json["errors"]]
    assert desk.try_post(**given, at=None).status == 201, "a draft may be what it likes"


def test_a_variant_replaces_the_text_and_the_media_of_its_network(desk: Desk) -> None:
    media = [desk.media(), desk.media()]
    post = desk.post(
        "x" * 600,
        accounts=[desk.account()],
        media=[{"id": one} for one in media],
        variants={"mastodon": {"text": "Short", "media": [{"id": media[1]}], "options": {"visibility": "unlisted"}}},
    )
    run = desk.ready(post["id"])
    desk.publish(post["id"], run)
    (status,) = desk.mastodon.statuses()
    assert (desk.mastodon.texts(), len(status["media_attachments"])) == (["Short"], 1)
    assert status["visibility"] == "unlisted"


def test_the_instances_own_limit_comes_first(desk: Desk) -> None:
    account = desk.account()
    desk.owner.execute("UPDATE t_acme.social_accounts SET capabilities = capabilities || '{\"max_characters\": 1000}'")
    assert desk.try_post("x" * 900, accounts=[account]).status == 201
    assert desk.try_post("x" * 1001, accounts=[account]).status == 422


def test_the_same_id_with_the_same_body_is_the_same_post(desk: Desk) -> None:
    account, post_id = desk.account(), str(new_id())
    first = desk.try_post("Mine", accounts=[account], id=post_id)
    again = desk.try_post("Mine", accounts=[account], id=post_id)
    other = desk.try_post("Other", accounts=[account], id=post_id)
    assert (first.status, again.status, other.status, other.code) == (201, 200, 409, "post-exists")
    assert again.json == first.json
    assert desk.value("SELECT count(*) FROM t_acme.targets") == 1
    unfit = desk.try_post(accounts=[account], id="8b5f5d6e-32a5-4b1c-9c44-0123456789ab")
    assert (unfit.status, unfit.json["errors"][0]["pointer"]) == (422, "/id")


def test_an_idempotency_key_makes_one_post(desk: Desk) -> None:
    body = {"text": "Once", "targets": [{"account_id": desk.account()}], "publish_at": "now"}
    replies = [desk.editor.post("/v1/posts", body, idempotency_key="key-1") for _ in range(2)]
    assert [reply.status for reply in replies] == [201, 201]
    assert replies[0].json == replies[1].json
    assert replies[1].headers["idempotency-replayed"] == "true"
    assert desk.value("SELECT count(*) FROM t_acme.posts") == 1


def test_a_post_is_listed_and_read_with_its_version(desk: Desk) -> None:
    account = desk.account()
    posts = [desk.post(f"Number {number}", accounts=[account], at=None)["id"] for number in range(3)]
    first = desk.editor.get("/v1/posts?limit=2").json
    assert [post["id"] for post in first["items"]] == posts[:0:-1]
    rest = desk.editor.get(f"/v1/posts?limit=2&cursor={first['next_cursor']}").json
    assert [post["id"] for post in rest["items"]] == posts[:1]
    assert rest["next_cursor"] is None
    assert desk.editor.get("/v1/posts?state=published").json["items"] == []
    reply = desk.editor.get(f"/v1/posts/{posts[0]}")
    assert (reply.status, reply.headers["etag"]) == (200, '"1"')
    assert desk.editor.get(f"/v1/posts/{new_id()}").code == "unknown-post"


def test_a_change_names_the_version_that_it_changes(desk: Desk) -> None:
    post = desk.post(accounts=[desk.account()], at=desk.in_minutes(60))
    address = f"/v1/posts/{post['id']}"
    assert desk.editor.patch(address, {"text": "New"}).status == 428
    stale = desk.editor.patch(address, {"text": "New"}, if_match='"2"')
    assert (stale.status, stale.json["current_version"], stale.headers["etag"]) == (412, 1, '"1"')
    changed = desk.editor.patch(address, {"text": "New"}, if_match='"1"')
    assert (changed.status, changed.json["text"], changed.headers["etag"]) == (200, "New", '"2"')
    assert desk.value("SELECT count(*) FROM t_acme.post_versions") == 2


def test_a_change_is_held_against_the_limits_too(desk: Desk) -> None:
    post = desk.post(accounts=[desk.account()], at=desk.in_minutes(60))
    reply = desk.editor.patch(f"/v1/posts/{post['id']}", {"text": "x" * 501}, if_match="*")
    assert (reply.status, reply.code) == (422, "does-not-fit")
    assert desk.read(post["id"])["version"] == 1


def test_a_post_becomes_a_draft_and_a_draft_gets_a_time(desk: Desk) -> None:
    post = desk.post(accounts=[desk.account()], at=desk.in_minutes(60))
    address = f"/v1/posts/{post['id']}"
    draft = desk.editor.patch(address, {"publish_at": None}, if_match="*")
    assert (draft.json["state"], draft.json["due_at"]) == ("draft", None)
    run = desk.start(post["id"])
    assert desk.open(post["id"], run)["outcome"] == "settle"
    desk.approvals("required")
    back = desk.editor.patch(address, {"publish_at": desk.in_minutes(30)}, if_match="*")
    assert (back.json["state"], back.json["approval"]["required"]) == ("awaiting_approval", True)


def test_a_draft_gets_its_targets_later_and_a_post_can_lose_one(desk: Desk) -> None:
    first, second = desk.account(), desk.account(token="other_token")
    post = desk.post("Where to?", accounts=[], at=None)
    address = f"/v1/posts/{post['id']}"
    nowhere = desk.editor.patch(address, {"publish_at": "now"}, if_match="*")
    assert (nowhere.status, nowhere.json["errors"][0]["pointer"]) == (422, "/targets")
    targets = [{"account_id": first}, {"account_id": second}]
    both = desk.editor.patch(address, {"targets": targets, "publish_at": desk.in_minutes(60)}, if_match="*")
    assert (both.json["state"], len(both.json["targets"])) == ("scheduled", 2)
    assert desk.facts(post["id"]) == ["post.scheduled"]
    kept = both.json["targets"][1]
    one = desk.editor.patch(address, {"targets": targets[1:], "publish_at": "now"}, if_match="*")
    assert [target["id"] for target in one.json["targets"]] == [kept["id"]]
    run = desk.ready(post["id"])
    desk.publish(post["id"], run)
    assert (len(desk.mastodon.statuses()), len(desk.mastodon.statuses("other_token"))) == (0, 1)


def test_a_target_that_was_attempted_stays(desk: Desk) -> None:
    accounts = [desk.account(), desk.account(token="other_token")]
    post = desk.post(accounts=accounts[:1])
    run = desk.ready(post["id"])
    desk.mastodon.fault("POST", "/api/v1/statuses", type="status", status=422)
    desk.publish(post["id"], run)
    body = {"targets": [{"account_id": accounts[1]}], "publish_at": "now"}
    reply = desk.editor.patch(f"/v1/posts/{post['id']}", body, if_match="*")
    assert (reply.status, reply.code) == (409, "post-not-editable")


def test_a_change_of_a_post_whose_medium_is_no_longer_approved_is_refused(desk: Desk) -> None:
    post = desk.post(accounts=[desk.account()], at=desk.in_minutes(60), media=[{"id": desk.media()}])
    desk.owner.execute("UPDATE t_acme.media_items SET state = 'rejected'")
    reply = desk.editor.patch(f"/v1/posts/{post['id']}", {"text": "New"}, if_match="*")
    assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, "/media/0/id")
    assert desk.editor.patch(f"/v1/posts/{post['id']}", {"media": []}, if_match="*").status == 200


def test_a_change_of_a_post_whose_account_is_gone_is_refused(desk: Desk) -> None:
    account = desk.account()
    post = desk.post(accounts=[account], at=desk.in_minutes(60))
    desk.admin.delete(f"/v1/accounts/{account}")
    reply = desk.editor.patch(f"/v1/posts/{post['id']}", {"text": "New"}, if_match="*")
    assert (reply.status, reply.code) == (409, "post-not-editable")


def test_the_same_post_made_by_eight_at_once_is_one(desk: Desk) -> None:
    post_id, start = new_id(), threading.Barrier(8)
    order = Order(post_id, Written("At once"), (), None, b"the same request")
    asked = Asked(new_id(), now(), Pace.of(PublishSettings.from_env()))

    def make(_: int) -> bool:
        start.wait()
        try:
            with transaction(desk.tenant) as tx:
                return service.create(tx, order, Known(), asked)[1]
        finally:
            database.forget()

    with ThreadPoolExecutor(8) as pool:
        made = sorted(pool.map(make, range(8)))
    assert made == [False] * 7 + [True]


def test_a_time_that_has_passed_is_kept_by_no_change(desk: Desk) -> None:
    post = desk.post(accounts=[desk.account()], at=desk.in_minutes(60))
    desk.owner.execute("UPDATE t_acme.posts SET due_at = now() - interval '1 h'")
    reply = desk.editor.patch(f"/v1/posts/{post['id']}", {"text": "New"}, if_match="*")
    assert (reply.status, reply.code) == (409, "post-not-editable")
    assert desk.editor.patch(f"/v1/posts/{post['id']}", {"publish_at": "now"}, if_match="*").status == 200


def test_the_policy_is_that_of_the_time_of_scheduling(desk: Desk) -> None:
    post = desk.post(accounts=[desk.account()], at=desk.in_minutes(60))
    desk.approvals("required")
    reply = desk.editor.patch(f"/v1/posts/{post['id']}", {"text": "New"}, if_match="*")
    assert (reply.json["state"], reply.json["approval"]["required"]) == ("scheduled", False)


def test_each_may_do_what_their_role_says(desk: Desk, member: Member) -> None:
    account = desk.account()
    post = desk.post(accounts=[account], at=desk.in_minutes(60))
    viewer, stranger = member("viewer"), member("owner", "contoso")
    assert viewer.get(f"/v1/posts/{post['id']}").status == 200
    assert viewer.post("/v1/posts", {"text": 5}).status == 403, "before the body is looked at"
    assert viewer.post(f"/v1/posts/{post['id']}/cancel").status == 403
    assert stranger.get(f"/v1/posts/{post['id']}").status == 404
    assert stranger.post(f"/v1/posts/{post['id']}/cancel").status == 404
    body = {"text": "x", "targets": [{"account_id": account}], "publish_at": "now"}
    assert stranger.post("/v1/posts", body).code == "account-not-connected"


@pytest.mark.parametrize(
    "body",
    [
        {"text": "a\x00b"},
        {"text": "\ud800"},
        {"text": None},
        {"text": "x", "colour": "red"},
        {"targets": [{}]},
        {"targets": "all"},
        {"media": [{"id": "not-a-uuid"}]},
        {"text": "x" * 63_207},
        {"variants": {"mastodon": {"options": {"x": {"y": 1}}}}},
    ],
)
def test_a_hostile_body_is_refused(desk: Desk, body: dict[str, object]) -> None:
    reply = desk.editor.post("/v1/posts", body)
    assert reply.status in (400, 422), reply
    assert desk.value("SELECT count(*) FROM t_acme.posts") == 0


def test_times_in_answers_are_utc(desk: Desk) -> None:
    post = desk.post(accounts=[desk.account()])
    for name in ("due_at", "created_at", "updated_at"):
        assert datetime.fromisoformat(post[name]).utcoffset() == UTC.utcoffset(None), name
