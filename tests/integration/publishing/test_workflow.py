"""The whole post: where a run begins, when it goes on, when it ends; the work row says when somebody must look."""

import pytest

from functions.task_open_post.handler import handler as task_open_post
from socialflow.publishing.refusals import UnknownPost
from tests.integration.publishing.conftest import Desk

HOUR = 60.0


def wake_in(desk: Desk, seconds: float) -> bool:
    """Tell whether the work row wakes in about that many seconds."""
    query = "SELECT abs(extract(epoch FROM wake_at - now()) - %s) < 10 FROM cell.work"
    return bool(desk.value(query, seconds))


def test_a_post_within_the_horizon_is_started_now(desk: Desk) -> None:
    desk.post(accounts=[desk.account()], at=desk.in_minutes(23 * HOUR))
    assert wake_in(desk, 0)


def test_a_post_beyond_the_horizon_has_only_a_work_row(desk: Desk) -> None:
    desk.post(accounts=[desk.account()], at=desk.in_minutes(30 * HOUR))
    assert wake_in(desk, 6 * HOUR * 60)


def test_a_run_that_begins_too_early_leaves_it_to_a_later_one(desk: Desk) -> None:
    post = desk.post(accounts=[desk.account()], at=desk.in_minutes(30 * HOUR))
    run = desk.start(post["id"])
    assert desk.open(post["id"], run)["outcome"] == "later"
    assert wake_in(desk, 6 * HOUR * 60)


def test_a_run_waits_for_its_lead_and_is_missed_soon_after(desk: Desk) -> None:
    post = desk.post(accounts=[desk.account()], at=desk.in_minutes(60))
    run = desk.start(post["id"])
    opened = desk.open(post["id"], run)
    assert opened["outcome"] == "publish"
    assert opened["targets"] == [desk.target(post["id"])["id"]]
    assert desk.value("SELECT due_at - %s::timestamptz FROM t_acme.targets", opened["prepare_at"]).seconds == 600
    assert wake_in(desk, 3600 - 600 + 30)


def test_a_draft_has_no_work(desk: Desk) -> None:
    post = desk.post("", accounts=[], at=None)
    assert post["state"] == "draft"
    assert desk.value("SELECT count(*) FROM cell.work") == 0


def test_an_older_run_is_superseded_at_every_step(desk: Desk) -> None:
    post = desk.post(accounts=[desk.account()])
    old = desk.ready(post["id"])
    new = desk.start(post["id"])
    assert desk.open(post["id"], old)["outcome"] == "superseded"
    assert desk.settle(post["id"], old)["outcome"] == "superseded"
    desk.open(post["id"], new)
    for step in (desk.prepare, desk.publish, desk.confirm_now):
        assert step(post["id"], old)["outcome"] == "superseded"
    assert desk.publish(post["id"], new)["outcome"] == "done"
    assert len(desk.mastodon.statuses()) == 1


def test_a_preparation_that_outlives_its_run_is_thrown_away(desk: Desk) -> None:
    post = desk.post(accounts=[desk.account()], media=[{"id": desk.media()}])
    old = desk.start(post["id"])
    desk.open(post["id"], old)

    def overtake() -> None:
        new = desk.start(post["id"])
        desk.open(post["id"], new)

    desk.meanwhile("POST", "/api/v2/media", overtake)
    assert desk.prepare(post["id"], old)["outcome"] == "left"
    assert desk.target(post["id"])["state"] == "preparing"


def test_a_new_run_does_not_wait_for_a_preparation_that_died_with_an_older_one(desk: Desk) -> None:
    post = desk.post(accounts=[desk.account()], media=[{"id": desk.media()}])
    old = desk.start(post["id"])
    desk.open(post["id"], old)

    def lights_out() -> None:
        opened = desk.open(post["id"], desk.start(post["id"]))
        soon = desk.value("SELECT %s::timestamptz - now() < interval '15 seconds'", opened["prepare_at"])
        assert soon, "the older try's lease is over three minutes"

    desk.meanwhile("POST", "/api/v2/media", lights_out)
    assert desk.prepare(post["id"], old)["outcome"] == "left"


def test_steps_that_are_done_are_not_done_again(desk: Desk) -> None:
    post = desk.post(accounts=[desk.account()])
    run = desk.ready(post["id"])
    assert desk.prepare(post["id"], run)["outcome"] == "prepared"
    desk.publish(post["id"], run)
    assert [step(post["id"], run)["outcome"] for step in (desk.prepare, desk.publish, desk.confirm_now)] == ["done"] * 3
    assert desk.open(post["id"], run)["outcome"] == "settle"
    assert len(desk.mastodon.statuses()) == 1


def test_an_early_publish_waits_for_the_second(desk: Desk) -> None:
    post = desk.post(accounts=[desk.account()], at=desk.in_minutes(1))
    run = desk.ready(post["id"])
    wait = desk.publish(post["id"], run)
    assert wait["outcome"] == "wait"
    assert desk.value("SELECT due_at = %s::timestamptz FROM t_acme.targets", wait["at"])
    assert desk.mastodon.statuses() == []


