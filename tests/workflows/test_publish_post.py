"""Every transition of Publish Post is taken, and leads where it should."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.workflows.asl import load
from tests.workflows.engine import Answer, NeverAnswered, Raises, Run, Script, run
from tests.workflows.paths import FAILS, THROTTLED, EveryPath

ASL = load("publish_post")
MAP = ASL["States"]["Publish Targets"]["ItemProcessor"]["States"]
INPUT = {"v": 1, "tenant": "acme", "kind": "publish", "id": "0199c0de-0000-7000-8000-000000000001", "run": 3}
PAST = "2026-01-01T00:00:00Z"
TARGETS = ["0199c0de-0000-7000-8000-00000000000a", "0199c0de-0000-7000-8000-00000000000b"]


def opened(outcome: str, targets: Sequence[str] = TARGETS[:1]) -> Answer:
    return {"outcome": outcome, "prepare_at": PAST, "targets": list(targets)}


def says(*outcomes: str) -> list[Answer]:
    return [{"outcome": outcome, "at": PAST} for outcome in outcomes]


HAPPY: dict[str, list[Answer]] = {
    "task_open_post": [opened("publish")],
    "task_prepare_target": says("prepared"),
    "task_publish_target": says("done"),
    "task_settle_post": says("settled"),
}


def scenario(**changed: Sequence[Answer]) -> Script:
    return {**HAPPY, **{f"task_{name}": answers for name, answers in changed.items()}}


SCENARIOS: dict[str, tuple[Script, str]] = {
    "published": (HAPPY, "Post Settled"),
    "approved in time": (
        scenario(open_post=[opened("await_approval"), opened("publish")], await_approval=[{"outcome": "decided"}]),
        "Post Settled",
    ),
    "nobody decides": (
        scenario(open_post=[opened("await_approval"), opened("settle")], await_approval=[NeverAnswered()]),
        "Post Settled",
    ),
    "parking is throttled once and fails once": (
        scenario(
            open_post=[opened("await_approval"), opened("publish")],
            await_approval=[THROTTLED, FAILS, {"outcome": "decided"}],
        ),
        "Post Settled",
    ),
    "nothing to do": (scenario(open_post=[opened("settle", [])]), "Post Settled"),
    "due beyond the horizon": (scenario(open_post=[opened("later", [])]), "Due Beyond The Horizon"),
    "superseded at once": (scenario(open_post=[opened("superseded", [])]), "Replaced By A Newer Run"),
    "superseded at the end": (scenario(settle_post=says("superseded")), "Replaced By A Newer Run"),
    "prepared at the third try": (scenario(prepare_target=says("again", "again", "prepared")), "Post Settled"),
    "preparing fails for good": (scenario(prepare_target=says("done")), "Post Settled"),
    "preparing breaks down": (scenario(prepare_target=[Raises("KeyError")]), "Post Settled"),
    "restarted during an attempt": (
        scenario(prepare_target=says("unconfirmed"), confirm_target=says("done")),
        "Post Settled",
    ),
    "the network asks for a pause": (scenario(publish_target=says("wait", "wait", "done")), "Post Settled"),
    "the answer is lost": (
        scenario(publish_target=says("unconfirmed"), confirm_target=says("unconfirmed", "done")),
        "Post Settled",
    ),
    "publishing breaks down": (
        scenario(publish_target=[Raises("Runtime.HandlerError")], confirm_target=says("unconfirmed", "done")),
        "Post Settled",
    ),
    "publishing never began": (
        scenario(publish_target=[THROTTLED, *says("done")], confirm_target=says("wait")),
        "Post Settled",
    ),
    "confirming breaks down": (
        scenario(publish_target=says("unconfirmed"), confirm_target=[Raises("KeyError")]),
        "Post Settled",
    ),
    "again later": (scenario(settle_post=says("again", "settled")), "Post Settled"),
    "opening says nonsense": (scenario(open_post=[opened("nonsense")]), "Unknown Outcome"),
    "settling says nonsense": (scenario(settle_post=says("nonsense")), "Unknown Outcome"),
    "every task that may be repeated is throttled once and fails once": (
        {
            **{name: [THROTTLED, FAILS, *answers] for name, answers in HAPPY.items() if name != "task_publish_target"},
            "task_publish_target": says("unconfirmed"),
            "task_confirm_target": [THROTTLED, FAILS, *says("done")],
        },
        "Post Settled",
    ),
}


class TestPaths(EveryPath):
    """Of Publish Post."""


def test_every_task_is_given_exactly_the_ids_and_the_run(runs: dict[str, Run]) -> None:
    calls = [*runs["approved in time"].calls, *runs["the answer is lost"].calls]
    assert {name for name, _ in calls} == {*HAPPY, "task_await_approval", "task_confirm_target"}
    for name, payload in calls:
        more = {"token"} if name == "task_await_approval" else {"target_id"} if name.endswith("_target") else set()
        assert payload.keys() == {*INPUT, *more}
        assert {key: payload[key] for key in INPUT} == INPUT


def test_the_mutation_is_never_retried() -> None:
    """A machine that fails it as it may: each call of it is one, and Confirm Target follows."""
    assert "Retry" not in MAP["Publish Target"]
    done = run(ASL, scenario(publish_target=[FAILS], confirm_target=says("done")), INPUT)
    called = [name for name, _ in done.calls]
    assert called.count("task_publish_target") == 1
    assert called[-2:] == ["task_confirm_target", "task_settle_post"]


def test_an_approval_opens_the_post_again(runs: dict[str, Run]) -> None:
    called = [name for name, _ in runs["approved in time"].calls]
    assert called[:3] == ["task_open_post", "task_await_approval", "task_open_post"]


def test_one_target_keeps_no_other_from_anything() -> None:
    """One breaks down while preparing, one is published; the post is settled from the rows."""

    def prepare(payload: Mapping[str, Any]) -> Answer:
        return Raises("KeyError") if payload["target_id"] == TARGETS[0] else {"outcome": "prepared", "at": PAST}

    script: Script = {**HAPPY, "task_open_post": [opened("publish", TARGETS)], "task_prepare_target": prepare}
    done = run(ASL, script, INPUT)
    assert done.status == "SUCCEEDED"
    assert [payload["target_id"] for name, payload in done.calls if name == "task_publish_target"] == [TARGETS[1]]
    assert done.calls[-1][0] == "task_settle_post"


def test_a_target_that_is_tried_again_does_not_hold_up_the_others() -> None:
    """The second one is published while the first still waits to be prepared again, which it does until then."""
    tries, published = 0, False

    def prepare(payload: Mapping[str, Any]) -> Answer:
        nonlocal tries
        if payload["target_id"] == TARGETS[1]:
            return {"outcome": "prepared", "at": PAST}
        tries += 1
        return {"outcome": "prepared" if published or tries == 200 else "again", "at": PAST}

    def publish(payload: Mapping[str, Any]) -> Answer:
        nonlocal published
        published = published or payload["target_id"] == TARGETS[1]
        return {"outcome": "done", "at": PAST}

    script: Script = {
        **HAPPY,
        "task_open_post": [opened("publish", TARGETS)],
        "task_prepare_target": prepare,
        "task_publish_target": publish,
    }
    order = [(name, payload.get("target_id")) for name, payload in run(ASL, script, INPUT).calls]
    last_try = max(index for index, call in enumerate(order) if call == ("task_prepare_target", TARGETS[0]))
    assert order.index(("task_publish_target", TARGETS[1])) < last_try


def test_nothing_leaves_the_map_and_every_task_has_a_limit() -> None:
    for name, state in MAP.items():
        assert state["Type"] != "Choice" or state["Default"] == "Left To Settle", name
        assert state["Type"] != "Task" or state["Catch"][0]["ErrorEquals"] == ["States.ALL"], name
    for name, state in {**ASL["States"], **MAP}.items():
        assert state["Type"] != "Task" or state["TimeoutSeconds"], name
        assert state["Type"] != "Task" or name == "Publish Target" or state["Retry"], name
    assert ASL["TimeoutSeconds"]
