"""The whole stack as a test has it: a folder of its own, settings of its own, and ways to kill it."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import psutil

from infra_cdk.local.accounts import person
from infra_cdk.local.demo.client import Person, open_client
from infra_cdk.local.networks import ALWAYS
from infra_cdk.local.prepare import FUNCTIONS
from infra_cdk.local.process import leashed, plain_environment
from infra_cdk.local.state import ROOT, State, read_json

START_TIMEOUT_S = 600.0  # the first start of a clone builds the layers
END_TIMEOUT_S = 30.0
COMMAND_TIMEOUT_S = 240.0
POLL_S = 0.1


@dataclass
class LocalStack:
    """One stack. It dies with the test process, whatever ends that."""

    state: State
    settings: Mapping[str, str]
    networks: Sequence[str] = ALWAYS
    http: httpx.Client = field(default_factory=open_client)
    _supervisor: "subprocess.Popen[bytes] | None" = None

    @property
    def addresses(self) -> dict[str, Any]:
        """What stack.json says; empty while the stack is not ready."""
        return read_json(self.state.stack_file)

    @property
    def mastodon(self) -> str:
        """The Mastodon server's address."""
        found: str = self.addresses["networks"]["mastodon"]
        return found

    def up(self) -> float:
        """Start the stack and return when it is ready, with the seconds that it took."""
        began = time.monotonic()
        options = [part for key, value in self.settings.items() for part in ("--set", f"{key}={value}")]
        options += ["--networks", ",".join(self.networks)]
        argv = [sys.executable, "-m", "infra_cdk.local", "--home", str(self.state.home), "run", *options]
        log = self.state.log("stack")
        log.parent.mkdir(exist_ok=True)
        with log.open("ab") as output:
            self._supervisor = subprocess.Popen(
                leashed(argv, death_signal=signal.SIGTERM),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env=plain_environment(),
            )
        while not self._is_ready(self._supervisor.pid):  # a killed supervisor's words may still be there
            if self._supervisor.poll() is not None or time.monotonic() - began > START_TIMEOUT_S:
                raise AssertionError(f"the stack did not start:\n{log.read_text()[-4_000:]}")
            time.sleep(POLL_S)
        return time.monotonic() - began

    def _is_ready(self, supervisor: int) -> bool:
        told = read_json(self.state.progress_file)
        return (told.get("pid"), told.get("phase")) == (supervisor, "ready")

    def down(self) -> None:
        """End the stack in order."""
        if self._supervisor is not None:
            self._supervisor.terminate()
            self._supervisor.wait(END_TIMEOUT_S)
            self._supervisor = None

    def processes(self) -> dict[str, psutil.Process]:
        """The running parts by their names: supervisor, engine, postgres, front-door, networks, issuer, captioner."""
        told = read_json(self.state.progress_file)
        return {
            "supervisor": psutil.Process(told["pid"]),
            **{name: psutil.Process(pid) for name, pid in told["children"].items()},
        }

    def workers(self, function: str) -> list[psutil.Process]:
        """The engine's processes that run a function."""
        found = []
        for process in self.processes()["engine"].children(recursive=True):
            with suppress(psutil.Error):
                if any(f"-{FUNCTIONS}{function}-" in part for part in process.cmdline()):  # in its folder's name
                    found.append(process)
        return found

    def kill(self, *names: str) -> None:
        """SIGKILL these parts at one moment, and wait until the supervisor has noticed and ended the rest."""
        found = self.processes()
        for name in names:
            found[name].kill()
        assert self._supervisor is not None
        self._supervisor.wait(END_TIMEOUT_S)
        self._supervisor = None

    def kill_everything(self) -> None:
        """SIGKILL the supervisor and whatever it started, as a power cut would."""
        parts = self.processes()
        everything = [parts["supervisor"], *parts["supervisor"].children(recursive=True)]
        for process in everything:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        assert self._supervisor is not None
        self._supervisor.wait(END_TIMEOUT_S)
        self._supervisor = None

    def token(self, email: str, *, lifetime: int = 3_600) -> str:
        """A token of a demo account; with a negative lifetime it has expired."""
        return self.state.issuer().token(person(email), lifetime=lifetime)

    def signed_in(self, email: str, tenant: str | None = None) -> Person:
        """A client of the API that speaks for that person."""
        who = person(email)
        return Person(self.http, self.addresses["api"], email, self.token(email), tenant or who.tenant)

    @contextmanager
    def function_settings(self, function: str, **settings: str) -> Iterator[None]:
        """Give a function other settings (without the prefix) until the end of the block, e.g. REVIEW_TTL="5"."""
        client = self.state.engine().client("lambda")
        name = FUNCTIONS + function
        before = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        changed = before | {f"SOCIALFLOW_{key}": value for key, value in settings.items()}
        _set(client, name, changed)
        try:
            yield
        finally:
            _set(client, name, before)


def _set(client: Any, name: str, variables: Mapping[str, str]) -> None:
    """Give a function its settings; where an alias is called, a version with them is published, as when deployed."""
    client.update_function_configuration(FunctionName=name, Environment={"Variables": dict(variables)})
    for alias in client.list_aliases(FunctionName=name)["Aliases"]:
        version = client.publish_version(FunctionName=name)["Version"]
        client.update_alias(FunctionName=name, Name=alias["Name"], FunctionVersion=version)


def command(stack: LocalStack, *verb: str) -> "subprocess.CompletedProcess[str]":
    """What the command line does with a verb, and says."""
    return subprocess.run(
        [sys.executable, "-m", "infra_cdk.local", "--home", str(stack.state.home), *verb],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=plain_environment(),
        timeout=COMMAND_TIMEOUT_S,
        check=False,
    )


@contextmanager
def running(state: State, settings: Mapping[str, str], networks: Sequence[str] = ALWAYS) -> Iterator[LocalStack]:
    """A stack with these networks that is ready, until the end of the block."""
    made = LocalStack(state, settings, networks)
    try:
        made.up()
        yield made
    finally:
        made.down()
        made.http.close()
