"""What each answer of the network means: refused for good, later, or nobody knows."""

import pytest
from botocore.exceptions import EndpointConnectionError

from socialflow.platform import crypto
from tests.integration.publishing.conftest import Desk

STATUSES = "/api/v1/statuses"
MEDIA = "/api/v2/media"
OWN = "/api/v1/accounts/*/statuses"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "invalid-credentials"),
        (403, "permission-missing"),
        (404, "network-refused"),
        (413, "content-refused"),
        (422, "content-refused"),
        (308, "network-refused"),
    ],
)
def test_a_refusal_fails_the_target_in_words(desk: Desk, status: int, code: str) -> None:
    post = desk.post(accounts=[desk.account()])
    run = desk.ready(post["id"])
    desk.mastodon.fault("POST", STATUSES, type="status", status=status, body={"error": "Validation failed: no"})
    assert desk.publish(post["id"], run)["outcome"] == "done"
    assert desk.settle(post["id"], run)["outcome"] == "settled"
    shown = desk.read(post["id"])
    target = shown["targets"][0]
    assert (shown["state"], target["state"], target["problem"]["code"]) == ("failed", "failed", code)
    assert "Validation failed: no" in target["problem"]["detail"] or status == 308
    assert [attempt["outcome"] for attempt in target["attempted"]] == ["failed"]
    assert desk.facts(post["id"])[-1] == "post.failed"
    assert desk.mastodon.statuses() == []


@pytest.mark.parametrize("status", [303, 408, 409, 425, 500, 502, 503, 504])
def test_an_answer_that_proves_nothing_is_unconfirmed(desk: Desk, status: int) -> None:
    post = desk.post(accounts=[desk.account()])
    run = desk.ready(post["id"])
    desk.mastodon.fault("POST", STATUSES, type="status", status=status)
    assert desk.publish(post["id"], run)["outcome"] == "unconfirmed"
    assert desk.target(post["id"])["attempted"][0]["outcome"] == "unconfirmed"


def test_half_a_document_is_unconfirmed(desk: Desk) -> None:
    post = desk.post(accounts=[desk.account()])
    run = desk.ready(post["id"])
    desk.mastodon.fault("POST", STATUSES, type="malformed")
    assert desk.publish(post["id"], run)["outcome"] == "unconfirmed"


def test_a_rate_limit_waits_as_long_as_it_says_and_posts_once(desk: Desk) -> None:
    post = desk.post("Patient", accounts=[desk.account()])
    run = desk.ready(post["id"])
    desk.mastodon.fault("POST", STATUSES, type="ratelimit", headers={"Retry-After": "40"})
    wait = desk.publish(post["id"], run)
    assert wait["outcome"] == "wait"
    assert desk.value("SELECT next_at - now() BETWEEN '35 s' AND '40 s' FROM t_acme.targets")
    assert desk.publish(post["id"], run) == wait
    desk.let_pause_pass(post["id"])
    assert desk.publish(post["id"], run)["outcome"] == "done"
    target = desk.target(post["id"])
    assert [attempt["outcome"] for attempt in target["attempted"]] == ["failed", "published"]
    assert desk.mastodon.texts() == ["Patient"]


def test_a_network_that_never_takes_it_is_given_up_after_six_attempts(desk: Desk) -> None:
    post = desk.post(accounts=[desk.account()])
    run = desk.ready(post["id"])
    desk.mastodon.fault("POST", STATUSES, type="ratelimit", headers={"Retry-After": "1"}, count=10)
    outcomes = []
    for _ in range(6):
        outcomes.append(desk.publish(post["id"], run)["outcome"])
        desk.let_pause_pass(post["id"])
    assert outcomes == ["wait"] * 5 + ["done"]
    target = desk.target(post["id"])
    assert (target["state"], target["problem"]["code"]) == ("failed", "network-unavailable")


def test_a_server_that_cannot_be_reached_is_tried_later(desk: Desk) -> None:
    post = desk.post(accounts=[desk.account()])
    run = desk.ready(post["id"])
    desk.owner.execute("UPDATE t_acme.social_accounts SET base_url = 'https://no-such-host.invalid'")
    desk.reseal()
    assert desk.publish(post["id"], run)["outcome"] == "wait"
    assert desk.target(post["id"])["state"] == "prepared"


def test_a_server_that_has_become_a_private_address_is_never_called(desk: Desk) -> None:
    post = desk.post(accounts=[desk.account()])
    run = desk.ready(post["id"])
    desk.owner.execute("UPDATE t_acme.social_accounts SET base_url = 'https://127.0.0.1:1'")
    desk.reseal()
    assert desk.publish(post["id"], run)["outcome"] == "done"
    assert desk.target(post["id"])["problem"]["code"] == "host-refused"


# Preparing


