"""A thousand tenants: provisioned, migrated one after the other and four at a time, touched by one connection."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from infra_cdk.local.postgres import OWNER, Cluster
from socialflow.platform import migrator
from socialflow.platform.migrator import Migration
from socialflow.tenants import migration, schema, service

pytestmark = pytest.mark.benchmark

TENANTS = 1_000
WORKERS = 4
FAILING = ("bench_0100", "bench_0500", "bench_0900")


def test_a_thousand_tenants(
    schemas: object,
    owner: psycopg.Connection,
    cluster: Cluster,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    slugs = [f"bench_{number:04}" for number in range(TENANTS)]
    provisioning = _seconds(lambda: [service.provision(owner, s, s, settings={}, members=[]) for s in slugs])
    real = migrator.migrations("tenant")
    took: dict[str, float] = {}
    for round_number, (name, workers) in enumerate((("one after the other", 1), ("side by side", WORKERS)), start=1):
        more = tuple(
            Migration(f"900{n}_add_column.sql", f"ALTER TABLE {{s}}.posts ADD COLUMN more_{n} int", str(n))
            for n in range(1, round_number + 1)
        )
        _deploy(monkeypatch, (*real, *more))
        if round_number == 2:
            for slug in FAILING:
                owner.execute(sql.SQL("ALTER TABLE {}.posts ADD COLUMN more_2 int").format(sql.Identifier(f"t_{slug}")))
        took[name] = _seconds(partial(_migrate, cluster, owner, workers))
    behind = owner.execute(
        "SELECT slug FROM control.tenants WHERE slug LIKE 'bench%%' AND schema_version <> %s ORDER BY 1",
        (schema.version(),),
    ).fetchall()
    assert tuple(slug for (slug,) in behind) == FAILING
    before, after = _memory(cluster, slugs)
    with capsys.disabled():
        print(f"\nprovisioned: {TENANTS / provisioning:.1f} tenants a second")  # noqa: T201 - what a benchmark is for
        for name, seconds in took.items():
            print(f"migrated {name}: {seconds:.1f} s, {TENANTS / seconds:.0f} a second")  # noqa: T201 - the same
        print(f"one connection: {before} kB at first, {after} kB after {TENANTS} tenants")  # noqa: T201 - the same


def _deploy(monkeypatch: pytest.MonkeyPatch, steps: tuple[Migration, ...]) -> None:
    monkeypatch.setattr(migrator, "migrations", lambda scope: steps if scope == "tenant" else ())


def _migrate(cluster: Cluster, owner: psycopg.Connection, workers: int) -> None:
    _, since = migration.begin(owner)
    chunks = migration.listing(owner, since, has_canaries=False).chunks

    def work(number: int) -> None:
        with psycopg.connect(cluster.dsn(OWNER), autocommit=True) as connection:
            for chunk in chunks[number::workers]:
                migration.migrate_chunk(connection, chunk["first"], chunk["last"], since)

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, range(workers)))


def _memory(cluster: Cluster, slugs: list[str]) -> tuple[int, int]:
    """Return a backend's own memory (RssAnon, kB) before and after it has read three tables of each tenant."""
    with psycopg.connect(cluster.dsn(OWNER), autocommit=True, prepare_threshold=None) as connection:
        pid = connection.info.backend_pid
        before = _anonymous(pid)
        for slug in slugs:
            for table in ("media_items", "posts", "targets"):
                connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(f"t_{slug}", table)))
        return before, _anonymous(pid)


def _anonymous(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("RssAnon")).split()[1])


def _seconds(call: Callable[[], object]) -> float:
    began = time.monotonic()
    call()
    return time.monotonic() - began
