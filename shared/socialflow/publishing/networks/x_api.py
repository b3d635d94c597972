"""How X answers: its problems as refusals, its ids, its waits; and media, which are uploaded in pieces."""

import re
import time
from collections.abc import Iterator
from typing import Any

import httpx

from socialflow.publishing.networks import wire
from socialflow.publishing.networks.port import Later, Refused, Upload
from socialflow.publishing.networks.wire import Body, member

SEGMENT = 4 * 1024 * 1024
"""Bytes of a medium that one request has; there are up to 1,000."""
POLL = 1.0
ID = re.compile(r"[0-9]{1,19}")
_RECONNECT = "Connect the account again, then retry."
_REFUSALS = {
    400: ("content-refused", "Change what X does not like, then retry."),
    401: ("invalid-credentials", _RECONNECT),
    402: ("quota-used-up", "X bills for each post, and the credit is used up: who runs this stage adds some."),
    403: ("content-refused", "Change the post, or see on X whether the account may post, then retry."),
    404: ("network-refused", "Try again later; if it stays so, tell who runs this stage."),
    405: ("network-refused", "Try again later; if it stays so, tell who runs this stage."),
    413: ("content-refused", "Choose a smaller medium."),
    422: ("content-refused", "Change what X does not like, then retry."),
}
# What a 403 is about, where its words say so.
_FORBIDDEN = (
    ("duplicate content", "duplicate-content", "Look there: if it is this post, say so, else change the text."),
    ("suspend", "account-unavailable", "Settle it on X, then retry."),
    ("locked", "account-unavailable", "Settle it on X, then retry."),
    ("permitted", "permission-missing", "Connect the account again and allow what is asked for."),
    ("client-not-enrolled", "permission-missing", "Who runs this stage settles it with X."),
)


def ask(client: httpx.Client, method: str, path: str, **more: Any) -> Any:
    """Return the JSON of what may be repeated freely, or `Refused` or `Later`."""
    answer = wire.ask(client, client.build_request(method, path, **more), refusal, empty={})
    return answer.value if isinstance(answer, Body) else answer


def refusal(response: httpx.Response) -> Refused | None:
    """Return why X does not take something, where it says so clearly and before anything is made."""
    known = _REFUSALS.get(response.status_code)
    if known is None:
        return None
    code, advice = known
    words = wire.line(" ".join(_words(wire.value_of(response)))).rstrip(". ") or f"HTTP {response.status_code}"
    if response.status_code == 403:
        lowered = words.lower()
        code, advice = next(((name, do) for part, name, do in _FORBIDDEN if part in lowered), (code, advice))
    return Refused(code, f"X says: {words}. {advice}")


def _words(problem: object) -> Iterator[str]:
    """Return what a problem says, the general first."""
    for name in ("title", "detail", "reason"):
        said = member(problem, name)
        if isinstance(said, str) and said:
            yield said
    errors = member(problem, "errors")
    for one in errors[:3] if isinstance(errors, list) else []:
        said = member(one, "message") or member(one, "detail")
        if isinstance(said, str) and said:
            yield said


NOT_THERE = "post-not-found"


def missing(response: httpx.Response) -> Refused | None:
    """Return the refusal of what concerns a post that is not there as `NOT_THERE`."""
    if response.status_code == 404:
        return Refused(NOT_THERE, "There is no such post.")
    return refusal(response)


def is_day_used_up(response: httpx.Response) -> bool:
    """Tell whether it is not only too much just now: the account, or all of this stage's, had its posts of a day."""
    return any(
        response.headers.get(f"x-{whose}-limit-24hour-remaining", "").strip() == "0" for whose in ("user", "app")
    )


def id_of(value: object) -> str | None:
    """Return the id of an object of X's; None where it has none."""
    found = member(value, "id")
    return found if isinstance(found, str) and ID.fullmatch(found) else None


def uploaded(client: httpx.Client, upload: Upload, deadline: float) -> str | Refused | Later:
    """Upload a medium, wait until X has processed it and say what it shows; return its id."""
    category = "tweet_video" if upload.is_video else "tweet_image"
    wanted = {"media_type": upload.content_type, "total_bytes": upload.size, "media_category": category}
    made = ask(client, "POST", "/2/media/upload/initialize", json=wanted)
    media_id = id_of(member(made, "data"))
    if media_id is None:
        return made if isinstance(made, Refused | Later) else Later("X has begun an upload without an id.")
    for index, piece in enumerate(upload.pieces(SEGMENT)):
        path, files = f"/2/media/upload/{media_id}/append", {"media": ("media", piece, "application/octet-stream")}
        sent = ask(client, "POST", path, files=files, data={"segment_index": str(index)})
        if isinstance(sent, Refused | Later):
            return sent
    told = ask(client, "POST", f"/2/media/upload/{media_id}/finalize")
    failed = _processed(client, media_id, told, deadline)
    if failed is None and upload.alt_text and not upload.is_video:
        described = {"id": media_id, "metadata": {"alt_text": {"text": upload.alt_text}}}
        told = ask(client, "POST", "/2/media/metadata", json=described)
        failed = told if isinstance(told, Refused | Later) else None
    return failed or media_id


def _processed(client: httpx.Client, media_id: str, told: Any, deadline: float) -> Refused | Later | None:
    """Wait until a medium may be posted; return why it may not."""
    while not isinstance(told, Refused | Later):
        processing = member(member(told, "data"), "processing_info")
        state, after = member(processing, "state"), member(processing, "check_after_secs")
        if processing is None or state == "succeeded":
            return None
        if state == "failed":
            words = member(member(processing, "error"), "message")
            return Refused("content-refused", f"X cannot use the medium: {str(words)[:200]}. Choose another.")
        pause = min(30.0, max(POLL, float(after))) if type(after) in (int, float) else POLL
        if time.monotonic() + pause > deadline:
            return Later("X is still processing the medium.")
        time.sleep(pause)
        told = ask(client, "GET", "/2/media/upload", params={"command": "STATUS", "media_id": media_id})
    return told
