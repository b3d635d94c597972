"""A crowd of photos that arrives at once, what is seen of each until its review, and workers that die meanwhile."""

import io
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
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


def arrive(editor: Person, count: int) -> list[Arrival]:
    """Upload so many photos, a few at a time as a browser does; every second is left to the bucket's event alone."""
    photo = phone_photo()

    def send(number: int) -> Arrival:
        data = one_of(photo, number)
        began = time.monotonic()
        wish = {"file_name": f"photo-{number}.jpg", "content_type": "image/jpeg", "size": len(data)}
        made = editor.post("/media/uploads", wish)
        sent = editor.http.request(made["method"], made["url"], headers=made["headers"], content=data)
        assert sent.status_code == httpx.codes.OK, sent.text
        if number % 2:
            editor.post(f"/media/{made['id']}/confirm")
        return Arrival(made["id"], began)

    with ThreadPoolExecutor(HANDS) as hands:
        return list(hands.map(send, range(count)))


def watch(editor: Person, crowd: Sequence[Arrival], *, seconds: float) -> None:
    """Look at all of them again and again until each is in review; fail where that takes longer."""
    until = time.monotonic() + seconds
    while any(each.state != "in_review" for each in crowd):
        assert time.monotonic() < until, [(each.media_id, each.state) for each in crowd if each.state != "in_review"]
        for start in range(0, len(crowd), BATCH):
            _look(editor, crowd[start : start + BATCH])
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
