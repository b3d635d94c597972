"""What holds of every workflow, whichever it is; a test's module says of its own `ASL`, `INPUT` and `SCENARIOS`."""

from types import ModuleType

from tests.workflows.asl import Transition, transitions
from tests.workflows.engine import Raises, Run

FAILS = Raises("Lambda.ServiceException")
THROTTLED = Raises("Lambda.TooManyRequestsException")


class EveryPath:
    """Each scenario ends where its module says, and together they take every transition that there is."""

    def test_ends_where_it_should(self, workflow: ModuleType, runs: dict[str, Run], scenario_name: str) -> None:
        expected = workflow.SCENARIOS[scenario_name][1]
        assert runs[scenario_name].states[-1] == expected
        assert runs[scenario_name].status == ("FAILED" if expected == "Unknown Outcome" else "SUCCEEDED")

    def test_every_transition_is_taken(self, workflow: ModuleType, runs: dict[str, Run]) -> None:
        taken = frozenset[Transition]().union(*(done.taken for done in runs.values()))
        assert sorted(transitions(workflow.ASL) - taken) == []
        assert taken <= transitions(workflow.ASL)
