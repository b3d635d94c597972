"""Every transition of Write Caption is taken, and leads where it should."""

from tests.workflows.asl import load
from tests.workflows.engine import Answer, Raises, Run, Script, run
from tests.workflows.paths import EveryPath

ASL = load("write_caption")
INPUT = {"v": 1, "tenant": "acme", "kind": "caption", "id": "0199c0de-0000-7000-8000-000000000001", "run": 3}
TASK = "task_write_caption"


def told(*outcomes: str) -> Script:
    answers: list[Answer] = [{"outcome": name, "at": "2026-11-27T07:00:00Z"} for name in outcomes]
    return {TASK: answers}


SCENARIOS: dict[str, tuple[Script, str]] = {
    "captioned": (told("captioned"), "Caption Written"),
    "skipped": (told("skipped"), "No Caption"),
    "its turn is later": (told("later", "captioned"), "Caption Written"),
    "superseded": (told("superseded"), "Replaced By A Newer Run"),
    "nonsense": (told("nonsense"), "Unknown Outcome"),
    "throttled once and failed once": (
        {
            TASK: [
                Raises("Lambda.TooManyRequestsException"),
                Raises("Lambda.ServiceException"),
                {"outcome": "captioned", "at": "2026-11-27T07:00:00Z"},
            ]
        },
        "Caption Written",
    ),
}


class TestPaths(EveryPath):
    """Of Write Caption."""


def test_the_task_is_given_exactly_the_ids_and_the_run(runs: dict[str, Run]) -> None:
    for name, payload in runs["captioned"].calls:
        assert (name, payload) == (TASK, INPUT)


def test_an_error_that_is_not_the_infrastructures_is_not_retried() -> None:
    done = run(ASL, {TASK: [Raises("KeyError")]}, INPUT)
    assert done.status == "FAILED"
    assert len(done.calls) == 1
