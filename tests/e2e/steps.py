"""What a person does with the stack by its API, as one call each."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from infra_cdk.local.demo.client import TYPES, Document, Person, photos_in, send_file
from infra_cdk.local.state import ROOT
from tests.e2e.stack import LocalStack

PHOTOS = ROOT / "infra_cdk" / "local" / "demo" / "photos"
PATIENCE_S = 90.0
PAUSE_S = 0.3


def eventually(
    look: Callable[[], Any], wanted: Callable[[Any], bool], *, seconds: float = PATIENCE_S, pause: float = PAUSE_S
) -> Any:
    """Look until it is as wanted; what was seen last is in the failure."""
    until = time.monotonic() + seconds
    while not wanted(seen := look()):
        assert time.monotonic() < until, f"After {seconds:.0f} s it is still {seen}"
        time.sleep(pause)
    return seen


def upload(stack: LocalStack, editor: Person, number: int = 0) -> str:
    """Upload one of the demo's photos."""
    photo = photos_in(PHOTOS)[number]
    wish = {"file_name": photo.name, "content_type": TYPES[photo.suffix], "size": photo.stat().st_size}
    made = editor.post("/media/uploads", wish)
    send_file(stack.http, photo, made)
    editor.post(f"/media/{made['id']}/confirm")
    return str(made["id"])


def in_state(editor: Person, path: str, *states: str, pause: float = PAUSE_S) -> Document:
    """Wait until a media item or a post is in one of these states."""
    found: Document = eventually(lambda: editor.get(path), lambda seen: seen["state"] in states, pause=pause)
    return found


def approved_photo(stack: LocalStack, editor: Person) -> str:
    """Take a photo to its approval."""
    media_id = upload(stack, editor)
    in_state(editor, f"/media/{media_id}", "in_review")
    editor.post(f"/media/{media_id}/review/approve", {"caption_version": 1})
    in_state(editor, f"/media/{media_id}", "approved")
    return media_id


def schedule(editor: Person, account: str, text: str, *, due: datetime | None = None, media: Sequence[str] = ()) -> str:
    """Make a post for a moment, or for now."""
    wish = {
        "text": text,
        "media": [{"id": media_id} for media_id in media],
        "targets": [{"account_id": account}],
        "publish_at": due.isoformat() if due else "now",
    }
    return str(editor.post("/posts", wish)["id"])
