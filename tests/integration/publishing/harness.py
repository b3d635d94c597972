"""Many posts and many faults at one place, and what its own list says in the end: none twice, none lost.

A driver does what Publish Post's states do, with the very handlers, and lets pauses and leases pass at once. Faults are
drawn by a seed. Processes are killed for real: a step runs in a fork of this warm process, and SIGKILL meets it at a
named point.
"""

import contextlib
import os
import random
import signal
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest

from functions.task_confirm_target.handler import handler as task_confirm_target
from functions.task_prepare_target.handler import handler as task_prepare_target
from functions.task_publish_target.handler import handler as task_publish_target
from socialflow.platform import database
from socialflow.publishing import confirmation, ledger
from tests.api import Client
from tests.integration.publishing.conftest import Context
from tests.integration.publishing.places import Place
from tests.wire import Fault

ON_THE_WAY: tuple[Fault, ...] = (
    "answer lost",
    "question lost",
    "garbage",
    "bad gateway",
    "redirect",
    "down",
    "limited",
    429,
    500,
    502,
    504,
    408,
    200,
)
UNREADABLE: tuple[Fault, ...] = ("down", "limited", "garbage", "answer lost", "question lost")
MOST_STEPS = 60

_BEGUN: list[Any] = []
"""Connections of the process that a fork has left behind: theirs, and never closed here."""


@dataclass
class Run:
    """One place under faults."""

    place: Place
    rng: random.Random
    sign_in: Callable[[], Client]
    """Signs the editor in: a session ends within a minute."""
    kills: bool
    """Whether processes are killed for real; else the call ends where it would."""
    faults: Counter[str] = field(default_factory=Counter)
    posts: dict[str, str] = field(default_factory=dict)

    def many(self, posts: int, faults: int, tell: Callable[[str], None] = lambda _: None) -> None:
        """Publish so many posts, so many of them with a fault."""
        struck = set(self.rng.sample(range(posts), faults))
        account = self.place.account()
        media = [{"id": self.place.desk.media()}] if self.place.media_first else []
        editor = self.sign_in()
        for number in range(posts):
            text = f"Post {number} of {posts} {self.rng.randrange(1 << 40):x}"
            post_id = ordered(editor, text, account, media=media)
            self.posts[post_id] = text
            self._one(post_id, FAULTS[self.rng.choice(sorted(FAULTS))] if number in struck else None)
            if (number + 1) % 10 == 0:
                editor = self.sign_in()
            if (number + 1) % 100 == 0:
                tell(f"{self.place.network}: {number + 1} of {posts} posts, {sum(self.faults.values())} faults")

    def _one(self, post_id: str, fault: "Callable[[Run, str], None] | None") -> None:
        desk = self.place.desk
        run = desk.start(post_id)
        desk.open(post_id, run)
        self._go_on(post_id, until="prepared")
        if fault is not None:
            self.place.wire.faults.clear()
            fault(self, post_id)
        self._go_on(post_id)
        self.place.wire.faults.clear()

    def run_of(self, post_id: str) -> int:
        """Return the newest run of a post."""
        return int(self.place.desk.value("SELECT run FROM cell.work WHERE id = %s", post_id))

    def _go_on(self, post_id: str, until: str | None = None) -> None:
        """Take steps until the target is settled, or a person has to look."""
        desk = self.place.desk
        for _ in range(MOST_STEPS):
            state = self.state(post_id)
            if state == until or state in ("published", "failed", "unconfirmed", "cancelled"):
                return
            desk.let_pause_pass(post_id)
            if state in ("scheduled", "preparing"):
                desk.let_lease_pass(post_id)
                self.step(task_prepare_target, post_id)
            elif state == "prepared":
                self.step(task_publish_target, post_id)
            else:
                desk.let_lease_pass(post_id)
                self.step(task_confirm_target, post_id)
        pytest.fail(f"{post_id} is not settled after {MOST_STEPS} steps: {self.state(post_id)}")

    def state(self, post_id: str) -> str:
        """Return a post's target's state."""
        return str(self.place.desk.value("SELECT state FROM t_acme.targets WHERE post_id = %s", post_id))

    def given(self, post_id: str) -> dict[str, Any]:
        """Return what a step's function is given."""
        target = str(self.place.desk.value("SELECT id FROM t_acme.targets WHERE post_id = %s", post_id))
        return self.place.desk.given(post_id, self.run_of(post_id), target_id=target)

    def step(self, handler: Any, post_id: str) -> None:
        """Take one step as its function does."""
        _call(handler, self.given(post_id))

    def struck(self, name: str) -> None:
        """Count a fault."""
        self.faults[name] += 1

    def judged(self) -> dict[str, int]:
        """Hold the place's own list against the ledger; return how often each state."""
        listed = Counter(self.place.listed())
        twice = sorted(text for text, count in listed.items() if count > 1)
        assert twice == [], f"out twice: {twice}"
        states: Counter[str] = Counter()
        for post_id, text in self.posts.items():
            state = self.state(post_id)
            states[state] += 1
            assert state in ("published", "failed", "unconfirmed"), f"left as {state}"
            there = text in listed
            assert there == (state == "published"), f"{state}, and {'out' if there else 'not out'}: {text}"
            assert state != "unconfirmed" or not self.place.repeats, f"undecided, and it could be repeated: {text}"
        assert set(listed) <= set(self.posts.values()), "something is out that nobody wrote"
        return dict(states)


def ordered(editor: Client, text: str, account: str, *, at: str = "now", **more: Any) -> str:
    """Make a post for an account; return its id."""
    body = {"text": text, "targets": [{"account_id": account}], "publish_at": at, **more}
    reply = editor.post("/v1/posts", body)
    assert reply.status == 201, reply
    return str(reply.json["id"])


