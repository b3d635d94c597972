"""Every transition of Migrate Tenants is taken, and leads where it should."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.workflows.asl import Transition, load, transitions
from tests.workflows.engine import Answer, Raises, Run, Script, run

ASL = load("migrate_tenants")
INPUT = {"v": 1}
SINCE = "2026-01-01T00:00:00+00:00"
CHUNKS = [{"first": "acme", "last": "beta"}, {"first": "contoso", "last": "zeta"}]


def listed(outcome: str, passes: int = 1, chunks: Sequence[Mapping[str, str]] = CHUNKS) -> Answer:
    canaries = ["acme"] if passes == 1 else []
    return {"outcome": outcome, "since": SINCE, "passes": passes, "canaries": canaries, "chunks": list(chunks)}


def report(outcome: str) -> Answer:
    return {"outcome": outcome, "behind": 1, "failed": 1, "tenants": {"acme": "why"}}


def migrates(canaries: Sequence[Answer], chunks: Sequence[Answer] = ({"outcome": "migrated"},)) -> Any:
    """Answer the calls for canaries and those for chunks each in their order."""
    left = {"tenants": list(canaries), "chunk": list(chunks)}

    def answer(payload: Mapping[str, Any]) -> Answer:
        of = left["chunk" if "chunk" in payload else "tenants"]
        return of.pop(0) if len(of) > 1 else of[0]

    return answer


WELL: Answer = {"outcome": "migrated"}
FAILS = Raises("Lambda.ServiceException")
HAPPY: dict[str, Any] = {
    "task_migrate_registry": [{"outcome": "migrated", "since": SINCE}],
    "task_list_tenants": [listed("some")],
    "task_migrate_tenants": lambda: migrates([WELL]),
    "task_report_migration": [report("migrated")],
}


def scenario(**changed: Any) -> dict[str, Any]:
    return {**HAPPY, **{f"task_{name}": answers for name, answers in changed.items()}}


SCENARIOS: dict[str, tuple[dict[str, Any], str]] = {
    "everybody": (HAPPY, "Every Tenant Is Up To Date"),
    "nobody is behind": (scenario(list_tenants=[listed("none", chunks=[])]), "Every Tenant Is Up To Date"),
    "the registry is busy": (
        scenario(migrate_registry=[Raises("SchemaBusy"), {"outcome": "migrated", "since": SINCE}]),
        "Every Tenant Is Up To Date",
    ),
    "a canary fails": (
        scenario(migrate_tenants=lambda: migrates([{"outcome": "failed"}]), report_migration=[report("failed")]),
        "A Canary Has Failed",
    ),
    "canaries need longer": (
        scenario(migrate_tenants=lambda: migrates([{"outcome": "again"}, WELL])),
        "Every Tenant Is Up To Date",
    ),
    "a chunk needs longer": (
        scenario(migrate_tenants=lambda: migrates([WELL], [{"outcome": "again"}, WELL])),
        "Every Tenant Is Up To Date",
    ),
    "a chunk breaks down": (
        scenario(migrate_tenants=lambda: migrates([WELL], [Raises("KeyError"), WELL])),
        "Every Tenant Is Up To Date",
    ),
    "a chunk has failures": (
        scenario(
            migrate_tenants=lambda: migrates([WELL], [{"outcome": "failed"}, WELL]),
            report_migration=[report("failed")],
        ),
        "Some Tenants Are Behind",
    ),
    "somebody came along meanwhile": (
        scenario(
            list_tenants=[listed("some"), listed("some", 2, CHUNKS[:1])],
            report_migration=[report("again"), report("migrated")],
        ),
        "Every Tenant Is Up To Date",
    ),
    "listing says nonsense": (scenario(list_tenants=[listed("nonsense")]), "Unknown Outcome"),
    "canaries say nonsense": (scenario(migrate_tenants=lambda: migrates([{"outcome": "?"}])), "Unknown Outcome"),
    "the report says nonsense": (scenario(report_migration=[report("nonsense")]), "Unknown Outcome"),
    "every task fails once": (
        {
            "task_migrate_registry": [FAILS, *HAPPY["task_migrate_registry"]],
            "task_list_tenants": [FAILS, listed("some")],
            "task_migrate_tenants": lambda: migrates([FAILS, WELL], [FAILS, WELL]),
            "task_report_migration": [FAILS, report("migrated")],
        },
        "Every Tenant Is Up To Date",
    ),
    "the report of the canaries fails once": (
        scenario(migrate_tenants=lambda: migrates([{"outcome": "failed"}]), report_migration=[FAILS, report("failed")]),
        "A Canary Has Failed",
    ),
}
FAILURES = {"A Canary Has Failed", "Some Tenants Are Behind", "Unknown Outcome"}


def script(answers: Mapping[str, Any]) -> Script:
    return {name: given() if callable(given) else given for name, given in answers.items()}


@pytest.fixture(scope="module")
def runs() -> dict[str, Run]:
    return {name: run(ASL, script(answers), INPUT) for name, (answers, _) in SCENARIOS.items()}


@pytest.mark.parametrize("name", SCENARIOS)
def test_ends_where_it_should(runs: dict[str, Run], name: str) -> None:
    expected = SCENARIOS[name][1]
    assert runs[name].states[-1] == expected
    assert runs[name].status == ("FAILED" if expected in FAILURES else "SUCCEEDED")


def test_every_transition_is_taken(runs: dict[str, Run]) -> None:
    taken = frozenset[Transition]().union(*(done.taken for done in runs.values()))
    assert sorted(transitions(ASL) - taken) == []
    assert taken <= transitions(ASL)


def test_a_canary_that_fails_keeps_every_chunk_untouched(runs: dict[str, Run]) -> None:
    called = [(name, payload) for name, payload in runs["a canary fails"].calls if name == "task_migrate_tenants"]
    assert [payload["tenants"] for _, payload in called] == [["acme"]]
    assert runs["a canary fails"].calls[-1][0] == "task_report_migration"


def test_every_chunk_is_migrated_whatever_becomes_of_another(runs: dict[str, Run]) -> None:
    for name in ("a chunk has failures", "a chunk breaks down"):
        chunks = [payload["chunk"] for _, payload in runs[name].calls if "chunk" in payload]
        assert sorted(chunks, key=str) == CHUNKS


def test_tasks_are_given_slugs_a_time_and_a_count_and_nothing_else(runs: dict[str, Run]) -> None:
    allowed = {"v", "since", "passes", "tenants", "chunk"}
    for _, payload in runs["somebody came along meanwhile"].calls:
        assert payload.keys() <= allowed
        assert payload["v"] == 1
    assert [p["passes"] for n, p in runs["somebody came along meanwhile"].calls if n == "task_list_tenants"] == [0, 1]
