"""Every transition of Render Media is taken, and leads where it should."""

from tests.workflows.asl import load
from tests.workflows.engine import Run, Script
from tests.workflows.paths import FAILS, THROTTLED, EveryPath

ASL = load("render_media")
INPUT = {"v": 1, "tenant": "acme", "kind": "rendition", "id": "0199c0de-0000-7000-8000-000000000001", "run": 3}
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


class TestPaths(EveryPath):
    """Of Render Media."""


def test_each_task_is_given_exactly_the_ids_and_the_run(runs: dict[str, Run]) -> None:
    for done in runs.values():
        assert done.calls
        for _, payload in done.calls:
            assert payload == INPUT
