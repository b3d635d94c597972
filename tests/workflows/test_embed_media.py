"""Every transition of Embed Media is taken, and leads where it should."""

from tests.workflows.asl import load
from tests.workflows.engine import Answer, Run, Script
from tests.workflows.paths import FAILS, THROTTLED, EveryPath

ASL = load("embed_media")
INPUT = {"v": 1, "tenant": "acme", "kind": "embedding", "id": "0199c0de-0000-7000-8000-000000000001", "run": 3}
TASK = "task_embed_media"
NOW = "2026-11-27T07:00:00Z"


def told(*outcomes: str) -> list[Answer]:
    return [{"outcome": name, "at": NOW} for name in outcomes]


SCENARIOS: dict[str, tuple[Script, str]] = {
    "embedded": ({TASK: told("embedded")}, "Media Embedded"),
    "nobody makes vectors": ({TASK: told("left")}, "Left Without"),
    "too many at once": ({TASK: told("later", "embedded")}, "Media Embedded"),
    "superseded": ({TASK: told("superseded")}, "Replaced By A Newer Run"),
    "nonsense": ({TASK: told("nonsense")}, "Unknown Outcome"),
    "throttled once and killed once": ({TASK: [THROTTLED, FAILS, *told("embedded")]}, "Media Embedded"),
}


class TestPaths(EveryPath):
    """Of Embed Media."""


def test_the_task_is_given_exactly_the_ids_and_the_run(runs: dict[str, Run]) -> None:
    for name, payload in runs["throttled once and killed once"].calls:
        assert (name, payload) == (TASK, INPUT)
