"""Media as a network takes them, on the real engine: asked for, made, fetched, and looked at as a network would."""

import io

import av
import httpx
import pytest
from PIL import Image

from tests.e2e.stack import LocalStack
from tests.e2e.steps import eventually, in_state, upload
from tests.videos import video

pytestmark = pytest.mark.e2e


def test_a_photo_becomes_what_instagram_takes(stack: LocalStack) -> None:
    editor = stack.signed_in("editor@acme.test")
    media_id = upload(stack, editor, 1)
    in_state(editor, f"/media/{media_id}", "in_review")
    before = {one["network"]: one["verdict"] for one in editor.get(f"/media/{media_id}/fit")["items"]}
    assert before["instagram"] == "fits"
    asked = editor.post(f"/media/{media_id}/renditions", {"network": "instagram", "ratio": "4:5"})
    assert asked["state"] in ("queued", "rendering", "ready")
    path = f"/media/{media_id}/renditions/{asked['id']}"
    shown = eventually(lambda: editor.get(path), lambda seen: seen["state"] in ("ready", "refused"))
    assert (shown["state"], shown["percent"]) == ("ready", 100)
    served = httpx.get(shown["url"])
    picture = Image.open(io.BytesIO(served.content))
    assert (served.headers["content-type"], picture.format, picture.size) == ("image/jpeg", "JPEG", (320, 400))
    assert len(served.content) == shown["size"]
    again = editor.post(f"/media/{media_id}/renditions", {"network": "instagram", "ratio": "4:5"})
    assert (again["id"], again["state"]) == (asked["id"], "ready")


def test_a_phones_video_becomes_what_x_takes(stack: LocalStack) -> None:
    editor = stack.signed_in("editor@acme.test")
    data = video(1920, 1080, frames=45, kind="mov", turned=90)
    begun = editor.post(
        "/media/uploads", {"file_name": "beach.mov", "content_type": "video/quicktime", "size": len(data)}
    )
    assert httpx.put(begun["url"], content=data, headers=begun["headers"]).status_code == 200
    in_state(editor, f"/media/{begun['id']}", "in_review")
    asked = editor.post(f"/media/{begun['id']}/renditions", {"network": "x"})
    path = f"/media/{begun['id']}/renditions/{asked['id']}"
    shown = eventually(lambda: editor.get(path), lambda seen: seen["state"] in ("ready", "refused"))
    assert (shown["state"], shown["width"], shown["height"]) == ("ready", 720, 1280)
    served = httpx.get(shown["url"])
    assert (served.headers["content-type"], len(served.content)) == ("video/mp4", shown["size"])
    with av.open(io.BytesIO(served.content), format="mov") as opened:
        assert opened.streams.video[0].codec_context.name == "h264"
