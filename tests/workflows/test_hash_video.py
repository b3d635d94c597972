"""Every transition of Hash Video is taken, and leads where it should."""

from tests.workflows.asl import load
from tests.workflows.engine import Run, Script
from tests.workflows.paths import FAILS, THROTTLED, EveryPath

ASL = load("hash_video")
INPUT = {"v": 1, "tenant": "acme", "kind": "digest", "id": "0199c0de-0000-7000-8000-000000000001", "run": 3}
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


class TestPaths(EveryPath):
    """Of Hash Video."""


def test_the_task_is_given_exactly_the_ids_and_the_run(runs: dict[str, Run]) -> None:
    for name, payload in runs["throttled once and killed once"].calls:
        assert name == "task_hash_video"
        assert payload == INPUT
