"""Start a program that dies with the process that asked for it: `leash.py <parent pid> <signal> <program> …`.

With `--pack` before the program, its descendants die with it too: a second process stays beside it to see to that.
A file of its own, run by the bare interpreter (`python -I -S`): on Linux the kernel holds the leash, and it must
be tied after the fork but before the program, where Python code of a threaded parent must not run.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys

PR_SET_PDEATHSIG = 1


def kill_pack(*_: object) -> None:
    """End our process group: ourselves, the program, and what it has started."""
    os.killpg(0, signal.SIGKILL)


def keep_pack(argv: list[str]) -> int:
    """Run the program in our process group; when our parent or the program is gone, so is the group."""
    if os.getpgrp() != os.getpid():
        raise OSError("the keeper of a pack must lead its process group")
    signal.signal(signal.SIGTERM, kill_pack)  # what the leash to our own parent sends
    tied = [sys.executable, "-I", "-S", __file__, str(os.getpid()), str(int(signal.SIGKILL)), *argv]
    code = subprocess.Popen(tied).wait()
    if code != 0:
        kill_pack()
    return code


if sys.platform == "linux":

    def hold(parent: int, death_signal: int, argv: list[str]) -> int:  # noqa: RET503 — an exec does not return
        """Become the program, which the kernel signals when the parent is gone."""
        if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
        if os.getppid() != parent:  # it died before the leash was tied
            return 1
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and an exec would hand that on
        os.execvp(argv[0], argv)  # noqa: S606 — the program to start is this file's argument

    def hold_pack(parent: int, argv: list[str]) -> int:
        """Become the keeper of a pack: the program itself is on a leash, so the keeper is one more process."""
        return hold(parent, signal.SIGTERM, [sys.executable, "-I", "-S", __file__, "--keep", *argv])

else:

    def hold(parent: int, death_signal: int, argv: list[str]) -> int:
        """Stay between the two (macOS), and signal the program when the parent's end is reported."""
        child = subprocess.Popen(argv)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            signal.signal(number, lambda received, _frame: child.send_signal(received))
        exits = [
            select.kevent(pid, select.KQ_FILTER_PROC, select.KQ_EV_ADD, select.KQ_NOTE_EXIT)
            for pid in (parent, child.pid)
        ]
        try:
            ended = [event.ident for event in select.kqueue().control(exits, 1, None)]
        except ProcessLookupError:  # one of the two was gone before we looked
            ended = []
        if parent in ended or os.getppid() != parent:
            child.send_signal(death_signal)
        return child.wait()

    def hold_pack(parent: int, argv: list[str]) -> int:
        """Stay beside the program as its keeper."""
        code = hold(parent, signal.SIGKILL, argv)
        if code != 0:
            kill_pack()
        return code


def main(parent: int, death_signal: int, argv: list[str]) -> int:
    """Tie the leash to the program, or to a whole pack."""
    return hold_pack(parent, argv[1:]) if argv[0] == "--pack" else hold(parent, death_signal, argv)


if __name__ == "__main__":
    if sys.argv[1] == "--keep":
        sys.exit(keep_pack(sys.argv[2:]))
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]))
