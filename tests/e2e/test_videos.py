"""A phone's video on the real engine: read by ranges, shown, reviewed, hashed meanwhile."""

import hashlib

import httpx
import pytest

from infra_cdk.local.demo.client import Person
from tests.e2e.stack import LocalStack
from tests.e2e.steps import eventually, in_state
from tests.e2e.test_media import sent, until
from tests.videos import video

pytestmark = pytest.mark.e2e

KINDS = {
    "thumb": "image/jpeg",
    "small": "image/jpeg",
    "medium": "image/jpeg",
    "large": "image/jpeg",
    "square": "image/jpeg",
    "gif": "image/gif",
    "preview": "video/mp4",
}


@pytest.fixture
def editor(stack: LocalStack) -> Person:
    return stack.signed_in("editor@acme.test")


def test_a_video_comes_to_its_review_and_is_hashed_meanwhile(editor: Person) -> None:
    data = video(1280, 720, frames=150, kind="mov", turned=90)
    wish = {"file_name": "harbour.mov", "content_type": "video/quicktime", "size": len(data)}
    upload = editor.post("/media/uploads", wish)
    assert sent(editor, upload, data) == 200
    shown = until(editor, upload["id"], "in_review")[-1]
    assert (shown["kind"], shown["width"], shown["height"], shown["duration_ms"]) == ("video", 720, 1280, 5000)
    assert shown["caption"]["model"] == "offline-basic"
    assert {made["variant"]: made["content_type"] for made in shown["derivatives"]} == KINDS
    for made in shown["derivatives"]:
        served = httpx.get(made["url"])
        assert (served.status_code, served.headers["content-type"]) == (200, made["content_type"])
        assert len(served.content) == made["size"]
    path = f"/media/{upload['id']}"
    hashed = eventually(lambda: editor.get(path), lambda seen: seen["sha256"] is not None, seconds=150)
    assert hashed["sha256"] == hashlib.sha256(data).hexdigest()
    editor.post(f"{path}/review/approve", {"caption_version": 1})
    in_state(editor, path, "approved")


def test_a_page_that_is_called_a_video_is_refused_in_words(editor: Person) -> None:
    data = b"<html>" + b"x" * 1000
    wish = {"file_name": "harbour.mp4", "content_type": "video/mp4", "size": len(data)}
    upload = editor.post("/media/uploads", wish)
    assert sent(editor, upload, data) == 200
    refused = until(editor, upload["id"], "refused")[-1]
    assert refused["refusal"]["code"] == "not-a-video"
