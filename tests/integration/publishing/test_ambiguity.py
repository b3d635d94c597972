"""After an answer that nobody has: nothing twice, nothing lost, and where nothing is provable, a person decides."""

import pytest

from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.registry import named
from socialflow.publishing import ledger
from socialflow.publishing.model import KEY_WINDOW
from socialflow.publishing.networks.port import Receipt, Refused, Unknown
from tests.integration.publishing.conftest import Desk
from tests.wire import Fault

STATUSES = "/api/v1/statuses"
ARRIVED: tuple[Fault, ...] = ("answer lost", "garbage", "bad gateway")


@pytest.mark.parametrize("keeps_keys", [True, False])
@pytest.mark.parametrize("fault", ARRIVED)
def test_what_was_accepted_and_not_answered_is_found_and_not_sent_again(
    desk: Desk, fault: Fault, keeps_keys: bool
) -> None:
    desk.mastodon.wire.strips_keys = not keeps_keys
    post = desk.post("Only once", accounts=[desk.account(keeps_keys=keeps_keys)])
    run = desk.ready(post["id"])
    desk.mastodon.wire.fail("POST", STATUSES, fault)
    assert desk.publish(post["id"], run)["outcome"] == "unconfirmed"
    assert desk.target(post["id"])["state"] == "attempting"
    assert desk.confirm(post["id"], run)["outcome"] == "done"
    assert desk.settle(post["id"], run)["outcome"] == "settled"
    (status,) = desk.mastodon.statuses()
    target = desk.target(post["id"])
    assert (target["state"], target["receipt"]["remote_id"]) == ("published", status["id"])
    assert desk.mastodon.wire.asked("POST", STATUSES) == 1
    assert desk.facts(post["id"])[-1] == "post.published"


def test_a_call_that_outlives_its_deadline_is_found_too(desk: Desk) -> None:
    post = desk.post("Slow", accounts=[desk.account()])
    run = desk.ready(post["id"])
    desk.mastodon.wire.fail("POST", STATUSES, "answer held")
    assert desk.publish(post["id"], run, seconds=9.0)["outcome"] == "unconfirmed"
    desk.mastodon.wire.release.set()
    assert desk.confirm(post["id"], run)["outcome"] == "done"
    assert len(desk.mastodon.statuses()) == 1
    assert desk.target(post["id"])["state"] == "published"


def test_what_never_arrived_is_sent_again_under_its_key(desk: Desk) -> None:
    post = desk.post("Lost on the way", accounts=[desk.account()])
    run = desk.ready(post["id"])
    desk.mastodon.wire.fail("POST", STATUSES, "question lost")
    assert desk.publish(post["id"], run)["outcome"] == "unconfirmed"
    assert desk.mastodon.statuses() == []
    assert desk.confirm(post["id"], run)["outcome"] == "done"
    assert desk.mastodon.texts() == ["Lost on the way"]
    assert len(desk.mastodon.wire.keys()) == 1
    assert desk.mastodon.wire.asked("POST", STATUSES) == 2
    assert desk.target(post["id"])["state"] == "published"
    assert desk.target(post["id"])["attempts"] == 1


def test_what_never_arrived_waits_for_a_person_where_keys_are_not_kept(desk: Desk) -> None:
    desk.mastodon.wire.strips_keys = True
    post = desk.post("Lost on the way", accounts=[desk.account(keeps_keys=False)])
    run = desk.ready(post["id"])
    desk.mastodon.wire.fail("POST", STATUSES, "question lost")
    desk.publish(post["id"], run)
    assert desk.confirm(post["id"], run)["outcome"] == "done"
    assert desk.settle(post["id"], run)["outcome"] == "settled"
    assert desk.mastodon.statuses() == []
    shown = desk.read(post["id"])
    assert (shown["state"], shown["targets"][0]["problem"]["code"]) == ("unconfirmed", "outcome-unknown")
    assert desk.facts(post["id"])[-1] == "post.unconfirmed"


def test_after_the_keys_hour_it_is_not_sent_again(desk: Desk) -> None:
    post = desk.post("Too late for the key", accounts=[desk.account()])
    run = desk.ready(post["id"])
    desk.mastodon.wire.fail("POST", STATUSES, "question lost")
    desk.publish(post["id"], run)
    desk.owner.execute("UPDATE t_acme.attempts SET started_at = started_at - %s", (KEY_WINDOW,))
    desk.confirm(post["id"], run)
    assert desk.mastodon.statuses() == []
    assert desk.target(post["id"])["state"] == "unconfirmed"


def test_the_keys_hour_begins_with_its_first_use(desk: Desk) -> None:
    """A person's "post again" has the same key: its hour is the first attempt's."""
    post = desk.post("Twice begun", accounts=[desk.account()])
    run = desk.ready(post["id"])
    desk.mastodon.wire.fail("POST", STATUSES, "question lost", times=2)
    desk.publish(post["id"], run)
    desk.owner.execute("UPDATE t_acme.attempts SET started_at = started_at - %s", (KEY_WINDOW,))
    desk.confirm(post["id"], run)
    target = desk.target(post["id"])["id"]
    assert desk.editor.post(f"/v1/posts/{post['id']}/targets/{target}/resolve", {"post_again": True}).status == 200
    run = desk.ready(post["id"])
    desk.publish(post["id"], run)
    desk.confirm(post["id"], run)
    assert desk.mastodon.statuses() == []
    assert desk.target(post["id"])["state"] == "unconfirmed"


