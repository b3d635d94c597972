"""What one stack keeps on disk: ports, secrets, data, logs. A second stack (a test's) has a folder of its own."""

import fcntl
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra_cdk.local import postgres
from infra_cdk.local.engine import Engine
from infra_cdk.local.issuer import Issuer, load_key
from infra_cdk.local.ports import free_port, is_free
from infra_cdk.local.process import LocalError

ROOT = Path(__file__).resolve().parents[2]
PORTS = ("front", "engine", "issuer", "database", "mastodon", "captions", "bluesky")


class AlreadyRunningError(LocalError):
    """Another process holds this stack."""


@dataclass(frozen=True)
class State:
    """The folder of one stack, `.local/` unless told otherwise."""

    home: Path

    @classmethod
    def at(cls, home: Path) -> "State":
        """The state in `home`, which is made if need be, readable by its owner only: it holds secrets."""
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        return cls(home.resolve())

    def log(self, name: str) -> Path:
        """Where a child writes."""
        return self.home / "log" / f"{name}.log"

    @property
    def stack_file(self) -> Path:
        """`stack.json`: the addresses of the running stack, for people and programs."""
        return self.home / "stack.json"

    @property
    def progress_file(self) -> Path:
        """What the supervisor is doing: its process, its phase, what it said."""
        return self.home / "supervisor.json"

    def ports(self) -> dict[str, int]:
        """The ports of the stack: chosen free on the first call, the same ever after."""
        path = self.home / "ports.json"
        kept = read_json(path)
        ports = {name: kept[name] for name in PORTS if isinstance(kept.get(name), int)}
        for name in PORTS:
            if name not in ports:
                ports[name] = free_port(set(ports.values()))
        if ports != kept:
            write_json(path, ports)
        return ports

    def check_ports(self, *, patience: float = 5.0) -> None:
        """Raise LocalError when another program keeps a port of ours; what of us was killed may take a moment."""
        deadline = time.monotonic() + patience
        while taken := {name: port for name, port in self.ports().items() if not is_free(port)}:
            if time.monotonic() > deadline:
                listed = ", ".join(f"{port} ({name})" for name, port in taken.items())
                raise LocalError(
                    f"another program listens on a port of this stack: {listed}. End that program, "
                    f"or let the stack choose new ports: rm {self.home / 'ports.json'}"
                )
            time.sleep(0.1)

    def passwords(self) -> dict[str, str]:
        """The database's passwords, made on the first call."""
        path = self.home / "passwords.json"
        kept = read_json(path)
        if set(kept) != {postgres.SUPERUSER, postgres.OWNER, postgres.APP}:
            kept = postgres.new_passwords()
            write_json(path, kept)
        return kept

    def cluster(self) -> postgres.Cluster:
        """The database's address."""
        return postgres.Cluster(self.ports()["database"], self.passwords())

    def engine(self) -> Engine:
        """The engine of this stack; its program is installed once for all."""
        return Engine(
            python=ROOT / ".tools" / "engine" / "bin" / "python",
            home=self.home / "engine",
            log=self.log("engine"),
            port=self.ports()["engine"],
        )

    @property
    def issuer_key(self) -> Path:
        """The file of the issuer's key."""
        return self.home / "issuer.pem"

    def issuer(self) -> Issuer:
        """The issuer, with which tokens can be made whether or not it runs."""
        return Issuer(f"http://127.0.0.1:{self.ports()['issuer']}", load_key(self.issuer_key))

    def addresses(self, networks: Sequence[str]) -> dict[str, Any]:
        """What `stack.json` holds while the stack with these networks is ready."""
        ports = self.ports()
        front = f"http://127.0.0.1:{ports['front']}"
        return {
            "front": front,
            "api": f"{front}/v1",
            "issuer": self.issuer().url,
            "engine": self.engine().url,
            "database": self.cluster().dsn(postgres.OWNER),
            "networks": {name: f"http://127.0.0.1:{ports[name]}" for name in networks},
        }

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the stack; the kernel lets go when the process ends, however it does. Raises AlreadyRunningError."""
        with (self.home / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise AlreadyRunningError(f"another process holds the stack in {self.home}") from error
            yield

    @property
    def is_held(self) -> bool:
        """Whether some process holds the stack now."""
        try:
            with self.lock():
                return False
        except AlreadyRunningError:
            return True

    def remove(self) -> None:
        """Forget everything that was stored. Nobody may hold the stack."""
        shutil.rmtree(self.home)


def read_json(path: Path) -> dict[str, Any]:
    """The object in the file; empty if there is none, or if it is torn."""
    with suppress(OSError, ValueError):
        found = json.loads(path.read_text())
        if isinstance(found, dict):
            return found
    return {}


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Replace the file in one step; only its owner may read it."""
    text = json.dumps(content, indent=2) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, scratch = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # of mode 0600
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    Path(scratch).replace(path)