def test_a_publisher_that_was_called_ahead_publishes_in_the_due_second_and_not_before(desk: Desk) -> None:
    post = desk.post(accounts=[desk.account()], at=desk.in_minutes(3 / 60))
    run = desk.ready(post["id"])
    assert desk.publish(post["id"], run)["outcome"] == "done"
    late = desk.value("SELECT extract(epoch FROM a.started_at - t.due_at) FROM t_acme.attempts a, t_acme.targets t")
    assert late >= 0
    assert len(desk.mastodon.statuses()) == 1


def test_the_publisher_is_called_ahead_of_the_due_time(desk: Desk) -> None:
    post = desk.post(accounts=[desk.account()], at=desk.in_minutes(1))
    run = desk.ready(post["id"])
    prepared = desk.prepare(post["id"], run)
    assert prepared["outcome"] == "prepared"
    assert desk.value("SELECT due_at - %s::timestamptz = '3 seconds' FROM t_acme.targets", prepared["at"])


def test_preparing_long_before_the_lead_is_left_alone(desk: Desk) -> None:
    post = desk.post(accounts=[desk.account()], at=desk.in_minutes(60))
    run = desk.start(post["id"])
    desk.open(post["id"], run)
    assert desk.prepare(post["id"], run)["outcome"] == "left"
    assert desk.settle(post["id"], run)["outcome"] == "settled"
    assert wake_in(desk, 3600 - 600 - 30), "a wait of an hour needs no execution"


@pytest.mark.parametrize(
    "stop",
    [
        "INSERT INTO cell.switches (tenant, scope, reason) VALUES ('', 'all', 'incident')",
        "INSERT INTO cell.switches (tenant, scope, reason) VALUES ('acme', 'mastodon', 'incident')",
        "UPDATE t_acme.targets SET hold = true",
        "UPDATE control.tenants SET status = 'suspended' WHERE slug = 'acme'",
    ],
)
def test_a_stopped_post_is_looked_at_again_and_goes_out_when_it_may(desk: Desk, stop: str) -> None:
    post = desk.post("Stopped", accounts=[desk.account()])
    run = desk.ready(post["id"])
    desk.owner.execute(stop)
    assert desk.publish(post["id"], run)["outcome"] == "blocked"
    assert desk.settle(post["id"], run)["outcome"] == "settled"
    assert wake_in(desk, 300)
    assert desk.mastodon.statuses() == []
    desk.owner.execute("DELETE FROM cell.switches")
    desk.owner.execute("UPDATE t_acme.targets SET hold = false")
    desk.owner.execute("UPDATE control.tenants SET status = 'active' WHERE slug = 'acme'")
    run = desk.ready(post["id"])
    assert desk.publish(post["id"], run)["outcome"] == "done"
    assert desk.settle(post["id"], run)["outcome"] == "settled"
    assert desk.mastodon.texts() == ["Stopped"]


def test_a_stopped_post_is_not_even_prepared(desk: Desk) -> None:
    post = desk.post(accounts=[desk.account()], media=[{"id": desk.media()}])
    run = desk.start(post["id"])
    desk.open(post["id"], run)
    desk.owner.execute("INSERT INTO cell.switches (tenant, scope, reason) VALUES ('', 'all', 'incident')")
    assert desk.prepare(post["id"], run)["outcome"] == "blocked"
    assert desk.mastodon.wire.asked("POST", "/api/v2/media") == 0


def test_while_an_attempt_is_under_way_the_work_row_waits_for_its_lease(desk: Desk) -> None:
    post = desk.post(accounts=[desk.account()])
    run = desk.ready(post["id"])
    desk.mastodon.wire.fail("POST", "/api/v1/statuses", "answer lost")
    desk.publish(post["id"], run)
    assert wake_in(desk, 120 + 30)
    again = desk.settle(post["id"], run)
    assert again["outcome"] == "again"
    assert desk.value("SELECT abs(extract(epoch FROM lease - %s::timestamptz)) <= 1 FROM t_acme.targets", again["at"])


def test_a_settled_post_that_a_person_can_revive_keeps_its_number(desk: Desk) -> None:
    post = desk.post(accounts=[desk.account()])
    run = desk.ready(post["id"])
    desk.mastodon.fault("POST", "/api/v1/statuses", type="status", status=422)
    desk.publish(post["id"], run)
    desk.settle(post["id"], run)
    assert desk.value("SELECT run FROM cell.work WHERE wake_at IS NULL") == run


def test_a_run_started_again_by_hand_finds_nothing_to_do(desk: Desk) -> None:
    post = desk.post(accounts=[desk.account()])
    run = desk.ready(post["id"])
    desk.mastodon.fault("POST", "/api/v1/statuses", type="status", status=422)
    desk.publish(post["id"], run)
    desk.settle(post["id"], run)
    run = desk.start(post["id"])
    assert desk.open(post["id"], run)["outcome"] == "settle"
    assert desk.settle(post["id"], run)["outcome"] == "settled"
    assert desk.facts(post["id"]).count("post.failed") == 1


def test_another_tenants_post_is_not_found(desk: Desk) -> None:
    post = desk.post(accounts=[desk.account()])
    foreign = desk.given(post["id"], 1) | {"tenant": "contoso"}
    with pytest.raises(UnknownPost):
        task_open_post(foreign, None)