def test_a_repetition_that_is_not_answered_is_asked_about_again(desk: Desk) -> None:
    post = desk.post("Third time", accounts=[desk.account()])
    run = desk.ready(post["id"])
    desk.mastodon.wire.fail("POST", STATUSES, "question lost", times=2)
    desk.publish(post["id"], run)
    assert desk.confirm(post["id"], run)["outcome"] == "unconfirmed"
    assert desk.confirm(post["id"], run)["outcome"] == "done"
    assert desk.mastodon.texts() == ["Third time"]


def test_while_the_statuses_cannot_be_read_nothing_is_decided(desk: Desk) -> None:
    post = desk.post("Patience", accounts=[desk.account(keeps_keys=False)])
    run = desk.ready(post["id"])
    desk.mastodon.wire.fail("POST", STATUSES, "answer lost")
    desk.publish(post["id"], run)
    desk.mastodon.fault("GET", "/api/v1/accounts/*/statuses", type="status", status=503)
    again = desk.confirm(post["id"], run)
    assert again["outcome"] == "unconfirmed"
    assert desk.target(post["id"])["state"] == "attempting"
    assert desk.confirm_now(post["id"], run)["outcome"] == "unconfirmed"
    assert desk.confirm(post["id"], run)["outcome"] == "done"
    assert desk.target(post["id"])["state"] == "published"


def test_after_many_looks_in_vain_a_person_is_asked(desk: Desk) -> None:
    post = desk.post("Hopeless", accounts=[desk.account(keeps_keys=False)])
    run = desk.ready(post["id"])
    desk.mastodon.wire.fail("POST", STATUSES, "question lost")
    desk.publish(post["id"], run)
    desk.mastodon.fault("GET", "/api/v1/accounts/*/statuses", type="status", status=503, count=100)
    outcomes = [desk.confirm(post["id"], run)["outcome"] for _ in range(13)]
    assert outcomes == ["unconfirmed"] * 12 + ["done"]
    target = desk.target(post["id"])
    assert target["state"] == "unconfirmed"
    assert target["problem"]["detail"] == "The server answered 503. Look there whether the post is out."


def test_nobody_looks_before_the_lease_is_over(desk: Desk) -> None:
    post = desk.post("In good time", accounts=[desk.account()])
    run = desk.ready(post["id"])
    desk.mastodon.wire.fail("POST", STATUSES, "answer lost")
    at = desk.publish(post["id"], run)["at"]
    early = desk.confirm_now(post["id"], run)
    assert early == {"outcome": "unconfirmed", "at": at}


def test_an_older_equal_post_is_not_taken_for_ours(desk: Desk) -> None:
    desk.mastodon.post("Good morning")
    desk.mastodon.wire.strips_keys = True
    post = desk.post("Good morning", accounts=[desk.account(keeps_keys=False)])
    run = desk.ready(post["id"])
    desk.mastodon.wire.fail("POST", STATUSES, "question lost")
    desk.publish(post["id"], run)
    desk.confirm(post["id"], run)
    assert desk.target(post["id"])["state"] == "unconfirmed"


def test_two_equal_posts_are_two_statuses(desk: Desk) -> None:
    """Each lost answer is matched with a status of its own; a third one, never sent, is not."""
    account = desk.account(keeps_keys=False)
    desk.mastodon.wire.strips_keys = True
    posts = [desk.post("Same words", accounts=[account])["id"] for _ in range(3)]
    runs = [desk.ready(post) for post in posts]
    desk.mastodon.wire.fail("POST", STATUSES, "answer lost", times=2)
    desk.mastodon.wire.fail("POST", STATUSES, "question lost")
    for post, run in zip(posts, runs, strict=True):
        desk.publish(post, run)
    for post, run in zip(posts, runs, strict=True):
        desk.confirm(post, run)
    assert sorted(desk.target(post)["state"] for post in posts) == ["published", "published", "unconfirmed"]
    receipts = {desk.target(post)["receipt"]["remote_id"] for post in posts if desk.target(post)["receipt"]}
    assert receipts == {status["id"] for status in desk.mastodon.statuses()}


def test_pictures_without_words_are_told_apart(desk: Desk) -> None:
    """The first never arrived, the second did: what is there is the second's."""
    account = desk.account(keeps_keys=False)
    desk.mastodon.wire.strips_keys = True
    posts = [desk.post("", accounts=[account], media=[{"id": desk.media()}])["id"] for _ in range(2)]
    runs = [desk.ready(post) for post in posts]
    desk.mastodon.wire.fail("POST", STATUSES, "question lost")
    desk.mastodon.wire.fail("POST", STATUSES, "answer lost")
    for post, run in zip(posts, runs, strict=True):
        desk.publish(post, run)
    for post, run in zip(posts, runs, strict=True):
        desk.confirm(post, run)
    assert [desk.target(post)["state"] for post in posts] == ["unconfirmed", "published"]


