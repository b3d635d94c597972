"""Every transition of Export Tenant is taken, and leads where it should."""

from tests.workflows.asl import load
from tests.workflows.engine import Run, Script
from tests.workflows.paths import FAILS, THROTTLED, EveryPath

ASL = load("export_tenant")
INPUT = {"v": 1, "tenant": "acme", "kind": "export", "id": "0199c0de-0000-7000-8000-000000000001", "run": 3}
SCENARIOS: dict[str, tuple[Script, str]] = {
    "written": ({"task_write_export": [{"outcome": "written"}]}, "Archive Written"),
    "started after the end": ({"task_write_export": [{"outcome": "settled"}]}, "Settled Before"),
    "too large": ({"task_write_export": [{"outcome": "failed"}]}, "Export Given Up"),
    "superseded": ({"task_write_export": [{"outcome": "superseded"}]}, "Replaced By A Newer Run"),
    "throttled once and killed once": (
        {"task_write_export": [THROTTLED, FAILS, {"outcome": "written"}]},
        "Archive Written",
    ),
    "nonsense": ({"task_write_export": [{"outcome": "nonsense"}]}, "Unknown Outcome"),
}


class TestPaths(EveryPath):
    """Of Export Tenant."""


def test_the_task_is_given_exactly_the_ids_and_the_run(runs: dict[str, Run]) -> None:
    for name, payload in runs["throttled once and killed once"].calls:
        assert name == "task_write_export"
        assert payload == INPUT
