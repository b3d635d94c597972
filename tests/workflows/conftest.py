"""The scenarios of the module that is tested, each executed once."""

from types import ModuleType

import pytest

from tests.workflows.engine import Run, run


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Ask for each scenario of a module by its name."""
    if "scenario_name" in metafunc.fixturenames:
        metafunc.parametrize("scenario_name", metafunc.module.SCENARIOS)


@pytest.fixture(scope="module")
def workflow(request: pytest.FixtureRequest) -> ModuleType:
    """The module with the workflow's `ASL`, `INPUT` and `SCENARIOS`."""
    module: ModuleType = request.module
    return module


@pytest.fixture(scope="module")
def runs(workflow: ModuleType) -> dict[str, Run]:
    """What the execution of each scenario did, by its name."""
    return {name: run(workflow.ASL, script, workflow.INPUT) for name, (script, _) in workflow.SCENARIOS.items()}
