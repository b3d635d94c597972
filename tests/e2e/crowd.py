"""A crowd of photos that arrives at once, what is seen of each until its review, and workers that die meanwhile."""

import io
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import psutil
from PIL import Image

from infra_cdk.local.demo.client import Person, photos_in
from tests.e2e.stack import LocalStack
from tests.e2e.steps import PHOTOS

HANDS = 8
BATCH = 100
LOOK_S = 0.5
SIZE = (4000, 3000)


@dataclass
class Arrival:
    """One photo on its way: when it was announced, and when each percent of its progress was first seen."""

    media_id: str
    announced: float
    reached: dict[int, float] = field(default_factory=dict)
    state: str = "awaiting_upload"

    def seconds_to(self, percent: int) -> float | None:
        """How long it took to a percent or further; None where it is not there."""
        found = [at for each, at in self.reached.items() if each >= percent]
        return min(found) - self.announced if found else None


def phone_photo() -> bytes:
    """A photo of 12 megapixels with the texture of a real one."""
    with Image.open(photos_in(PHOTOS)[-1]) as small:
        buffer = io.BytesIO()
        small.convert("RGB").resize(SIZE).save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


def one_of(photo: bytes, number: int) -> bytes:
    """Return the photo with a comment of its own: another file, and as much work."""
    comment = f"{number:016d}".encode()
    return photo[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + photo[2:]


def see_through(editor: Person, count: int, *, seconds: float) -> tuple[list[Arrival], float]:
    """Upload so many photos and look at them from the first one on until each is in review; fail where it takes longer.

    Returns them, and for how many seconds they were sent.
    """
    crowd: list[Arrival] = []
    with ThreadPoolExecutor(1) as sender:
        sending = sender.submit(_arrive, editor, count, crowd)
        _watch(editor, crowd, sending, until=time.monotonic() + seconds)
        return crowd, sending.result()


def _arrive(editor: Person, count: int, crowd: list[Arrival]) -> float:
    """Send them, a few at a time as a browser does; every second is left to the bucket's event alone."""
    photo, began = phone_photo(), time.monotonic()

    def send(number: int) -> None:
        data = one_of(photo, number)
        announced = time.monotonic()
        wish = {"file_name": f"photo-{number}.jpg", "content_type": "image/jpeg", "size": len(data)}
        made = editor.post("/media/uploads", wish)
        crowd.append(Arrival(made["id"], announced))
        sent = editor.http.request(made["method"], made["url"], headers=made["headers"], content=data)
        assert sent.status_code == httpx.codes.OK, sent.text
        if number % 2:
            editor.post(f"/media/{made['id']}/confirm")

    with ThreadPoolExecutor(HANDS) as hands:
        list(hands.map(send, range(count)))
    return time.monotonic() - began


def _watch(editor: Person, crowd: Sequence[Arrival], sending: Future[float], *, until: float) -> None:
    while not sending.done() or any(each.state != "in_review" for each in crowd):
        waiting = [each for each in crowd if each.state != "in_review"]
        assert time.monotonic() < until, [(each.media_id, each.state) for each in waiting]
        for start in range(0, len(waiting), BATCH):
            _look(editor, waiting[start : start + BATCH])
        time.sleep(LOOK_S)


def _look(editor: Person, some: Sequence[Arrival]) -> None:
    found = editor.post("/media/batch", {"ids": [each.media_id for each in some]})
    shown: dict[str, Any] = {each["id"]: each["media"] for each in found["results"]}
    at = time.monotonic()
    for each in some:
        item = shown[each.media_id]
        each.state = item["state"]
        each.reached.setdefault(item["percent"], at)


@contextmanager
def killing(stack: LocalStack, function: str, times: int, *, every: float) -> Iterator[Callable[[], int]]:
    """Kill a busy worker of a function again and again until it has been `times`; yields how often it was so far."""
    done, over = 0, threading.Event()

    def kill() -> None:
        nonlocal done
        while done < times and not over.wait(every):
            done += _kill_one(stack, function)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    try:
        yield lambda: done
    finally:
        over.set()
        killer.join(every + 10)


def _kill_one(stack: LocalStack, function: str) -> int:
    for worker in stack.workers(function):
        with suppress(psutil.Error):
            if worker.cpu_percent(0.2) > 0:  # in the middle of something: one that waits for a call uses none
                worker.kill()
                return 1
    return 0