@pytest.mark.parametrize(
    ("status", "code"), [(401, "invalid-credentials"), (422, "content-refused"), (413, "content-refused")]
)
def test_preparing_is_not_repeated_after_a_refusal(desk: Desk, status: int, code: str) -> None:
    post = desk.post(accounts=[desk.account()], media=[{"id": desk.media()}])
    run = desk.start(post["id"])
    desk.open(post["id"], run)
    desk.mastodon.fault("POST", MEDIA, type="status", status=status)
    assert desk.prepare(post["id"], run)["outcome"] == "done"
    assert desk.target(post["id"])["problem"]["code"] == code
    assert desk.read(post["id"])["state"] == "failed"


def test_preparing_is_tried_six_times_with_growing_pauses(desk: Desk) -> None:
    post = desk.post(accounts=[desk.account()], media=[{"id": desk.media()}])
    run = desk.start(post["id"])
    desk.open(post["id"], run)
    desk.mastodon.fault("POST", MEDIA, type="status", status=503, count=20)
    outcomes, pauses = [], []
    for _ in range(6):
        outcomes.append(desk.prepare(post["id"], run)["outcome"])
        pauses.append(round(desk.value("SELECT extract(epoch FROM next_at - now()) FROM t_acme.targets") or 0, -1))
        desk.let_pause_pass(post["id"])
    assert outcomes == ["again"] * 5 + ["done"]
    assert pauses == [10, 20, 40, 80, 160, 0]
    assert desk.target(post["id"])["problem"]["code"] == "network-unavailable"


def test_preparing_is_not_tried_before_its_pause_is_over(desk: Desk) -> None:
    post = desk.post(accounts=[desk.account()], media=[{"id": desk.media()}])
    run = desk.start(post["id"])
    desk.open(post["id"], run)
    desk.mastodon.fault("POST", MEDIA, type="status", status=503)
    again = desk.prepare(post["id"], run)
    assert desk.prepare(post["id"], run) == again
    assert desk.mastodon.wire.asked("POST", MEDIA) == 1
    desk.let_pause_pass(post["id"])
    assert desk.prepare(post["id"], run)["outcome"] == "prepared"


def test_media_that_changed_after_the_approval_are_not_sent(desk: Desk) -> None:
    post = desk.post(accounts=[desk.account()], media=[{"id": desk.media()}])
    run = desk.start(post["id"])
    desk.open(post["id"], run)
    desk.owner.execute("UPDATE t_acme.derivatives SET sha256 = '\\x00'")
    assert desk.prepare(post["id"], run)["outcome"] == "done"
    assert desk.target(post["id"])["problem"]["code"] == "media-unavailable"
    assert desk.mastodon.wire.asked("POST", MEDIA) == 0


def test_media_that_are_no_longer_approved_are_not_sent(desk: Desk) -> None:
    post = desk.post(accounts=[desk.account()], media=[{"id": desk.media()}])
    run = desk.start(post["id"])
    desk.open(post["id"], run)
    desk.owner.execute("UPDATE t_acme.media_items SET state = 'rejected'")
    assert desk.prepare(post["id"], run)["outcome"] == "done"
    assert desk.target(post["id"])["problem"]["code"] == "media-unavailable"


def test_an_account_that_was_disconnected_fails_in_words(desk: Desk) -> None:
    account = desk.account()
    early, late = desk.post(accounts=[account]), desk.post(accounts=[account])
    run = desk.ready(late["id"])
    assert desk.admin.delete(f"/v1/accounts/{account}").status == 204
    first = desk.start(early["id"])
    desk.open(early["id"], first)
    assert desk.prepare(early["id"], first)["outcome"] == "done"
    assert desk.publish(late["id"], run)["outcome"] == "done"
    for post in (early, late):
        assert desk.target(post["id"])["problem"]["code"] == "account-disconnected"
    assert desk.mastodon.statuses() == []


def test_a_token_that_cannot_be_read_fails_in_words(desk: Desk) -> None:
    account = desk.account()
    early, late, lost = (desk.post(accounts=[account]) for _ in range(3))
    runs = {post["id"]: desk.ready(post["id"]) for post in (late, lost)}
    desk.mastodon.wire.fail("POST", STATUSES, "answer lost")
    desk.publish(lost["id"], runs[lost["id"]])
    desk.owner.execute("UPDATE t_acme.social_accounts SET secret = secret || '\\x00'")
    first = desk.start(early["id"])
    desk.open(early["id"], first)
    assert desk.prepare(early["id"], first)["outcome"] == "done"
    assert desk.publish(late["id"], runs[late["id"]])["outcome"] == "done"
    assert desk.confirm(lost["id"], runs[lost["id"]])["outcome"] == "done"
    for post in (early, late):
        assert desk.target(post["id"])["problem"]["code"] == "credentials-unreadable"
    assert desk.target(lost["id"])["state"] == "unconfirmed"


