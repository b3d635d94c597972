"""The workflow's own file, executed, with the real functions behind its states: nothing in between is scripted."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import pytest

from functions.task_await_approval.handler import handler as task_await_approval
from functions.task_confirm_target.handler import handler as task_confirm_target
from functions.task_open_post.handler import handler as task_open_post
from functions.task_prepare_target.handler import handler as task_prepare_target
from functions.task_publish_target.handler import handler as task_publish_target
from functions.task_settle_post.handler import handler as task_settle_post
from socialflow.platform import database, settings
from tests.integration.publishing.conftest import Desk
from tests.workflows.asl import load
from tests.workflows.engine import Answer, Raises, Run, run

STATUSES = "/api/v1/statuses"
TASKS = {
    "task_open_post": task_open_post,
    "task_await_approval": task_await_approval,
    "task_prepare_target": task_prepare_target,
    "task_publish_target": task_publish_target,
    "task_confirm_target": task_confirm_target,
    "task_settle_post": task_settle_post,
}
Call = Callable[[Mapping[str, Any]], Answer]


@pytest.fixture
def short_lease(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An attempt's lease of two seconds."""
    monkeypatch.setenv("SOCIALFLOW_PUBLISH_LEASE", "2")
    settings.forget()
    yield
    monkeypatch.undo()
    settings.forget()


def called(handler: Any, payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """Call a function as the engine's thread does, which has a connection of its own."""
    try:
        answer: dict[str, Any] = handler(dict(payload), None)
        return answer
    finally:
        database.forget()


def execute(desk: Desk, post_id: str, **instead: Call) -> Run:
    """Start the post's next run and let the engine take it to its end."""

    script = {name: partial(called, handler) for name, handler in TASKS.items()} | instead
    return run(load("publish_post"), script, desk.given(post_id, desk.start(post_id)), limit=60)


def test_two_targets_go_out_at_their_time_and_not_before(desk: Desk) -> None:
    accounts = [desk.account(), desk.account(token="other_token")]
    post = desk.post("In time", accounts=accounts, at=desk.in_minutes(0.07), media=[{"id": desk.media()}])
    done = execute(desk, post["id"])
    assert (done.status, done.states[-1]) == ("SUCCEEDED", "Post Settled")
    shown = desk.read(post["id"])
    assert shown["state"] == "published"
    joined = "t_acme.attempts a JOIN t_acme.targets t ON t.id = a.target_id"
    assert desk.value(f"SELECT count(*) FROM {joined} WHERE started_at < due_at") == 0
    assert len(desk.mastodon.statuses()) == len(desk.mastodon.statuses("other_token")) == 1


def test_a_lost_answer_and_a_refusal_in_one_post(desk: Desk, short_lease: None) -> None:
    accounts = [desk.account(), desk.account(token="other_token")]
    post = desk.post("Mixed", accounts=accounts)
    desk.mastodon.wire.fail("POST", STATUSES, "answer lost")
    desk.mastodon.wire.fail("POST", STATUSES, "question lost")
    done = execute(desk, post["id"])
    assert "Wait For The Network To Settle" in done.states
    assert desk.read(post["id"])["state"] == "published"
    assert len(desk.mastodon.statuses()) == len(desk.mastodon.statuses("other_token")) == 1


@pytest.mark.parametrize("accepted", [True, False])
def test_a_function_that_dies_with_the_answer_posts_once(desk: Desk, short_lease: None, accepted: bool) -> None:
    """After the claim, before the receipt: whether the call was accepted or never made, it is out once."""
    post = desk.post("Died", accounts=[desk.account()])

    def dies(payload: Mapping[str, Any]) -> Answer:
        try:
            desk.claim_and_die(payload["id"], payload["run"])
        finally:
            database.forget()
        if accepted:
            desk.mastodon.post("Died")
        return Raises("Runtime.ExitError")

    done = execute(desk, post["id"], task_publish_target=dies)
    assert done.states[-1] == "Post Settled"
    assert desk.mastodon.texts() == ["Died"]
    assert desk.read(post["id"])["state"] == "published"
    assert desk.target(post["id"])["attempts"] == 1
