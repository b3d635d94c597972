"""Photos on the real engine: what a signed address lets through, progress, derivatives, and the end by time."""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from infra_cdk.local.demo.client import Person
from tests.e2e.stack import LocalStack
from tests.pictures import photo

pytestmark = pytest.mark.e2e

LIMIT_S = 120.0


@pytest.fixture
def editor(stack: LocalStack) -> Person:
    return stack.signed_in("editor@acme.test")


def announced(editor: Person, data: bytes, **more: Any) -> dict[str, Any]:
    body = {"file_name": "harbour.jpg", "content_type": "image/jpeg", "size": len(data), **more}
    return editor.post("/media/uploads", body)


def sent(editor: Person, upload: dict[str, Any], data: bytes, **changed: str | None) -> int:
    """Send a file with the signed headers, some of them changed or (None) left out; return the status."""
    headers = {**upload["headers"], **{name.replace("_", "-"): value for name, value in changed.items()}}
    given = {name: value for name, value in headers.items() if value is not None}
    return editor.http.put(upload["url"], content=data, headers=given).status_code


def watched(editor: Person, media_id: str) -> Iterator[dict[str, Any]]:
    """Yield the media item again and again, for two minutes at the most."""
    until = time.monotonic() + LIMIT_S
    while time.monotonic() < until:
        yield editor.get(f"/media/{media_id}")
        time.sleep(0.05)
    pytest.fail(f"{editor.get(f'/media/{media_id}')} after {LIMIT_S} s")


def until(editor: Person, media_id: str, state: str) -> list[dict[str, Any]]:
    """Return everything that was read until the media item reached a state."""
    seen = []
    for item in watched(editor, media_id):
        seen.append(item)
        if item["state"] == state:
            break
    return seen


def test_a_signed_address_takes_this_file_once_and_nothing_else(editor: Person) -> None:
    data = photo()
    upload = announced(editor, data)
    assert sent(editor, upload, data, Content_Type="text/html") == 403
    assert sent(editor, upload, data + b"x", Content_Length=str(len(data) + 1)) == 403
    assert sent(editor, upload, data, If_None_Match=None) == 403
    assert sent(editor, upload, data) == 200
    assert sent(editor, upload, data) == 412


def test_the_event_alone_starts_the_workflow_and_progress_rises(editor: Person) -> None:
    data = photo(3000, 2000)
    upload = announced(editor, data)
    assert sent(editor, upload, data) == 200
    seen = until(editor, upload["id"], "in_review")
    percents = [item["percent"] for item in seen]
    assert percents == sorted(percents)
    assert len(set(percents)) >= 3
    shown = seen[-1]
    assert shown["caption"]["model"] == "offline-basic"
    assert {made["variant"] for made in shown["derivatives"]} == {"thumb", "small", "medium", "large", "square"}
    for made in shown["derivatives"]:
        served = httpx.get(made["url"])
        assert (served.status_code, served.headers["content-type"], len(served.content)) == (
            200,
            "image/jpeg",
            made["size"],
        )
    original = httpx.get(editor.get(f"/media/{upload['id']}/download")["url"])
    assert original.content == data


def test_confirming_alone_starts_the_workflow_and_a_hostile_file_ends_it(editor: Person) -> None:
    data = b"<html>" + b"x" * 1000
    upload = announced(editor, data)
    assert sent(editor, upload, data) == 200
    editor.post(f"/media/{upload['id']}/confirm")
    refused = until(editor, upload["id"], "refused")[-1]
    assert (refused["refusal"]["code"], refused["percent"]) == ("not-a-picture", 100)


def test_a_rejection_wakes_the_workflow(editor: Person) -> None:
    data = photo()
    upload = announced(editor, data, caption={"skip": True})
    sent(editor, upload, data)
    assert until(editor, upload["id"], "in_review")[-1]["caption"] is None
    began = time.monotonic()
    editor.post(f"/media/{upload['id']}/review/reject", {"reason": "blurred"})
    until(editor, upload["id"], "rejected")
    assert time.monotonic() - began < 30  # the doorbell, and not the minute's reconciler after a grace period


def test_a_review_ends_by_its_rows_time(stack: LocalStack, editor: Person) -> None:
    data = photo()
    with stack.function_settings("task_await_review", REVIEW_TTL="3"):
        upload = announced(editor, data, caption={"skip": True})
        sent(editor, upload, data)
        until(editor, upload["id"], "in_review")
        expired = until(editor, upload["id"], "expired")[-1]
    assert expired["percent"] == 100
    assert editor.get(f"/media/{upload['id']}/review")["state"] == "expired"
