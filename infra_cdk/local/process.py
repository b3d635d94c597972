"""Child processes: on a leash, with a log file, in a session of their own, never with someone else's stdout."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

LEASH = Path(__file__).with_name("leash.py")
LOG_TAIL_LINES = 12
LOG_LIMIT_BYTES = 20_000_000
POLL_S = 0.05
KILL_TIMEOUT_S = 10.0
Farewell = Sequence[tuple[signal.Signals, float]]


class LocalError(Exception):
    """Something on this machine is in the way; the message says what, and what to do."""


@dataclass(frozen=True)
class Program:
    """What to start: its command line, its whole environment, where its output goes."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    log: Path
    cwd: Path | None = None
    # Signals tried in turn until the program ends, each with the seconds it gets.
    farewell: Farewell = ((signal.SIGTERM, 5.0),)
    # Our child only keeps the program's process namespace; the program itself is the keeper's child.
    has_keeper: bool = False

    def start(self) -> "Child":
        """Start it; raises LocalError when there is no such program."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            if self.log.stat().st_size > LOG_LIMIT_BYTES:
                self.log.replace(self.log.with_suffix(".old.log"))
        with self.log.open("ab") as output:
            try:
                process = subprocess.Popen(
                    list(self.argv),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=dict(self.env),
                    cwd=self.cwd,
                    start_new_session=True,  # Ctrl-C reaches the supervisor only, which then stops them in order
                )
            except OSError as error:
                raise LocalError(f"{self.name} cannot be started: {error}") from error
        return Child(self, process)


@dataclass(frozen=True)
class Child:
    """A running program."""

    program: Program
    process: "subprocess.Popen[bytes]"

    @property
    def is_alive(self) -> bool:
        """Whether the program still runs."""
        return self.process.poll() is None

    @property
    def main_pid(self) -> int:
        """The process id of the program itself."""
        with suppress(psutil.NoSuchProcess, IndexError):
            if self.program.has_keeper:
                return psutil.Process(self.process.pid).children()[0].pid
        return self.process.pid

    def last_words(self) -> str:
        """Where the log is and how it ends, for an error message."""
        with suppress(OSError):
            lines = self.program.log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
            return "\n  ".join((f"its log, {self.program.log}, ends with:", *lines))
        return f"its log, {self.program.log}, cannot be read"

    def wait_until(self, ready: Callable[[], bool], *, timeout: float) -> None:
        """Poll `ready` for at most `timeout` seconds; raises LocalError if the program ends or is not ready by then."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if not self.is_alive:
                raise LocalError(f"{self.program.name} ended by itself; {self.last_words()}")
            if ready():
                return
            time.sleep(POLL_S)
        raise LocalError(f"{self.program.name} was not ready after {timeout:.0f} s; {self.last_words()}")

    def stop(self, farewell: Farewell | None = None) -> None:
        """Ask, then insist, then kill; returns when the program is gone."""
        for number, patience in farewell or self.program.farewell:
            if self.is_alive:
                self._signal(number)
                with suppress(subprocess.TimeoutExpired):
                    self.process.wait(patience)
        self.kill()

    def kill(self) -> None:
        """End the program without asking."""
        if self.is_alive:
            self._signal(signal.SIGKILL)
            with suppress(subprocess.TimeoutExpired):  # stuck in the kernel: it goes when that lets it
                self.process.wait(KILL_TIMEOUT_S)

    def _signal(self, number: signal.Signals) -> None:
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            kept = psutil.Process(self.process.pid).children() if self.program.has_keeper else []
            for process in kept:
                process.send_signal(number)
            if not kept or number == signal.SIGKILL:
                self.process.send_signal(number)


def leashed(argv: Sequence[str], *, death_signal: signal.Signals = signal.SIGKILL) -> list[str]:
    """The command line that runs `argv` so that it dies with this process; it must be started by the main thread."""
    return [sys.executable, "-I", "-S", str(LEASH), str(os.getpid()), str(int(death_signal)), *argv]


def plain_environment(**extra: str) -> dict[str, str]:
    """What a child needs of our environment: no cloud credentials, no keys, no Python settings."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")
    return {name: os.environ[name] for name in kept if name in os.environ} | extra
