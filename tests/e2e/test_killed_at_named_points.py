"""Engine, database and front door die together by SIGKILL at named points; nothing is lost and nothing goes out twice.

What counts is the Mastodon server's own listing. The points where the network is involved are held open by a gate in
front of it, so that they are hit each time.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest

from infra_cdk.local.demo.client import Person
from infra_cdk.local.networks import MASTODON_TOKEN
from tests.e2e.gate import Gate
from tests.e2e.stack import LocalStack
from tests.e2e.steps import PATIENCE_S, approved_photo, eventually, in_state, schedule, upload

pytestmark = pytest.mark.e2e
MEDIA, STATUSES = "/api/v2/media", "/api/v1/statuses"
LEASE_S = 25


@pytest.fixture
def editor(stack: LocalStack) -> Person:
    return stack.signed_in("editor@acme.test")


def crash(stack: LocalStack) -> None:
    """Kill the three at one moment and bring everything up again."""
    stack.kill("engine", "postgres", "front-door")
    stack.up()


def connect(stack: LocalStack, gate: Gate, *, keys: bool) -> str:
    """Connect the server behind a gate as an account of its own."""
    gate.forget_keys = not keys
    wish = {
        "network": "mastodon",
        "base_url": gate.url,
        "access_token": MASTODON_TOKEN,
        "capabilities": {"idempotency_key": keys},
    }
    return str(stack.signed_in("owner@acme.test").post("/accounts", wish)["id"])


def listed(stack: LocalStack, text: str) -> int:
    """How often the Mastodon server itself lists a status with this text."""
    found = stack.http.get(f"{stack.mastodon}/api/v1/timelines/public", params={"limit": 40}).raise_for_status().json()
    return sum(text in status["content"] for status in found)


def test_killed_before_anything_goes_out(stack: LocalStack, editor: Person, gate: Gate) -> None:
    """Four subjects at once: in processing, waiting for a person, in the moment of the decision, before its time."""
    text = "Scheduled, and then the lights went out."
    waiting, decided = upload(stack, editor, 0), upload(stack, editor, 1)
    account = connect(stack, gate, keys=True)
    for media_id in (waiting, decided):
        in_state(editor, f"/media/{media_id}", "in_review")
    scheduled = schedule(editor, account, text, due=datetime.now(UTC) + timedelta(seconds=20))
    processing = upload(stack, editor, 2)
    eventually(lambda: editor.get(f"/media/{processing}"), lambda seen: seen["percent"] >= 10)
    editor.post(f"/media/{decided}/review/reject", {"reason": "Too dark."})

    crash(stack)

    in_state(editor, f"/media/{decided}", "rejected")
    editor.post(f"/media/{waiting}/review/approve", {"caption_version": 1})
    in_state(editor, f"/media/{waiting}", "approved")
    seen = in_state(editor, f"/media/{processing}", "in_review")
    assert [each["variant"] for each in seen["derivatives"]] == ["thumb", "small", "medium", "large", "square"]
    assert len(editor.get(f"/media/{processing}/captions")["items"]) == 1, "no caption is written twice"
    in_state(editor, f"/posts/{scheduled}", "published")
    assert listed(stack, text) == 1


def test_killed_while_the_networks_are_called(stack: LocalStack, editor: Person, gates: Sequence[Gate]) -> None:
    """Four posts at once, each held at its point by a gate in front of its server.

    One is accepted by a server that keeps keys, one by a server that forgets them, one never arrives there, and one is
    still uploading its picture. The receipts of the accepted ones never come.
    """
    keeps, forgets, loses, uploads = gates
    texts = {gate: f"Then the lights went out, number {number}." for number, gate in enumerate(gates)}
    accounts = {gate: connect(stack, gate, keys=gate in (keeps, uploads)) for gate in gates}
    picture = approved_photo(stack, editor)
    with stack.function_settings("task_publish_target", PUBLISH_LEASE=str(LEASE_S)):
        with ExitStack() as held:
            holds = [
                held.enter_context(keeps.holding(STATUSES)),
                held.enter_context(forgets.holding(STATUSES)),
                held.enter_context(loses.losing(STATUSES)),
                held.enter_context(uploads.holding(MEDIA)),
            ]
            posts = {
                gate: schedule(editor, accounts[gate], texts[gate], media=[picture] if gate is uploads else [])
                for gate in gates
            }
            for hold in holds:
                assert hold.reached.wait(PATIENCE_S)
            stack.kill("engine", "postgres", "front-door")
        stack.up()

    for gate in (keeps, forgets, uploads):
        published = in_state(editor, f"/posts/{posts[gate]}", "published")
        assert published["targets"][0]["receipt"]["remote_id"]
    undecided = in_state(editor, f"/posts/{posts[loses]}", "unconfirmed")
    assert [listed(stack, texts[gate]) for gate in gates] == [1, 1, 0, 1], "no program may decide the third"

    target = undecided["targets"][0]
    assert "look there" in target["problem"]["detail"]
    editor.post(f"/posts/{posts[loses]}/targets/{target['id']}/resolve", {"post_again": True})
    in_state(editor, f"/posts/{posts[loses]}", "published")
    assert [listed(stack, texts[gate]) for gate in gates] == [1, 1, 1, 1]
