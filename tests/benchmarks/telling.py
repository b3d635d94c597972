"""What was measured, as a table, with the machine that it was measured on."""

import platform
import statistics
from collections.abc import Mapping, Sequence

import psutil
from rich.console import Console
from rich.table import Table

ENOUGH = 20  # values, before a 95th percentile says something
MANY = 100  # values, before a 99th does


def show(title: str, series: Mapping[str, Sequence[float]]) -> None:
    """Print a table: a row for each series of milliseconds, and what machine it was."""
    table = Table(title=title, title_justify="left")
    table.add_column("ms")
    for heading in ("n", "min", "median", "p95", "p99", "max"):
        table.add_column(heading, justify="right")
    for name, values in series.items():
        least, median, most = (f"{figure:,.0f}" for figure in (min(values), statistics.median(values), max(values)))
        p95 = f"{_part(values, 20):,.0f}" if len(values) >= ENOUGH else "-"
        p99 = f"{_part(values, 100):,.0f}" if len(values) >= MANY else "-"
        table.add_row(name, str(len(values)), least, median, p95, p99, most)
    console = Console(width=110)
    console.print()
    console.print(table)
    console.print(machine())


def machine() -> str:
    """Say what machine this is and how busy it was."""
    load = psutil.getloadavg()[0]
    return (
        f"{psutil.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}; "
        f"load over the last minute {load:.1f}"
    )


def _part(values: Sequence[float], parts: int) -> float:
    return statistics.quantiles(values, n=parts, method="inclusive")[-1]
