"""A child dies with its parent, whatever ends the parent."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from infra_cdk.local.process import Child, LocalError, Program, leashed, plain_environment

PARENT = """
import sys, time
from pathlib import Path
from infra_cdk.local.process import Program, leashed, plain_environment

child = Program(
    "sleeper", leashed([sys.executable, "-c", "import time; time.sleep(60)"]), plain_environment(), Path(sys.argv[1])
).start()
print(child.process.pid, flush=True)
time.sleep(60)
"""


def _ended(pid: int, *, within: float = 5.0) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_child_dies_with_its_parent(tmp_path: Path, number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path / "log")], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert psutil.pid_exists(pid)

        parent.send_signal(number)
        parent.wait(5)

    assert _ended(pid)


def test_a_leash_to_a_parent_that_is_gone_starts_nothing(tmp_path: Path) -> None:
    stranger = str(os.getppid())  # alive, but not the parent of what is started
    command = leashed([sys.executable, "-c", f"open({str(tmp_path / 'ran')!r}, 'w')"])
    command[command.index(str(os.getpid()))] = stranger

    assert subprocess.run(command, check=False).returncode == 1
    assert not (tmp_path / "ran").exists()


def test_what_ends_by_itself_is_told_with_its_last_words(tmp_path: Path) -> None:
    script = "import sys; print('the disk is full'); sys.exit(3)"
    child = Program("Filler", leashed([sys.executable, "-c", script]), plain_environment(), tmp_path / "log").start()

    with pytest.raises(LocalError, match=r"(?s)Filler ended by itself; its log, .*the disk is full"):
        child.wait_until(lambda: False, timeout=10)


def test_a_program_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    script = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    )
    log = tmp_path / "log"
    child = Program("Deaf", leashed([sys.executable, "-c", script]), plain_environment(), log).start()
    child.wait_until(lambda: log.read_text() == "deaf\n", timeout=10)

    child.stop(((signal.SIGTERM, 0.2),))

    assert child.process.returncode == -signal.SIGKILL


def test_a_missing_program_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="Ghost cannot be started"):
        Program("Ghost", [str(tmp_path / "none")], plain_environment(), tmp_path / "log").start()


def test_a_child_knows_nothing_of_the_developers_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "precious")
    monkeypatch.setenv("OPENAI_API_KEY", "precious")

    assert "precious" not in plain_environment(PORT="1").values()
    assert plain_environment(PORT="1")["PORT"] == "1"


PACK = """
import subprocess, sys, time
print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]).pid, flush=True)
time.sleep(60)
"""


def _pack(tmp_path: Path) -> tuple[Child, int, int]:
    """A program with a descendant, both kept as a pack: the keeper, the program's id, the descendant's."""
    log = tmp_path / "log"
    command = leashed(["--pack", sys.executable, "-c", PACK])
    child = Program("Pack", command, plain_environment(), log, has_keeper=True).start()
    child.wait_until(lambda: log.read_text().strip().isdigit(), timeout=10)
    return child, child.main_pid, int(log.read_text())


def test_a_pack_dies_with_its_program(tmp_path: Path) -> None:
    child, program, descendant = _pack(tmp_path)

    os.kill(program, signal.SIGKILL)

    assert _ended(descendant)
    assert child.process.wait(5) != 0


def test_a_pack_dies_when_its_keeper_is_told_that_the_parent_is_gone(tmp_path: Path) -> None:
    child, program, descendant = _pack(tmp_path)

    os.kill(child.process.pid, signal.SIGTERM)  # what the kernel sends when the parent dies

    assert _ended(program)
    assert _ended(descendant)
    child.process.wait(5)