def _call(handler: Any, given: dict[str, Any]) -> None:
    with contextlib.suppress(psycopg.Error, database.DatabaseDown, Cut):
        handler(given, None)


class Cut(BaseException):
    """The process ends here, where it is not killed for real."""


@contextlib.contextmanager
def _dies_at(point: str) -> Iterator[None]:
    """Let whatever reaches a named point end there: before or after a function of the ledger's."""
    name, _, when = point.partition(", ")
    module = confirmation if name == "report_confirmation" else ledger
    real = getattr(module, name)

    def dying(*args: Any, **more: Any) -> Any:
        if when == "before":
            _end()
        made = real(*args, **more)
        if when == "after":
            _end()
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, name, dying)
        yield


_IN_A_FORK = threading.Event()


def _end() -> None:
    if _IN_A_FORK.is_set():
        os.kill(os.getpid(), signal.SIGKILL)
    raise Cut


def _killed(run: Run, handler: Any, post_id: str, point: str) -> None:
    """Take a step in a process that is killed at a point."""
    run.struck(f"killed: {point}")
    given = run.given(post_id)
    if not run.kills:
        with _dies_at(point):
            _call(handler, given)
        return
    child = os.fork()
    if child == 0:
        _IN_A_FORK.set()
        _BEGUN.append(database._open)
        database._open = threading.local()
        with _dies_at(point):
            _call(handler, given)
        os._exit(7)  # it has come to its end: nothing was at the point
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.waitstatus_to_exitcode(status) == 7, status


def _on_the_way(fault: Fault) -> Callable[[Run, str], None]:
    def strike(run: Run, post_id: str) -> None:
        run.struck(f"on the way: {fault}")
        run.place.wire.fail(*run.place.mutation, fault)
        run.step(task_publish_target, post_id)

    return strike


def _unreadable(fault: Fault) -> Callable[[Run, str], None]:
    def strike(run: Run, post_id: str) -> None:
        run.struck(f"evidence: {fault}")
        run.place.wire.fail(*run.place.mutation, run.rng.choice(("answer lost", "question lost")))
        run.step(task_publish_target, post_id)
        run.place.wire.fail(*run.place.evidence, fault, times=run.rng.randint(1, 3))

    return strike


def _publisher_killed(point: str) -> Callable[[Run, str], None]:
    return lambda run, post_id: _killed(run, task_publish_target, post_id, point)


def _looker_killed(run: Run, post_id: str) -> None:
    run.place.wire.fail(*run.place.mutation, "answer lost")
    run.step(task_publish_target, post_id)
    run.place.desk.let_lease_pass(post_id)
    _killed(run, task_confirm_target, post_id, "report_confirmation, before")


def _database_gone(run: Run, post_id: str) -> None:
    """The connection to the database ends between the call and the report."""
    run.struck("database gone before the report")
    real = ledger.report_attempt

    def gone(tx: Any, *args: Any, **more: Any) -> Any:
        with socket.socket(fileno=os.dup(tx.connection.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)
        return real(tx, *args, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger, "report_attempt", gone)
        run.step(task_publish_target, post_id)


def _held(run: Run, post_id: str) -> None:
    """The answer does not come within the seconds that the function has left."""
    run.struck("on the way: answer held")
    wire = run.place.wire
    wire.release = threading.Event()
    wire.fail(*run.place.mutation, "answer held")
    with contextlib.suppress(psycopg.Error, database.DatabaseDown):
        task_publish_target(run.given(post_id), Context(7.0))
    wire.release.set()


def _clocks_differ(run: Run, post_id: str) -> None:
    """Our database's clock is ahead of the network's, as far as is allowed for."""
    run.struck("clocks differ")
    run.place.wire.fail(*run.place.mutation, "answer lost")
    run.step(task_publish_target, post_id)
    ahead = "UPDATE t_acme.attempts SET started_at = started_at + interval '45 s' WHERE target_id = %s"
    run.place.desk.owner.execute(ahead, (run.given(post_id)["target_id"],))


def _engine_restarted(run: Run, post_id: str) -> None:
    """Another run begins while the answer is still on its way to the first."""
    run.struck("another run during the call")
    desk = run.place.desk

    def restart() -> None:
        newer = desk.start(post_id)
        desk.open(post_id, newer)

    desk.meanwhile_at(run.place.wire, *run.place.mutation, restart)
    run.step(task_publish_target, post_id)


def _raced(run: Run, post_id: str) -> None:
    """Reconciler and workflow look into one attempt at once."""
    run.struck("two look at once")
    run.place.wire.fail(*run.place.mutation, run.rng.choice(("answer lost", "question lost")))
    run.step(task_publish_target, post_id)
    run.place.desk.let_lease_pass(post_id)
    given = run.given(post_id)
    threads = [threading.Thread(target=_look, args=(given,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _look(given: dict[str, Any]) -> None:
    try:
        task_confirm_target(given, None)
    finally:
        database.forget()


FAULTS: dict[str, Callable[[Run, str], None]] = {
    **{f"on the way {fault}": _on_the_way(fault) for fault in ON_THE_WAY},
    **{f"evidence {fault}": _unreadable(fault) for fault in UNREADABLE},
    "killed before the claim": _publisher_killed("begin_publishing, before"),
    "killed before the claim is kept": _publisher_killed("begin_publishing, after"),
    "killed after the call": _publisher_killed("report_attempt, before"),
    "killed before the report is kept": _publisher_killed("report_attempt, after"),
    "killed while looking": _looker_killed,
    "on the way answer held": _held,
    "clocks differ": _clocks_differ,
    "database gone": _database_gone,
    "engine restarted": _engine_restarted,
    "raced": _raced,
}