def test_a_function_that_dies_after_the_claim_leaves_an_attempt_to_confirm(desk: Desk) -> None:
    """Before the call: with keys it goes out once; the next run begins where the rows stand."""
    post = desk.post("Killed", accounts=[desk.account()])
    run = desk.ready(post["id"])
    desk.claim_and_die(post["id"], run)
    run = desk.start(post["id"])
    assert desk.open(post["id"], run)["outcome"] == "publish"
    assert desk.prepare(post["id"], run)["outcome"] == "unconfirmed"
    assert desk.publish(post["id"], run)["outcome"] == "unconfirmed"
    assert desk.confirm(post["id"], run)["outcome"] == "done"
    assert desk.mastodon.texts() == ["Killed"]


@pytest.mark.parametrize("keeps_keys", [True, False])
def test_a_function_that_dies_between_acceptance_and_receipt_posts_once(desk: Desk, keeps_keys: bool) -> None:
    desk.mastodon.wire.strips_keys = not keeps_keys
    post = desk.post("Killed later", accounts=[desk.account(keeps_keys=keeps_keys)])
    run = desk.ready(post["id"])
    desk.claim_and_die(post["id"], run)
    desk.mastodon.post("Killed later")  # what the dead function's call has made
    run = desk.start(post["id"])
    desk.open(post["id"], run)
    assert desk.confirm(post["id"], run)["outcome"] == "done"
    assert desk.mastodon.texts() == ["Killed later"]
    assert desk.target(post["id"])["state"] == "published"


def test_a_late_receipt_counts_whatever_the_run_and_the_lease(desk: Desk) -> None:
    post = desk.post("Late", accounts=[desk.account(keeps_keys=False)])
    run = desk.ready(post["id"])
    attempt = desk.claim_and_die(post["id"], run)
    run = desk.start(post["id"])
    desk.open(post["id"], run)
    desk.confirm(post["id"], run)
    assert desk.target(post["id"])["state"] == "unconfirmed"
    receipt = Receipt("4711", "https://example.social/@acme/4711")
    with transaction(named("acme")) as tx:
        assert ledger.report_attempt(tx, attempt.post, attempt.id, receipt, at=now()).outcome == "done"
    shown = desk.read(post["id"])
    assert (shown["state"], shown["targets"][0]["receipt"]["remote_id"]) == ("published", "4711")


def test_a_late_receipt_counts_over_a_second_attempt_that_fails(desk: Desk) -> None:
    post = desk.post("Late again", accounts=[desk.account(keeps_keys=False)])
    run = desk.ready(post["id"])
    first = desk.claim_and_die(post["id"], run)
    run = desk.start(post["id"])
    desk.open(post["id"], run)
    desk.confirm(post["id"], run)
    target = desk.target(post["id"])["id"]
    desk.editor.post(f"/v1/posts/{post['id']}/targets/{target}/resolve", {"post_again": True})
    run = desk.ready(post["id"])
    second = desk.claim_and_die(post["id"], run)
    with transaction(named("acme")) as tx:
        ledger.report_attempt(tx, first.post, first.id, Receipt("4711", None), at=now())
    assert desk.target(post["id"])["state"] == "attempting"
    with transaction(named("acme")) as tx:
        ledger.report_attempt(tx, second.post, second.id, Refused("content-refused", "no"), at=now())
    shown = desk.target(post["id"])
    assert (shown["state"], shown["receipt"]["remote_id"]) == ("published", "4711")


def test_a_receipt_is_never_overwritten(desk: Desk) -> None:
    post = desk.post("Sure", accounts=[desk.account()])
    run = desk.ready(post["id"])
    attempt = desk.claim_and_die(post["id"], run)
    for answer in (Receipt("4711", None), Refused("content-refused", "no"), Unknown("?")):
        with transaction(named("acme")) as tx:
            ledger.report_attempt(tx, attempt.post, attempt.id, answer, at=now())
    shown = desk.target(post["id"])
    assert (shown["state"], shown["receipt"]["remote_id"], shown["attempted"][0]["outcome"]) == (
        "published",
        "4711",
        "published",
    )


def test_a_status_of_another_post_is_no_receipt(desk: Desk) -> None:
    account = desk.account()
    done, mine = desk.post("First", accounts=[account]), desk.post("Second", accounts=[account])
    run = desk.ready(done["id"])
    desk.publish(done["id"], run)
    taken = desk.target(done["id"])["receipt"]["remote_id"]
    attempt = desk.claim_and_die(mine["id"], desk.ready(mine["id"]))
    with transaction(named("acme")) as tx:
        ledger.report_attempt(tx, attempt.post, attempt.id, Receipt(taken, None), at=now())
    assert desk.target(mine["id"])["state"] == "unconfirmed"
