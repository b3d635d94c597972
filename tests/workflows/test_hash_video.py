"""Every transition of Hash Video is taken, and leads where it should."""

import pytest

from tests.workflows.asl import Transition, load, transitions
from tests.workflows.engine import Raises, Run, Script, run

ASL = load("hash_video")
INPUT = {"v": 1, "tenant": "acme", "kind": "digest", "id": "0199c0de-0000-7000-8000-000000000001", "run": 3}
FAILS = Raises("Lambda.ServiceException")
THROTTLED = Raises("Lambda.TooManyRequestsException")
SCENARIOS: dict[str, tuple[Script, str]] = {
    "hashed": ({"task_hash_video": [{"outcome": "hashed"}]}, "Video Hashed"),
    "started after the end": ({"task_hash_video": [{"outcome": "settled"}]}, "Settled Before"),
    "superseded": ({"task_hash_video": [{"outcome": "superseded"}]}, "Replaced By A Newer Run"),
    "throttled once and killed once": (
        {"task_hash_video": [THROTTLED, FAILS, {"outcome": "hashed"}]},
        "Video Hashed",
    ),
    "nonsense": ({"task_hash_video": [{"outcome": "nonsense"}]}, "Unknown Outcome"),
}


@pytest.fixture(scope="module")
def runs() -> dict[str, Run]:
    return {name: run(ASL, script, INPUT) for name, (script, _) in SCENARIOS.items()}


@pytest.mark.parametrize("name", SCENARIOS)
def test_ends_where_it_should(runs: dict[str, Run], name: str) -> None:
    expected = SCENARIOS[name][1]
    assert runs[name].states[-1] == expected
    assert runs[name].status == ("FAILED" if expected == "Unknown Outcome" else "SUCCEEDED")


def test_every_transition_is_taken(runs: dict[str, Run]) -> None:
    taken = frozenset[Transition]().union(*(done.taken for done in runs.values()))
    assert sorted(transitions(ASL) - taken) == []
    assert taken <= transitions(ASL)


def test_the_task_is_given_exactly_the_ids_and_the_run(runs: dict[str, Run]) -> None:
    for name, payload in runs["throttled once and killed once"].calls:
        assert name == "task_hash_video"
        assert payload == INPUT
