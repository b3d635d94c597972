"""One stack for all benchmarks, with the settings of `make run`, and a way to tell what was measured."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from infra_cdk.local.demo.client import Person
from infra_cdk.local.state import State
from tests.benchmarks.telling import show
from tests.e2e.stack import LocalStack, running

Tell = Callable[[str, Mapping[str, Sequence[float]]], None]


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """The whole stack, ready, in a folder of its own."""
    with running(State.at(Path(tmp_path_factory.mktemp("stack"))), {}) as made:
        yield made


@pytest.fixture(scope="session")
def editor(stack: LocalStack) -> Person:
    """Somebody who uploads, decides and schedules."""
    return stack.signed_in("editor@acme.test")


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Tell:
    """Print a table: a row for each series of milliseconds, and what machine it was."""

    def shown(title: str, series: Mapping[str, Sequence[float]]) -> None:
        with capsys.disabled():
            show(title, series)

    return shown