def test_while_the_key_service_is_silent_nothing_is_claimed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    post = desk.post(accounts=[desk.account()])
    run = desk.ready(post["id"])
    early = desk.post(accounts=[desk.value("SELECT id::text FROM t_acme.social_accounts")])
    first = desk.start(early["id"])
    desk.open(early["id"], first)
    monkeypatch.setattr(crypto, "client", lambda _: Silent())
    assert desk.publish(post["id"], run)["outcome"] == "wait"
    assert desk.prepare(early["id"], first)["outcome"] == "again"
    refused = desk.admin.post(
        "/v1/accounts", {"network": "mastodon", "base_url": desk.mastodon.url, "access_token": "mock_token"}
    )
    assert (refused.status, refused.code) == (503, "keys-unavailable")
    assert desk.value("SELECT count(*) FROM t_acme.attempts") == 0
    monkeypatch.undo()
    assert desk.publish(post["id"], run)["outcome"] == "done"


class Silent:
    """A key service that does not answer."""

    def __getattr__(self, name: str) -> object:
        raise EndpointConnectionError(endpoint_url=name)


def test_one_target_that_fails_keeps_the_other_from_nothing(desk: Desk) -> None:
    post = desk.post("Partly", accounts=[desk.account(), desk.account(token="other_token")])
    run = desk.ready(post["id"])
    desk.mastodon.fault("POST", STATUSES, type="status", status=422)
    assert [desk.publish(post["id"], run, index)["outcome"] for index in (0, 1)] == ["done", "done"]
    desk.settle(post["id"], run)
    shown = desk.read(post["id"])
    assert shown["state"] == "partial"
    assert [target["state"] for target in shown["targets"]] == ["failed", "published"]
    assert desk.facts(post["id"])[-1] == "post.partial"


def test_a_failed_target_is_tried_again_on_request(desk: Desk) -> None:
    post = desk.post("Second try", accounts=[desk.account()])
    run = desk.ready(post["id"])
    desk.mastodon.fault("POST", STATUSES, type="status", status=422)
    desk.publish(post["id"], run)
    desk.settle(post["id"], run)
    target = desk.target(post["id"])["id"]
    reply = desk.editor.post(f"/v1/posts/{post['id']}/targets/{target}/retry")
    assert (reply.status, reply.json["state"], reply.json["targets"][0]["state"]) == (200, "scheduled", "scheduled")
    run = desk.ready(post["id"])
    assert run == 2, "a run's number is never used twice: its execution's name is taken"
    desk.publish(post["id"], run)
    desk.settle(post["id"], run)
    assert desk.read(post["id"])["state"] == "published"
    assert desk.mastodon.texts() == ["Second try"]
    refused = desk.editor.post(f"/v1/posts/{post['id']}/targets/{target}/retry")
    assert (refused.status, refused.code) == (409, "nothing-to-retry")


def let_it_grow_old(desk: Desk) -> None:
    """Let what was prepared be an hour old."""
    desk.owner.execute(
        "UPDATE t_acme.targets SET prepared = prepared || jsonb_build_object('prepared_at',"
        " (prepared ->> 'prepared_at')::float8 - 3600)"
    )


def test_what_was_prepared_long_ago_is_prepared_anew_and_goes_out_once(desk: Desk) -> None:
    post = desk.post("Held for long", accounts=[desk.account()], media=[{"id": desk.media()}])
    run = desk.ready(post["id"])
    let_it_grow_old(desk)
    assert desk.publish(post["id"], run)["outcome"] == "left"
    assert (desk.target(post["id"])["state"], desk.mastodon.statuses()) == ("scheduled", [])
    assert desk.settle(post["id"], run)["outcome"] == "again"
    run = desk.ready(post["id"])
    assert desk.mastodon.wire.asked("POST", MEDIA) == 2
    assert desk.publish(post["id"], run)["outcome"] == "done"
    assert desk.mastodon.texts() == ["Held for long"]


def test_what_is_stopped_is_not_prepared_anew_before_it_may_go(desk: Desk) -> None:
    post = desk.post("Stopped", accounts=[desk.account()])
    run = desk.ready(post["id"])
    let_it_grow_old(desk)
    desk.owner.execute("INSERT INTO cell.switches (tenant, scope, reason) VALUES ('', 'all', 'test')")
    try:
        assert desk.publish(post["id"], run)["outcome"] == "blocked"
    finally:
        desk.owner.execute("DELETE FROM cell.switches")
    assert desk.target(post["id"])["state"] == "prepared"


def test_what_is_put_off_for_hours_is_given_up_nevertheless(desk: Desk) -> None:
    post = desk.post(accounts=[desk.account()])
    run = desk.ready(post["id"])
    desk.mastodon.fault("POST", STATUSES, type="ratelimit", headers={"Retry-After": "3600"}, count=10)
    outcomes = []
    for _ in range(6):
        outcomes.append(desk.publish(post["id"], run)["outcome"])
        desk.let_pause_pass(post["id"])
        let_it_grow_old(desk)
    assert outcomes == ["wait"] * 5 + ["done"]
    assert desk.target(post["id"])["state"] == "failed"
