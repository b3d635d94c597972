"""The embedded PostgreSQL: its roles, its recovery, what it says when it cannot start."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from infra_cdk.local.ports import free_port
from infra_cdk.local.postgres import APP, OWNER, SUPERUSER, TEST_PASSWORDS, Cluster, serve
from infra_cdk.local.process import Child, LocalError


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, Cluster, Child]]:
    """A cluster of the test's own, to be killed."""
    data, port = tmp_path / "data", free_port()
    child = serve(data, port=port, passwords=TEST_PASSWORDS, log=tmp_path / "log")
    yield data, Cluster(port, TEST_PASSWORDS), child
    child.stop()


def _again(data: Path, cluster: Cluster) -> Child:
    return serve(data, port=cluster.port, passwords=TEST_PASSWORDS, log=data.with_name("log"))


def test_what_was_committed_survives_a_kill(served: tuple[Path, Cluster, Child]) -> None:
    data, cluster, child = served
    with psycopg.connect(cluster.dsn()) as owner:
        owner.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    os.kill(child.process.pid, signal.SIGKILL)
    child.process.wait(10)

    again = _again(data, cluster)
    try:
        with psycopg.connect(cluster.dsn()) as owner:
            assert owner.execute("SELECT answer FROM kept").fetchone() == (42,)
    finally:
        again.stop()


def test_a_lock_of_a_process_that_is_another_program_is_no_obstacle(served: tuple[Path, Cluster, Child]) -> None:
    data, cluster, child = served
    os.kill(child.process.pid, signal.SIGKILL)
    child.process.wait(10)
    lock = data / "postmaster.pid"
    lock.write_text("\n".join([str(os.getpid()), *lock.read_text().split("\n")[1:]]))

    _again(data, cluster).stop()


def test_a_server_that_was_left_running_is_ended_first(served: tuple[Path, Cluster, Child]) -> None:
    data, cluster, child = served

    again = _again(data, cluster)

    assert child.process.wait(10) is not None
    again.stop()


def test_other_passwords_are_told_in_words(served: tuple[Path, Cluster, Child]) -> None:
    data, cluster, child = served
    child.stop()
    wrong = dict.fromkeys((SUPERUSER, OWNER, APP), "wrong")

    with pytest.raises(LocalError, match="does not accept the passwords"):
        serve(data, port=cluster.port, passwords=wrong, log=data.with_name("log"))


def test_data_of_another_version_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "PG_VERSION").write_text("15\n")

    with pytest.raises(LocalError, match="was made by PostgreSQL 15"):
        serve(tmp_path / "data", port=free_port(), passwords=TEST_PASSWORDS, log=tmp_path / "log")


def test_the_roles_may_what_they_need_and_no_more(cluster: Cluster) -> None:
    with psycopg.connect(cluster.dsn(OWNER)) as owner:
        rows = owner.execute(
            "SELECT rolname, rolsuper, rolcreaterole, rolcreatedb, rolbypassrls FROM pg_roles"
            " WHERE rolname IN ('sf_app', 'sf_owner') ORDER BY 1"
        ).fetchall()
        extensions = {row[0] for row in owner.execute("SELECT extname FROM pg_extension")}
        version = owner.execute("SHOW server_version_num").fetchone()
    assert rows == [("sf_app", False, False, False, False), ("sf_owner", False, True, False, False)]
    assert "vector" in extensions
    assert version is not None
    assert int(version[0]) // 10_000 == 16


def test_the_server_listens_on_loopback_alone(cluster: Cluster) -> None:
    with psycopg.connect(cluster.dsn(SUPERUSER)) as server:
        told = server.execute("SELECT current_setting('listen_addresses'), current_setting('unix_socket_directories')")
        assert told.fetchone() == ("127.0.0.1", "")
