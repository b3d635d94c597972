"""Every transition of Ingest Media is taken, and leads where it should."""

from collections.abc import Sequence

from tests.workflows.asl import load
from tests.workflows.engine import Answer, NeverAnswered, Raises, Run, Script, run
from tests.workflows.paths import FAILS, THROTTLED, EveryPath

ASL = load("ingest_media")
INPUT = {"v": 1, "tenant": "acme", "kind": "ingest", "id": "0199c0de-0000-7000-8000-000000000001", "run": 3}

NOW = "2026-11-27T07:00:00Z"
HAPPY: dict[str, list[Answer]] = {
    "task_process_media": [{"outcome": "processed"}],
    "task_write_caption": [{"outcome": "captioned", "at": NOW}],
    "task_await_review": [{"outcome": "decided"}],
    "task_settle_review": [{"outcome": "approved"}],
}


def scenario(**changed: Sequence[Answer]) -> Script:
    return {**HAPPY, **{f"task_{name}": answers for name, answers in changed.items()}}


def outcome(name: str) -> Sequence[Answer]:
    return [{"outcome": name}]


def caption(*names: str) -> Sequence[Answer]:
    return [{"outcome": name, "at": NOW} for name in names]


SCENARIOS: dict[str, tuple[Script, str]] = {
    "approved": (HAPPY, "Media Approved"),
    "rejected": (scenario(settle_review=outcome("rejected")), "Media Rejected"),
    "expired by the row": (scenario(settle_review=outcome("expired")), "Review Expired"),
    "nobody answers": (
        scenario(await_review=[NeverAnswered()], settle_review=outcome("expired")),
        "Review Expired",
    ),
    "woken too early": (
        scenario(settle_review=[{"outcome": "waiting"}, {"outcome": "approved"}]),
        "Media Approved",
    ),
    "no caption": (scenario(write_caption=caption("skipped")), "Media Approved"),
    "a caption whose turn is later": (scenario(write_caption=caption("later", "later", "captioned")), "Media Approved"),
    "hostile file": (scenario(process_media=outcome("refused")), "Media Refused"),
    "a video": (
        scenario(process_media=outcome("video"), process_video=outcome("processed")),
        "Media Approved",
    ),
    "a hostile video": (scenario(process_media=outcome("video"), process_video=outcome("refused")), "Media Refused"),
    "a video, restarted while waiting": (
        scenario(process_media=outcome("video"), process_video=outcome("in_review")),
        "Media Approved",
    ),
    "a video, restarted after the end": (
        scenario(process_media=outcome("video"), process_video=outcome("settled")),
        "Media Approved",
    ),
    "a video, superseded": (
        scenario(process_media=outcome("video"), process_video=outcome("superseded")),
        "Replaced By A Newer Run",
    ),
    "processing a video says nonsense": (
        scenario(process_media=outcome("video"), process_video=outcome("video")),
        "Unknown Outcome",
    ),
    "restarted while waiting": (scenario(process_media=outcome("in_review")), "Media Approved"),
    "restarted after the end": (scenario(process_media=outcome("settled")), "Media Approved"),
    "superseded at once": (scenario(process_media=outcome("superseded")), "Replaced By A Newer Run"),
    "superseded at the caption": (scenario(write_caption=caption("superseded")), "Replaced By A Newer Run"),
    "superseded at the end": (scenario(settle_review=outcome("superseded")), "Replaced By A Newer Run"),
    "processing says nonsense": (scenario(process_media=outcome("nonsense")), "Unknown Outcome"),
    "captioning says nonsense": (scenario(write_caption=caption("nonsense")), "Unknown Outcome"),
    "settling says nonsense": (scenario(settle_review=outcome("nonsense")), "Unknown Outcome"),
    "every task is throttled once and fails once": (
        {name: [THROTTLED, FAILS, *answers] for name, answers in HAPPY.items()},
        "Media Approved",
    ),
    "a video's task is throttled once and fails once": (
        scenario(process_media=outcome("video"), process_video=[THROTTLED, FAILS, {"outcome": "processed"}]),
        "Media Approved",
    ),
}


class TestPaths(EveryPath):
    """Of Ingest Media."""


def test_every_task_is_given_exactly_the_ids_and_the_run(runs: dict[str, Run]) -> None:
    assert [name for name, _ in runs["approved"].calls] == list(HAPPY)
    for name, payload in runs["approved"].calls:
        token = {"token"} if name == "task_await_review" else set()
        assert payload.keys() == {*INPUT, *token}
        assert {key: payload[key] for key in INPUT} == INPUT


def test_a_refused_file_is_not_captioned(runs: dict[str, Run]) -> None:
    assert [name for name, _ in runs["hostile file"].calls] == ["task_process_media"]


def test_a_video_is_processed_and_captioned_by_the_same_names(runs: dict[str, Run]) -> None:
    called = [name for name, _ in runs["a video"].calls]
    assert called == ["task_process_media", "task_process_video", *list(HAPPY)[1:]]
    assert [name for name, _ in runs["a hostile video"].calls] == ["task_process_media", "task_process_video"]
    assert dict(runs["a video"].calls)["task_process_video"] == INPUT


def test_a_restarted_wait_is_not_captioned_again(runs: dict[str, Run]) -> None:
    called = [name for name, _ in runs["restarted while waiting"].calls]
    assert called == ["task_process_media", "task_await_review", "task_settle_review"]


def test_an_error_that_is_not_the_infrastructures_is_not_retried() -> None:
    done = run(ASL, scenario(process_media=[Raises("KeyError")]), INPUT)
    assert done.status == "FAILED"
    assert len(done.calls) == 1


def test_an_infrastructure_error_is_tried_four_times_in_all() -> None:
    done = run(ASL, scenario(process_media=[FAILS]), INPUT)
    assert done.status == "FAILED"
    assert len(done.calls) == 4


def test_a_throttled_task_waits_for_its_turn() -> None:
    """Nine times in vain, whatever name the engine gives it, and what fails after that has its own tries."""
    throttled = [THROTTLED] * 8 + [Raises("Lambda.Unknown")]
    done = run(ASL, scenario(process_media=[*throttled, *[FAILS] * 3, *HAPPY["task_process_media"]]), INPUT)
    assert done.states[-1] == "Media Approved"
    assert [name for name, _ in done.calls].count("task_process_media") == 13


def test_every_way_to_go_wrong_is_told_from_the_others() -> None:
    """A Choice without Default, or a task without Retry, would end an execution without a word."""
    for name, state in ASL["States"].items():
        assert state["Type"] != "Choice" or state["Default"] == "Unknown Outcome", name
        assert state["Type"] != "Task" or (state["Retry"] and state["TimeoutSeconds"]), name
