"""How LinkedIn is asked and answers: its headers, its refusals; and media, which go to addresses that it names."""

import time
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from socialflow.errors import Invalid
from socialflow.platform import egress
from socialflow.publishing.networks import wire
from socialflow.publishing.networks.port import Later, Refused, Upload
from socialflow.publishing.networks.wire import Body, member

VERSION = "202607"
"""July 2026: taken for a year at least (https://learn.microsoft.com/linkedin/marketing/versioning)."""
POLL = 1.0
HIDDEN, NOT_THERE = "posts-hidden", "post-not-found"
_RECONNECT = "Connect the account again, then retry."
_REFUSALS = {
    400: ("content-refused", "Change what LinkedIn does not like, then retry."),
    401: ("invalid-credentials", _RECONNECT),
    403: ("permission-missing", "Connect the account again and allow what is asked for."),
    404: ("network-refused", "Try again later; if it stays so, tell who runs this stage."),
    405: ("network-refused", "Try again later; if it stays so, tell who runs this stage."),
    413: ("content-refused", "Choose a smaller medium."),
    422: ("content-refused", "Change what LinkedIn does not like, then retry."),
    426: ("network-refused", f"Version {VERSION} of its API has ended: who runs this stage brings a newer SocialFlow."),
}
_DUPLICATE = ("duplicate-content", "Look there: if it is this post, say so, else change the text.")


def headers(token: str) -> dict[str, str]:
    """Return what every request to LinkedIn has."""
    return {
        "Authorization": f"Bearer {token}",
        "LinkedIn-Version": VERSION,
        "X-Restli-Protocol-Version": "2.0.0",
    }


def refusal(response: httpx.Response) -> Refused | None:
    """Return why LinkedIn does not take something, where it says so clearly and before anything is made."""
    said = member(wire.value_of(response), "message")
    is_duplicate = response.status_code in (400, 409, 422) and "duplicate of" in str(said)
    known = _DUPLICATE if is_duplicate else _REFUSALS.get(response.status_code)
    if known is None:
        return None
    words = wire.line(said).rstrip(". ") or f"HTTP {response.status_code}"
    return Refused(known[0], f"LinkedIn says: {words}. {known[1]}")


def hidden(response: httpx.Response) -> Refused | None:
    """Return the refusal to show an account's posts as `HIDDEN`."""
    return Refused(HIDDEN, "LinkedIn does not show them.") if response.status_code == 403 else refusal(response)


def missing(response: httpx.Response) -> Refused | None:
    """Return the refusal of what concerns a post that is not there as `NOT_THERE`."""
    return Refused(NOT_THERE, "There is no such post.") if response.status_code == 404 else refusal(response)


class Store:
    """Where media are kept for posts: registered at the API, sent to where it says, processed there."""

    def __init__(self, client: httpx.Client, base_url: str, token: str, seconds: float) -> None:
        """Take the account's client, its server, and the seconds for everything."""
        self._client, self._base_url, self._token = client, base_url, token
        self._deadline = time.monotonic() + seconds

    def keep(self, upload: Upload, owner: str) -> str | Refused | Later:
        """Send a medium; return its URN once a post may have it."""
        kind = "videos" if upload.is_video else "images"
        wanted: dict[str, Any] = {"owner": owner}
        if upload.is_video:
            wanted |= {"fileSizeBytes": upload.size, "uploadCaptions": False, "uploadThumbnail": False}
        begun = self._ask("POST", f"/rest/{kind}?action=initializeUpload", json={"initializeUploadRequest": wanted})
        told = member(begun, "value")
        urn = member(told, kind.removesuffix("s"))
        if not isinstance(urn, str) or not urn.startswith(f"urn:li:{kind.removesuffix('s')}:"):
            return (
                begun if isinstance(begun, Refused | Later) else Later("LinkedIn has begun an upload without a name.")
            )
        failed = self._send_video(upload, urn, told) if upload.is_video else self._send_picture(upload, told)
        return failed or self._processed(kind, urn) or urn

    def _send_picture(self, upload: Upload, told: object) -> Refused | Later | None:
        sent = self._put(member(told, "uploadUrl"), upload.whole())
        return None if isinstance(sent, httpx.Response) else sent

    def _send_video(self, upload: Upload, urn: str, told: object) -> Refused | Later | None:
        parts, token = member(told, "uploadInstructions"), member(told, "uploadToken")
        etags = []
        with upload.opened() as file:
            for part in parts if isinstance(parts, list) else []:
                first, last = member(part, "firstByte"), member(part, "lastByte")
                if type(first) is not int or type(last) is not int or not 0 <= first <= last < upload.size:
                    return Later("LinkedIn has asked for parts that are not there.")
                file.seek(first)
                sent = self._put(member(part, "uploadUrl"), file.read(last - first + 1))
                if not isinstance(sent, httpx.Response):
                    return sent
                etags.append(sent.headers.get("etag", "").strip('"'))
        body = {"video": urn, "uploadToken": token or "", "uploadedPartIds": etags}
        done = self._ask("POST", "/rest/videos?action=finalizeUpload", json={"finalizeUploadRequest": body})
        return done if isinstance(done, Refused | Later) else None

    def _put(self, address: object, content: bytes) -> httpx.Response | Refused | Later:
        """Send bytes to an address that LinkedIn has named: judged as any other that is called."""
        parts = urlsplit(address) if isinstance(address, str) else urlsplit("")
        try:
            origin = egress.origin(f"{parts.scheme}://{parts.netloc}")
        except Invalid as error:
            return Refused("host-refused", f"LinkedIn has named an address for media that is not called: {error}")
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        left = max(1.0, self._deadline - time.monotonic())
        with egress.client(origin, seconds=left, headers={"Authorization": f"Bearer {self._token}"}) as client:
            request = client.build_request(
                "PUT", path, content=content, headers={"Content-Type": "application/octet-stream"}
            )
            sent = wire.send_once(client, request)
        if not isinstance(sent, httpx.Response):
            return sent if isinstance(sent, Refused | Later) else Later(sent.detail)
        return sent if sent.status_code in (200, 201) else Later(f"LinkedIn answered {sent.status_code} to a medium.")

    def _processed(self, kind: str, urn: str) -> Refused | Later | None:
        """Wait until a medium may be in a post; return why it may not."""
        while True:
            told = self._ask("GET", f"/rest/{kind}/{quote(urn, safe='')}")
            if isinstance(told, Refused | Later):
                return told
            status = member(told, "status")
            if status == "AVAILABLE":
                return None
            if status == "PROCESSING_FAILED":
                why = str(member(told, "processingFailureReason") or "it could not be processed")[:200]
                return Refused("content-refused", f"LinkedIn cannot use the medium: {why}. Choose another.")
            if time.monotonic() + POLL > self._deadline:
                return Later("LinkedIn is still processing the medium.")
            time.sleep(POLL)

    def _ask(self, method: str, path: str, **more: Any) -> Any:
        answer = wire.ask(self._client, self._client.build_request(method, path, **more), refusal, empty={})
        return answer.value if isinstance(answer, Body) else answer
