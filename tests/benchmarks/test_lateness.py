"""How late posts go out, and how long a person waits: measured on one whole stack, from outside.

Nothing here asserts anything about time. Lateness is the Mastodon server's own `created_at` less the promised second.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from infra_cdk.local.demo.client import Document, Person
from tests.benchmarks.conftest import Tell
from tests.e2e.stack import LocalStack
from tests.e2e.steps import approved_photo, in_state, schedule, upload

pytestmark = pytest.mark.benchmark

PHOTOS = 6
LOOK_S = 0.02
CALLS = 200
ALONE, APART = 20, timedelta(seconds=6)
TOGETHER = 5
# Until the first is due: long enough to order and prepare them all, which starts a worker of the engine for each.
AHEAD = timedelta(seconds=60)
BURST, SOON, CLOSE = 25, timedelta(seconds=15), timedelta(seconds=1)


def test_from_upload_to_review(stack: LocalStack, editor: Person, tell: Tell) -> None:
    took = []
    for number in range(PHOTOS):
        began = time.monotonic()
        in_state(editor, f"/media/{upload(stack, editor, number % 3)}", "in_review", pause=LOOK_S)
        took.append(_ms(time.monotonic() - began))
    tell(
        "From upload to review, one photo at a time",
        {"the first, while functions start": took[:1], "the others": took[1:]},
    )


def test_a_warm_call(stack: LocalStack, editor: Person, tell: Tell) -> None:
    """Side by side with what needs no function, so that the machine's own share is known."""
    engine, front, api = stack.state.engine().url, stack.addresses["front"], stack.addresses["api"]
    places = {
        "the front door's own page": f"{front}/",
        "the engine's own readiness": f"{engine}/_ministack/ready",
        "GET /health: a function, a ping of the database": f"{api}/health",
        "GET /media: sign-in, tenant, a page of items": f"{api}/media",
    }
    headers = {"Authorization": f"Bearer {editor.token}", "X-Tenant-Id": editor.tenant}
    took: dict[str, list[float]] = {name: [] for name in places}
    for each in range(CALLS + 1):
        for name, url in places.items():
            began = time.monotonic()
            stack.http.get(url, headers=headers).raise_for_status()
            if each:  # the first warms
                took[name].append(_ms(time.monotonic() - began))
    tell("A call over loopback, one at a time", took)


def test_posts_against_their_second(stack: LocalStack, editor: Person, tell: Tell) -> None:
    picture = approved_photo(stack, editor)
    account = next(each["id"] for each in editor.get("/accounts")["items"] if each["network"] == "mastodon")
    first = datetime.now(UTC) + AHEAD
    moments = [first + number * APART for number in range(ALONE)]
    last = first + ALONE * APART
    alone = [schedule(editor, account, "One of many.", due=due, media=[picture]) for due in moments]
    together = [schedule(editor, account, "One of five.", due=last, media=[picture]) for _ in range(TOGETHER)]
    series = {f"{ALONE}, {APART.seconds} s apart": alone, f"{TOGETHER} at one second": together}
    time.sleep(max(0.0, (last - datetime.now(UTC)).total_seconds()))
    tell("Lateness of posts with one picture", _lateness(stack, editor, series))


def test_a_burst_of_orders_for_the_next_moments(stack: LocalStack, editor: Person, tell: Tell) -> None:
    """Every post is opened, prepared and published at nearly the same time: what is throttled has to come in time."""
    picture = approved_photo(stack, editor)
    account = next(each["id"] for each in editor.get("/accounts")["items"] if each["network"] == "mastodon")
    began = datetime.now(UTC)
    moments = [began + SOON + number * CLOSE for number in range(BURST)]
    posts = [schedule(editor, account, "One of a burst.", due=due, media=[picture]) for due in moments]
    ordered = (datetime.now(UTC) - began).total_seconds()
    series = {f"{BURST}, {CLOSE.seconds} s apart, ordered within {ordered:.0f} s": posts}
    tell(f"Lateness of a burst, the first due {SOON.seconds} s after the order began", _lateness(stack, editor, series))


def _lateness(stack: LocalStack, editor: Person, series: Mapping[str, Sequence[str]]) -> dict[str, list[float]]:
    """When each post was claimed, and when the server had it, in ms after its time."""
    rows: dict[str, list[float]] = {}
    for name, posts in series.items():
        seen = [in_state(editor, f"/posts/{post_id}", "published") for post_id in posts]
        due = [datetime.fromisoformat(post["due_at"]) for post in seen]
        claimed = [datetime.fromisoformat(post["targets"][0]["attempted"][0]["started_at"]) for post in seen]
        taken = [_taken(stack, post) for post in seen]
        rows[f"{name}: claimed"] = [_ms((at - of).total_seconds()) for at, of in zip(claimed, due, strict=True)]
        rows[f"{name}: on the server"] = [_ms((at - of).total_seconds()) for at, of in zip(taken, due, strict=True)]
    return rows


def _taken(stack: LocalStack, post: Document) -> datetime:
    """When the server made the status, by its own clock."""
    remote_id = post["targets"][0]["receipt"]["remote_id"]
    status = stack.http.get(f"{stack.mastodon}/api/v1/statuses/{remote_id}").raise_for_status().json()
    return datetime.fromisoformat(status["created_at"])


def _ms(seconds: float) -> float:
    return seconds * 1_000
