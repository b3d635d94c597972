"""How long after its second a post shows at the network: ours, and one poller each 15 and each 60 seconds.

Nothing here asserts anything about time. Posts go through the very functions; forks of this warm process are called as
Step Functions calls Lambda: `HEAD_START` before the second, each with one post. What is measured ends when the server
has answered: from then on the post is there for everybody.
"""

import contextlib
import heapq
import json
import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx
import pytest

from functions.task_confirm_target.handler import handler as task_confirm_target
from functions.task_prepare_target.handler import handler as task_prepare_target
from functions.task_publish_target.handler import handler as task_publish_target
from socialflow.platform import database
from socialflow.publishing.model import HEAD_START
from tests import bluesky
from tests.api import Client
from tests.benchmarks.telling import show
from tests.integration.conftest import Member
from tests.integration.publishing.conftest import Desk
from tests.integration.publishing.everywhere import at_bluesky, at_mastodon
from tests.integration.publishing.harness import ordered
from tests.integration.publishing.places import Place
from tests.mastodon import TOKEN

pytestmark = pytest.mark.benchmark

WORKERS = 24
"""Publishers at once; prod has 50."""
PLACES: Mapping[str, Callable[[Desk], AbstractContextManager[Place]]] = {
    "mastodon": at_mastodon,
    "bluesky": at_bluesky,
    "the real bluesky": partial(at_bluesky, server=bluesky.real),
}
"""The last is what `make test-networks` brings."""
LONGEST = 300.0
"""Seconds after its own in which a post has to be there, for a figure to be one."""
_KEPT: list[Any] = []


@dataclass
class Watch:
    """When each text was there: a moment after the server has answered."""

    seen: dict[str, float] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def over(self, place: Place) -> None:
        """Look at what passes a place's wire."""
        real, (method, path) = place.wire.forward, place.mutation

        def forward(asked: str, target: str, headers: dict[str, str], body: bytes) -> httpx.Response:
            answer = real(asked, target, headers, body)
            if asked == method and target.startswith(path) and answer.is_success:
                sent = json.loads(body)
                text = sent.get("status") or sent.get("record", {}).get("text", "")
                with self.lock:
                    self.seen[text] = time.time()
            return answer

        setattr(place.wire, "forward", forward)  # noqa: B010 # only of this wire


def _publisher(jobs: Any) -> None:
    """Be one warm function: take a call, answer it, take the next."""
    _KEPT.append(database._open)  # the parent's connections: theirs to close
    database._open = threading.local()
    while (job := jobs.get()) is not None:
        kind, given = job
        with contextlib.suppress(Exception):
            _step(kind, given)
    database.forget()


def _step(kind: str, given: dict[str, Any]) -> None:
    """Take a target's step as the workflow does: back to its preparation, or on to the evidence, where that is next."""
    outcome = (task_prepare_target if kind == "prepare" else task_publish_target)(given, None)["outcome"]
    if kind == "publish" and outcome == "left":
        task_prepare_target(given, None)
        task_publish_target(given, None)
    elif kind == "publish" and outcome == "unconfirmed":
        task_confirm_target(given, None)


@contextlib.contextmanager
def _publishers() -> Iterator[Any]:
    fork = multiprocessing.get_context("fork")
    jobs = fork.Queue()
    workers = [fork.Process(target=_publisher, args=(jobs,), daemon=True) for _ in range(WORKERS)]
    for worker in workers:
        worker.start()
    try:
        yield jobs
    finally:
        for _ in workers:
            jobs.put(None)
        for worker in workers:
            worker.join(timeout=30)
        jobs.close()


def _lateness(place: Place, sign_in: Callable[[], Client], moments: list[datetime]) -> list[float]:
    """Publish a post at each moment; return how many milliseconds after it each was there."""
    watch, account, desk, editor = Watch(), place.account(), place.desk, sign_in()
    watch.over(place)
    due: dict[str, float] = {}
    waiting: list[tuple[float, str, dict[str, Any]]] = []
    with _publishers() as jobs:
        for number, moment in enumerate(moments):
            text = f"Post {number} for its second"
            if number % 10 == 0:
                editor = sign_in()  # a session ends within a minute
            post_id = ordered(editor, text, account, at=moment.isoformat())
            due[text] = moment.timestamp()
            run = desk.start(post_id)
            desk.open(post_id, run)
            target = str(desk.value("SELECT id FROM t_acme.targets WHERE post_id = %s", post_id))
            given = desk.given(post_id, run, target_id=target)
            jobs.put(("prepare", given))
            heapq.heappush(waiting, (moment.timestamp() - HEAD_START.total_seconds(), text, given))
        while waiting:
            at, text, given = heapq.heappop(waiting)
            time.sleep(max(0.0, at - time.time()))
            if text not in watch.seen:
                assert time.time() < due[text] + LONGEST, f"{len(due) - len(watch.seen)} of {len(due)} are not there"
                jobs.put(("publish", given))
                # What found no publisher in time, or was throttled, is called again: as the workflow does.
                heapq.heappush(waiting, (max(time.time(), due[text]) + 10.0, text, given))
    listed = place.listed()
    assert sorted(listed) == sorted(due), "none lost, none twice"
    return [(watch.seen[text] - due[text]) * 1000 for text in due]


@pytest.mark.parametrize("network", sorted(PLACES))
def test_300_posts_in_one_minute(desk: Desk, member: Member, network: str, capsys: pytest.CaptureFixture[str]) -> None:
    begin = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=60)
    with PLACES[network](desk) as place:
        late = _lateness(
            place, partial(member, "editor"), [begin + timedelta(seconds=number // 5) for number in range(300)]
        )
    with capsys.disabled():
        show(f"From the second to there: 300 posts in a minute to {network}", {f"{WORKERS} publishers": late})


@pytest.mark.parametrize("network", sorted(PLACES))
def test_1000_posts_at_one_second(desk: Desk, member: Member, network: str, capsys: pytest.CaptureFixture[str]) -> None:
    second = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=150)
    with PLACES[network](desk) as place:
        late = _lateness(place, partial(member, "editor"), [second] * 1000)
    with capsys.disabled():
        show(f"From the second to there: 1,000 posts at one second to {network}", {f"{WORKERS} publishers": late})


def test_what_a_poller_does(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """One process that looks each so many seconds for what is due, and sends it one after the other: bare calls."""
    series = {f"one poller each {pause} s": _polled(desk, pause) for pause in (15, 60)}
    with capsys.disabled():
        show("From the second to there: 300 posts in a minute to mastodon, as pollers send them", series)


def _polled(desk: Desk, pause: int) -> list[float]:
    begin = time.time() + 1.0
    due = [begin + number // 5 for number in range(300)]
    late: list[float] = []
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with httpx.Client(base_url=desk.mastodon.url, headers=headers, timeout=30) as client:
        looks = begin - 1.0
        while due:
            looks += pause
            time.sleep(max(0.0, looks - time.time()))
            while due and due[0] <= time.time():
                moment = due.pop(0)
                body = {"status": f"Polled each {pause} s for {moment}"}
                client.post("/api/v1/statuses", json=body).raise_for_status()
                late.append((time.time() - moment) * 1000)
    return late
