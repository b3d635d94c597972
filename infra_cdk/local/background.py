"""`up`, `down` and `status`: the supervisor as a process of its own, found by the lock that it holds."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psutil

from infra_cdk.local import networks
from infra_cdk.local.process import LocalError
from infra_cdk.local.state import ROOT, AlreadyRunningError, State, read_json

START_TIMEOUT_S = 1_200.0  # a first start builds the layers
END_TIMEOUT_S = 30.0
HEALTH_TIMEOUT_S = 20.0
POLL_S = 0.1
EXIT_HELD = 3
Say = Callable[[str], None]


def what_next(state: State) -> str:
    """What a person can do with the ready stack."""
    at = read_json(state.stack_file)
    shown = "\n".join(f"  {each}" for each in map(networks.public, at["networks"], at["networks"].values()))
    return f"""
SocialFlow runs on this machine: {at["front"]}
  make demo                          three photos from upload to published posts
  make token WHO=editor@acme.test    a token for the API at {at["api"]} (with X-Tenant-Id: acme)
  make down                          ends it (Ctrl-C if it runs in the foreground); what it stored stays
{shown}
  {state.stack_file}    all addresses;  {state.home / "log"}    all logs"""


def check_networks(stack: Mapping[str, Any], wanted: Sequence[str]) -> None:
    """Raise LocalError when the running stack is without one of these networks."""
    if missing := [name for name in wanted if name not in stack["networks"]]:
        names = ",".join(missing)
        raise LocalError(f"the stack runs without {names}: end it with `make down`, then `make up NETWORKS={names}`")


def up(state: State, say: Say, settings: Sequence[str] = (), wanted: Sequence[str] = networks.ALWAYS) -> None:
    """Start the stack with these networks in the background and return when it is ready. Raises LocalError."""
    if state.is_held and not _make_way(state, say, wanted):
        return
    log = state.log("stack")
    log.parent.mkdir(parents=True, exist_ok=True)
    options = ["--networks", ",".join(wanted), *(part for pair in settings for part in ("--set", pair))]
    with log.open("wb") as output:
        supervisor = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "infra_cdk.local",
                "--home",
                str(state.home),
                "run",
                *options,
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )
    try:
        _follow(state, supervisor, log, say)
    except KeyboardInterrupt:
        supervisor.terminate()
        supervisor.wait(END_TIMEOUT_S)
        raise


def _make_way(state: State, say: Say, wanted: Sequence[str]) -> bool:
    """Whether a start may follow, with the stack held by a supervisor: it is ready, under way, or must end."""
    phase, pid = _supervisor(state)
    if phase == "starting":
        raise AlreadyRunningError(f"another start of this stack is under way (process {pid}): wait for it")
    if phase == "ready" and is_healthy(state):
        check_networks(read_json(state.stack_file), wanted)
        say("The stack runs already.")
        say(what_next(state))
        return False
    say("The stack of before is not whole: it is ended first.")
    down(state, say)
    return True


def _follow(state: State, supervisor: "subprocess.Popen[bytes]", log: Path, say: Say) -> None:
    """Repeat what the supervisor says until it is ready."""
    deadline = time.monotonic() + START_TIMEOUT_S
    with log.open() as told:
        while True:
            ended = supervisor.poll() is not None
            at = read_json(state.progress_file)
            ready = (at.get("pid"), at.get("phase")) == (supervisor.pid, "ready")
            for line in told:
                say(line.rstrip("\n"))
            if supervisor.returncode == EXIT_HELD:
                raise AlreadyRunningError("another start of this stack was faster: wait until it is ready")
            if ended:
                raise LocalError(f"the stack did not start; all that it said: {log}")
            if ready:
                return
            if time.monotonic() > deadline:
                supervisor.terminate()
                raise LocalError(f"the stack was not ready after {START_TIMEOUT_S:.0f} s; all that it said: {log}")
            time.sleep(POLL_S)


def down(state: State, say: Say) -> None:
    """End the stack; returns when it is gone. Raises LocalError if it cannot be ended."""
    if not state.is_held:
        say("The stack does not run.")
        return
    _, pid = _supervisor(state)
    process = _process(pid)
    if process is None:
        raise LocalError(
            f"some process holds {state.home}, but its supervisor cannot be found: see who uses the folder"
        )
    process.terminate()
    if not _released(state, END_TIMEOUT_S):
        say("It did not end in time, so it is killed; its children die with it.")
        process.kill()
        if not _released(state, END_TIMEOUT_S):
            raise LocalError(f"process {pid} cannot be ended")
    say("The stack has ended.")


def status(state: State, say: Say) -> int:
    """Say whether the stack runs; 0 if it is ready and every part answers."""
    if not state.is_held:
        say("The stack does not run.")
        return 1
    phase, pid = _supervisor(state)
    healthy = phase == "ready" and is_healthy(state)
    say(f"Supervisor: process {pid}, {phase}{'' if healthy or phase != 'ready' else ', but not every part answers'}.")
    if healthy:
        say(what_next(state))
    return 0 if healthy else 1


def is_healthy(state: State) -> bool:
    """Whether a request goes all the way: front door, engine, function, database."""
    front = read_json(state.stack_file).get("front")
    if not isinstance(front, str):
        return False
    deadline = time.monotonic() + HEALTH_TIMEOUT_S
    with suppress(httpx.HTTPError):
        answer = httpx.get(f"{front}/v1/health", timeout=deadline - time.monotonic(), trust_env=False)
        return answer.status_code == httpx.codes.OK
    return False


def _supervisor(state: State) -> tuple[str, int]:
    """What the holder of the lock says of itself; it writes that a moment after it took the lock."""
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        told = read_json(state.progress_file)
        if isinstance(told.get("pid"), int) and _process(told["pid"]) is not None:
            return str(told.get("phase")), told["pid"]
        time.sleep(POLL_S)
    return "unknown", 0


def _process(pid: int) -> psutil.Process | None:
    """The supervisor of that id; never another program that has got the id since."""
    with suppress(psutil.Error, ValueError):
        process = psutil.Process(pid)
        if "infra_cdk.local" in process.cmdline():
            return process
    return None


def _released(state: State, patience: float) -> bool:
    deadline = time.monotonic() + patience
    while state.is_held:
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True
