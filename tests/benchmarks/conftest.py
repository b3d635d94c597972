"""One stack for all benchmarks, with the settings of `make run`, and a way to tell what was measured."""

import platform
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import psutil
import pytest
from rich.console import Console
from rich.table import Table

from infra_cdk.local.demo.client import Person
from infra_cdk.local.state import State
from tests.e2e.stack import LocalStack, running

Tell = Callable[[str, Mapping[str, Sequence[float]]], None]
ENOUGH = 20  # values, before a 95th percentile says something


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

    def show(title: str, series: Mapping[str, Sequence[float]]) -> None:
        table = Table(title=title, title_justify="left")
        table.add_column("ms")
        for heading in ("n", "min", "median", "p95", "max"):
            table.add_column(heading, justify="right")
        for name, values in series.items():
            figures = [f"{figure:,.0f}" for figure in (min(values), statistics.median(values), max(values))]
            p95 = f"{statistics.quantiles(values, n=20, method='inclusive')[-1]:,.0f}" if len(values) >= ENOUGH else "-"
            table.add_row(name, str(len(values)), *figures[:2], p95, figures[2])
        with capsys.disabled():
            console = Console(width=110)
            console.print()
            console.print(table)
            console.print(machine())

    return show


def machine() -> str:
    """Say what machine this is and how busy it was."""
    load = psutil.getloadavg()[0]
    return (
        f"{psutil.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}; "
        f"load over the last minute {load:.1f}"
    )
