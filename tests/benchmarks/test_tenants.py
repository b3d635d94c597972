"""A thousand tenants: provisioned, migrated one after the other and four at a time, touched by one connection.

Each figure is of several runs. Migrations with one worker and with four take turns, so that neither is favoured by what
else the machine does meanwhile.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psutil
import psycopg
import pytest
from psycopg import sql

from infra_cdk.local.postgres import OWNER, Cluster
from socialflow.platform import migrator
from socialflow.platform.migrator import Migration
from socialflow.tenants import migration, schema, service
from tests.benchmarks.conftest import Tell

pytestmark = pytest.mark.benchmark

TENANTS, BATCH = 1_000, 200
WORKERS = 4
TURNS = (1, WORKERS, WORKERS, 1, 1, WORKERS)
CONNECTIONS = 3
FAILING = ("bench_0100", "bench_0500", "bench_0900")
SLUGS = [f"bench_{number:04}" for number in range(TENANTS)]


def test_a_thousand_tenants(
    schemas: object,
    owner: psycopg.Connection,
    cluster: Cluster,
    capsys: pytest.CaptureFixture[str],
    tell: Tell,
) -> None:
    made = [_each(partial(_provision, owner, SLUGS[at : at + BATCH]), BATCH) for at in range(0, TENANTS, BATCH)]
    took: dict[int, list[float]] = {1: [], WORKERS: []}
    loads = []
    with _steps() as add_a_column:
        for workers in TURNS:
            add_a_column()
            took[workers].append(_each(partial(_migrate, cluster, owner, workers), TENANTS))
            loads.append(psutil.getloadavg()[0])
        add_a_column(also_there_in=FAILING, of=owner)
        with_failures = _each(partial(_migrate, cluster, owner, WORKERS), TENANTS)
        assert _behind(owner) == FAILING
    before, after = zip(*(_memory(cluster) for _ in range(CONNECTIONS)), strict=True)
    tell(
        f"For each of {TENANTS:,} tenants",
        {
            f"provisioned, one after the other, in batches of {BATCH}": made,
            "one column added, one worker": took[1],
            f"one column added, {WORKERS} workers": took[WORKERS],
            f"the same, {len(FAILING)} of them failing, all others done": [with_failures],
        },
    )
    with capsys.disabled():
        print(f"load at the end of each turn: {', '.join(f'{load:.1f}' for load in loads)}")  # noqa: T201 - what a benchmark is for
        print(f"one connection's own memory: {_kilobytes(before)} at first, {_kilobytes(after)} after all tenants")  # noqa: T201 - the same


def _provision(owner: psycopg.Connection, slugs: Sequence[str]) -> None:
    for slug in slugs:
        service.provision(owner, slug, slug, settings={}, members=[])


@contextmanager
def _steps() -> Iterator[Callable[..., None]]:
    """Yield what deploys one more migration of the same kind, a column, whose place may be taken in some tenants."""
    steps = list(migrator.migrations("tenant"))

    def add(also_there_in: Sequence[str] = (), of: psycopg.Connection | None = None) -> None:
        number = 9_000 + len(steps)
        steps.append(Migration(f"{number}_add_column.sql", f"ALTER TABLE {{s}}.posts ADD COLUMN c{number} int", "-"))
        for slug in also_there_in:
            assert of is not None
            of.execute(sql.SQL(f"ALTER TABLE {{}}.posts ADD COLUMN c{number} int").format(sql.Identifier(f"t_{slug}")))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrator, "migrations", lambda scope: tuple(steps) if scope == "tenant" else ())
        yield add


def _migrate(cluster: Cluster, owner: psycopg.Connection, workers: int) -> None:
    _, since = migration.begin(owner)
    chunks = migration.listing(owner, since, has_canaries=False).chunks

    def work(number: int) -> None:
        with psycopg.connect(cluster.dsn(OWNER), autocommit=True) as connection:
            for chunk in chunks[number::workers]:
                migration.migrate_chunk(connection, chunk["first"], chunk["last"], since)

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, range(workers)))


def _behind(owner: psycopg.Connection) -> tuple[str, ...]:
    wanted = "SELECT slug FROM control.tenants WHERE slug LIKE 'bench%%' AND schema_version <> %s ORDER BY 1"
    return tuple(slug for (slug,) in owner.execute(wanted, (schema.version(),)).fetchall())


def _memory(cluster: Cluster) -> tuple[int, int]:
    """Return a backend's own memory (RssAnon, kB) before and after it has read three tables of each tenant."""
    with psycopg.connect(cluster.dsn(OWNER), autocommit=True, prepare_threshold=None) as connection:
        pid = connection.info.backend_pid
        before = _anonymous(pid)
        for slug in SLUGS:
            for table in ("media_items", "posts", "targets"):
                connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(f"t_{slug}", table)))
        return before, _anonymous(pid)


def _anonymous(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("RssAnon")).split()[1])


def _kilobytes(values: Sequence[int]) -> str:
    return f"{statistics.median(values):,.0f} kB ({min(values):,} to {max(values):,})"


def _each(call: Callable[[], object], n: int) -> float:
    """Return the milliseconds that each of `n` took."""
    began = time.monotonic()
    call()
    return (time.monotonic() - began) * 1_000 / n
