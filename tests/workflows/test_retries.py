"""What all workflows' retries have in common."""

import pytest

from socialflow.platform.work import GRACE
from tests.workflows.asl import Asl, load, tasks

THROTTLING = {"Lambda.TooManyRequestsException", "Lambda.Unknown"}
"""What Step Functions calls a throttled invocation, and what the engine on one machine calls it."""
RETRIED = [
    pytest.param(state["Retry"], id=f"{workflow}: {name}")
    for workflow in (
        "ingest_media",
        "publish_post",
        "export_tenant",
        "render_media",
        "write_caption",
        "hash_video",
        "embed_media",
    )
    for name, state in tasks(load(workflow)).items()
    if "Retry" in state
]


def longest(rule: Asl) -> float:
    """Return the seconds of a rule's waits, each as long as it may be: jitter only shortens them."""
    waits = (rule["IntervalSeconds"] * rule["BackoffRate"] ** attempt for attempt in range(rule["MaxAttempts"]))
    return float(sum(waits))


@pytest.mark.parametrize("rules", RETRIED)
def test_throttling_has_a_rule_of_its_own_that_spreads_and_is_patient(rules: list[Asl]) -> None:
    throttled, other = rules
    assert set(throttled["ErrorEquals"]) == THROTTLING
    assert throttled["JitterStrategy"] == "FULL"
    assert longest(throttled) > 60
    assert longest(other) < 10
    assert not THROTTLING & set(other["ErrorEquals"])


SNAPSHOTS = {"task_write_caption", "task_embed_media"}
"""What begins from one, as tests/infra/test_functions.py holds."""
SNAPSHOT = {"Lambda.SnapStartException", "Lambda.SnapStartNotReadyException", "Lambda.SnapStartTimeoutException"}


@pytest.mark.parametrize("workflow", ["ingest_media", "write_caption", "embed_media"])
def test_a_snapshot_that_cannot_be_restored_is_tried_again(workflow: str) -> None:
    for state in tasks(load(workflow)).values():
        begins = state["Parameters"]["FunctionName"].strip("${}") in SNAPSHOTS
        errors = {error for rule in state.get("Retry", []) for error in rule["ErrorEquals"]}
        assert errors & SNAPSHOT == (SNAPSHOT if begins else set())


@pytest.mark.parametrize("rules", RETRIED)
def test_a_run_that_waits_for_its_turn_is_not_taken_for_dead(rules: list[Asl]) -> None:
    """A run is given a grace to begin in; what is left of it after the last wait is for the task itself."""
    assert sum(map(longest, rules)) < GRACE.total_seconds() - 30
