"""Every transition of Render Media is taken, and leads where it should."""

import pytest

from tests.workflows.asl import Transition, load, transitions
from tests.workflows.engine import Raises, Run, Script, run

ASL = load("render_media")
INPUT = {"v": 1, "tenant": "acme", "kind": "rendition", "id": "0199c0de-0000-7000-8000-000000000001", "run": 3}
FAILS = Raises("Lambda.ServiceException")
THROTTLED = Raises("Lambda.TooManyRequestsException")
SCENARIOS: dict[str, tuple[Script, str]] = {
    "a picture": ({"task_render_image": [{"outcome": "ready"}]}, "Rendition Ready"),
    "started after the end": ({"task_render_image": [{"outcome": "settled"}]}, "Settled Before"),
    "a picture that cannot be cut": ({"task_render_image": [{"outcome": "refused"}]}, "Rendition Refused"),
    "superseded": ({"task_render_image": [{"outcome": "superseded"}]}, "Replaced By A Newer Run"),
    "throttled once and killed once": (
        {"task_render_image": [THROTTLED, FAILS, {"outcome": "ready"}]},
        "Rendition Ready",
    ),
    "a video": (
        {"task_render_image": [{"outcome": "video"}], "task_transcode_video": [{"outcome": "ready"}]},
        "Rendition Ready",
    ),
    "a video that is too long": (
        {"task_render_image": [{"outcome": "video"}], "task_transcode_video": [{"outcome": "refused"}]},
        "Rendition Refused",
    ),
    "a video that was ready before": (
        {"task_render_image": [{"outcome": "video"}], "task_transcode_video": [{"outcome": "settled"}]},
        "Settled Before",
    ),
    "a video whose run was overtaken": (
        {"task_render_image": [{"outcome": "video"}], "task_transcode_video": [{"outcome": "superseded"}]},
        "Replaced By A Newer Run",
    ),
    "a conversion that is throttled once and killed once": (
        {"task_render_image": [{"outcome": "video"}], "task_transcode_video": [THROTTLED, FAILS, {"outcome": "ready"}]},
        "Rendition Ready",
    ),
    "a conversion's nonsense": (
        {"task_render_image": [{"outcome": "video"}], "task_transcode_video": [{"outcome": "video"}]},
        "Unknown Outcome",
    ),
    "nonsense": ({"task_render_image": [{"outcome": "nonsense"}]}, "Unknown Outcome"),
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


def test_each_task_is_given_exactly_the_ids_and_the_run(runs: dict[str, Run]) -> None:
    for done in runs.values():
        assert done.calls
        for _, payload in done.calls:
            assert payload == INPUT
