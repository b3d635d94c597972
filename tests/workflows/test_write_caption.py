"""Every transition of Write Caption is taken, and leads where it should."""

import pytest

from tests.workflows.asl import Transition, load, transitions
from tests.workflows.engine import Answer, Raises, Run, Script, run

ASL = load("write_caption")
INPUT = {"v": 1, "tenant": "acme", "kind": "caption", "id": "0199c0de-0000-7000-8000-000000000001", "run": 3}
TASK = "task_write_caption"


def told(*outcomes: str) -> Script:
    answers: list[Answer] = [{"outcome": name, "at": "2026-11-27T07:00:00Z"} for name in outcomes]
    return {TASK: answers}


ENDS: dict[str, tuple[Script, str]] = {
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


@pytest.fixture(scope="module")
def runs() -> dict[str, Run]:
    return {name: run(ASL, script, INPUT) for name, (script, _) in ENDS.items()}


@pytest.mark.parametrize("name", ENDS)
def test_ends_where_it_should(runs: dict[str, Run], name: str) -> None:
    assert runs[name].states[-1] == ENDS[name][1]
    assert runs[name].status == ("FAILED" if ENDS[name][1] == "Unknown Outcome" else "SUCCEEDED")


def test_every_transition_is_taken(runs: dict[str, Run]) -> None:
    taken = frozenset[Transition]().union(*(done.taken for done in runs.values()))
    assert sorted(transitions(ASL) - taken) == []


def test_the_task_is_given_exactly_the_ids_and_the_run(runs: dict[str, Run]) -> None:
    for name, payload in runs["captioned"].calls:
        assert (name, payload) == (TASK, INPUT)


def test_an_error_that_is_not_the_infrastructures_is_not_retried() -> None:
    done = run(ASL, {TASK: [Raises("KeyError")]}, INPUT)
    assert done.status == "FAILED"
    assert len(done.calls) == 1
