"""Posts of several parts, and posts that recur, through the real engine and its layers."""

import time
from datetime import datetime, timedelta

import pytest

from infra_cdk.local.demo.client import Document, Person
from socialflow.publishing.networks.evidence import plain
from tests.e2e.office import DAILY, Operator
from tests.e2e.stack import LocalStack
from tests.e2e.steps import PATIENCE_S, in_state

pytestmark = pytest.mark.e2e


@pytest.fixture
def editor(stack: LocalStack) -> Person:
    return stack.signed_in("editor@acme.test")


def account_of(editor: Person, stack: LocalStack) -> str:
    """Return the account at the stack's own Mastodon server."""
    found = editor.get("/accounts", limit=100)["items"]
    return next(str(one["id"]) for one in found if one["base_url"] == stack.mastodon)


def approved(stack: LocalStack, post: Document) -> None:
    """Approve a post, where that is asked for."""
    if post["state"] == "awaiting_approval":
        owner = stack.signed_in("owner@acme.test")
        owner.post(f"/posts/{post['id']}/approve", {"content_hash": post["content_hash"]})


def test_a_thread_goes_out_in_its_order_and_is_linked(stack: LocalStack, editor: Person) -> None:
    """Each part is begun when the one before it is out, by the workflow's own rounds."""
    words = [f"Part {number} of {time.time_ns()}" for number in range(3)]
    wish = {"text": words[0], "replies": [{"text": text} for text in words[1:]], "publish_at": "now"}
    post = editor.post("/posts", wish | {"targets": [{"account_id": account_of(editor, stack)}]})
    approved(stack, post)
    began = time.monotonic()
    post = in_state(editor, f"/posts/{post['id']}", "published", "partial", "failed", "unconfirmed")
    assert post["state"] == "published", post
    assert time.monotonic() - began < PATIENCE_S / 2  # and not the minute's reconciler
    ids = [one["receipt"]["remote_id"] for one in sorted(post["targets"], key=lambda one: int(one["position"]))]
    shown = [stack.http.get(f"{stack.mastodon}/api/v1/statuses/{one}").raise_for_status().json() for one in ids]
    assert [plain(one["content"]).strip() for one in shown] == words
    assert [one["in_reply_to_id"] for one in shown] == [None, *ids[:-1]]
    assert {one["attempts"] for one in post["targets"]} == {1}


def test_a_series_has_its_posts_made_by_the_hour(stack: LocalStack, editor: Person) -> None:
    start = (datetime.fromisoformat("2026-01-01T09:00:00") + timedelta(days=365)).isoformat()
    wish = {"text": "Good morning", "rule": "FREQ=DAILY;COUNT=3", "zone": "Europe/Berlin", "starts_local": start}
    series = editor.post("/series", wish | {"targets": [{"account_id": account_of(editor, stack)}]})
    operator = Operator(stack)
    operator.sql("UPDATE t_acme.series SET made_local = NULL, look_at = now() WHERE id = %s", series["id"])
    moved = "UPDATE t_acme.series SET starts_local = (now() + interval '2 days')::timestamp WHERE id = %s"
    operator.sql(moved, series["id"])
    assert operator.invoke("cron_make_occurrences", DAILY) == {"looked_at": 1, "failed": []}
    made = editor.get(f"/series/{series['id']}")["made"]
    assert len(made) == 3
    assert editor.post(f"/series/{series['id']}/end", {"cancel_made": True})["made"] == []
