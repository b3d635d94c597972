"""Mastodon, and the servers that speak its API. Facts: https://docs.joinmastodon.org/methods/.

A key (`Idempotency-Key`) is kept for an hour, by servers that keep keys at all (Mastodon and its forks, Pleroma), and
only once the status is made: a server that dies between the two has the status and not the key. So evidence begins with
looking at the statuses.
"""

import re
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx

from socialflow.platform import egress
from socialflow.publishing.content import Rendering
from socialflow.publishing.networks import evidence, wire
from socialflow.publishing.networks.port import (
    Answer,
    Deletion,
    Gone,
    Identity,
    Later,
    NotSeen,
    Preparation,
    Prepared,
    Receipt,
    Refused,
    Search,
    Sighting,
    Unknown,
    Upload,
)
from socialflow.publishing.networks.wire import Body, member

SKEW = timedelta(minutes=2)
"""How far a server's clock may be from ours."""
PAGE = 40
PAGES = 5
POLL = 1.0
_OF_MASTODON = re.compile(r"v?(?:[2-9]|[1-9][0-9])\.[0-9]")
"""The others that name no Mastodon they are compatible with are below 2 still (GoToSocial, Hollo, Takahe)."""
_KEEPS_TOO = re.compile(r"\b(?:Pleroma|Akkoma)\b")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~:=-]{0,199}")

# Answered before anything is made: by the server's authentication and validation.
_REFUSALS = {
    400: "content-refused",
    401: "invalid-credentials",
    403: "permission-missing",
    404: "network-refused",
    405: "network-refused",
    406: "network-refused",
    410: "network-refused",
    411: "network-refused",
    413: "content-refused",
    414: "network-refused",
    415: "content-refused",
    421: "network-refused",
    422: "content-refused",
    431: "network-refused",
    451: "content-refused",
}
# The server says that another address would take it: this one has not.
_MOVED = (301, 307, 308)


class Mastodon:
    """One account on one instance."""

    def __init__(self, base_url: str, token: str) -> None:
        """Take the instance's origin and an access token with the scopes read and write."""
        self._base_url = base_url
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}

    def identify(self, *, seconds: float) -> Identity | Refused | Later:
        """Verify the token and read what the instance takes (v2, or v1 where there is no v2)."""
        with self._client(seconds) as client:
            own = _read(client, "/api/v1/accounts/verify_credentials")
            if not isinstance(own, dict):
                return own if isinstance(own, Refused | Later) else _no_mastodon()
            if not (_text(own.get("id")) and wire.line(own.get("acct"))):
                return _no_mastodon()
            capabilities = self._capabilities(client)
        name = f"@{wire.line(own['acct'], 100)}@{httpx.URL(self._base_url).netloc.decode()}"
        return Identity(str(own["id"]), name, capabilities)

    def _capabilities(self, client: httpx.Client) -> dict[str, int]:
        for path in ("/api/v2/instance", "/api/v1/instance"):
            instance = _read(client, path)
            if isinstance(instance, dict):
                return {"idempotency_key": _keeps_keys(instance), **_figures(instance)}
        return {"idempotency_key": False}

    def prepare(self, rendering: Rendering, uploads: Sequence[Upload], *, seconds: float) -> Preparation:
        """Upload the media and wait until they are processed; note the newest own status as a watermark."""
        deadline = time.monotonic() + seconds
        with self._client(seconds) as client:
            media_ids = []
            for upload in uploads:
                done = self._upload(client, upload, deadline)
                if not isinstance(done, str):
                    return done
                media_ids.append(done)
            newest = self._newest(client, rendering.remote_account)
        if isinstance(newest, Refused | Later):
            return newest
        return Prepared({"media_ids": media_ids, "watermark": newest})

    def _upload(self, client: httpx.Client, upload: Upload, deadline: float) -> str | Refused | Later:
        name = upload.content_type.replace("/", ".").replace("quicktime", "mov")
        with upload.opened() as file:
            request = client.build_request(
                "POST",
                "/api/v2/media",
                files={"file": (name, file, upload.content_type)},
                data={"description": upload.alt_text},
            )
            made = _json(client, request)
        while isinstance(made, Body) and made.status in (202, 206):
            if time.monotonic() + POLL > deadline:
                return Later("The instance is still processing the media.")
            time.sleep(POLL)
            media_id = _text(member(made.value, "id"))
            made = _json(client, client.build_request("GET", f"/api/v1/media/{media_id}"))
        if not isinstance(made, Body):
            return made
        media_id = _text(member(made.value, "id"))
        return media_id or Later("The instance answered the upload without an id.")

    def _newest(self, client: httpx.Client, account: str) -> str | Refused | Later:
        found = _read(client, f"/api/v1/accounts/{account}/statuses", limit=1)
        if isinstance(found, Refused | Later):
            return found
        return _text(member(found[0], "id")) if isinstance(found, list) and found else ""

    def publish(self, rendering: Rendering, prepared: Mapping[str, Any], key: str, *, seconds: float) -> Answer:
        """Post the status."""
        body = {"status": rendering.text, "media_ids": prepared["media_ids"], **rendering.options}
        if rendering.answers:
            body["in_reply_to_id"] = rendering.answers.parent.remote_id
        with self._client(seconds) as client:
            request = client.build_request("POST", "/api/v1/statuses", json=body, headers={"Idempotency-Key": key})
            response = wire.send_once(client, request)
        return _outcome(response) if isinstance(response, httpx.Response) else response

    def find(self, search: Search, *, seconds: float) -> Sighting:
        """Look through the statuses made since the attempt began, newest first."""
        account, looked = search.rendering.remote_account, 0
        watermark = search.prepared.get("watermark")
        with self._client(seconds) as client:
            oldest: dict[str, Any] = {"since_id": watermark} if watermark else {}
            for _ in range(PAGES):
                page = _read(
                    client, f"/api/v1/accounts/{account}/statuses", limit=PAGE, exclude_reblogs="true", **oldest
                )
                if not isinstance(page, list):
                    return page if isinstance(page, Later) else Later("The account's statuses cannot be read.")
                for status in page:
                    looked += 1
                    if self._matches(client, status, search):
                        return _receipt(status, {"found": "own statuses", "looked_at": looked})
                if len(page) < PAGE or _before(page[-1], search.since):
                    break
                oldest["max_id"] = _text(member(page[-1], "id"))
        return NotSeen(looked)

    def delete(self, remote_id: str, *, seconds: float) -> Deletion:
        """Delete a status."""
        with self._client(seconds) as client:
            request = client.build_request("DELETE", f"/api/v1/statuses/{quote(remote_id, safe='')}")
            answer = wire.ask(client, request, _missing)
        if isinstance(answer, Body) or (isinstance(answer, Refused) and answer.code == _NOT_THERE):
            return Gone("The instance has it no more.")
        return answer

    def _matches(self, client: httpx.Client, status: object, search: Search) -> bool:
        if not isinstance(status, dict) or not _text(status.get("id")) or str(status["id"]) in search.taken:
            return False
        if _text(status.get("in_reply_to_id")) != evidence.answered(search.rendering):
            return False
        shown = [_text(member(one, "id")) for one in status.get("media_attachments") or ()]
        if _before(status, search.since) or sorted(shown) != sorted(search.prepared.get("media_ids", ())):
            return False
        source = _read(client, f"/api/v1/statuses/{status['id']}/source")
        written = member(source, "text")
        if isinstance(written, str):
            return evidence.same(written, search.rendering.text)
        return evidence.same(evidence.plain(str(status.get("content") or "")), search.rendering.text)

    def _client(self, seconds: float) -> Any:
        return egress.client(self._base_url, seconds=seconds, headers=self._headers)


def _read(client: httpx.Client, path: str, **query: Any) -> Any:
    """Return a GET's JSON, or `Refused` or `Later`."""
    answer = _json(client, client.build_request("GET", path, params=query))
    return answer.value if isinstance(answer, Body) else answer


def _json(client: httpx.Client, request: httpx.Request) -> Body | Refused | Later:
    return wire.ask(client, request, _refusal)


def _outcome(response: httpx.Response) -> Answer:
    status = response.status_code
    if status == 429:
        return Later("The instance limits the rate of posts.", wire.wait(response))
    refusal = _refusal(response)
    if refusal is not None:
        return refusal
    value = wire.value_of(response)
    if status in (200, 201, 202) and isinstance(value, dict) and _text(value.get("id")):
        return _receipt(value, {"answered": status})
    return Unknown(f"The instance answered {status} and no status with it.")


def _receipt(status: Mapping[str, Any], found: Mapping[str, Any]) -> Receipt:
    url = wire.web(status.get("url")) or wire.web(status.get("uri"))
    return Receipt(str(status["id"]), url, _made_at(status), found)


def _refusal(response: httpx.Response) -> Refused | None:
    if response.status_code in _MOVED:
        return Refused("network-refused", "The instance has moved to another address: connect the account there.")
    if response.status_code not in _REFUSALS:
        return None
    said = member(wire.value_of(response), "error")
    words = wire.line(said).rstrip(".") or f"HTTP {response.status_code}"
    return Refused(_REFUSALS[response.status_code], f"The instance says: {words}.")


_NOT_THERE = "status-not-found"


def _missing(response: httpx.Response) -> Refused | None:
    if response.status_code in (404, 410):
        return Refused(_NOT_THERE, "There is no such status.")
    return _refusal(response)


def _no_mastodon() -> Refused:
    return Refused("network-refused", "The server does not answer as Mastodon does.")


def _keeps_keys(instance: Mapping[str, Any]) -> bool:
    """Tell whether a server is known to keep keys: most that only speak as Mastodon does take no notice of them."""
    version = str(instance.get("version"))
    return _OF_MASTODON.match(version) is not None and (
        "compatible" not in version or _KEEPS_TOO.search(version) is not None
    )


def _figures(instance: Mapping[str, Any]) -> dict[str, int]:
    configuration = member(instance, "configuration")
    statuses, media = member(configuration, "statuses"), member(configuration, "media_attachments")
    named = {
        "max_characters": member(statuses, "max_characters"),
        "characters_reserved_per_url": member(statuses, "characters_reserved_per_url"),
        "max_media_attachments": member(statuses, "max_media_attachments"),
        "image_size_limit": member(media, "image_size_limit"),
    }
    return {name: value for name, value in named.items() if isinstance(value, int) and value > 0}


def _text(value: object) -> str:
    """Return an id as text, empty where it is none; ids are strings there, and some servers send numbers."""
    found = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return found if _ID.fullmatch(found) else ""


def _made_at(status: object) -> datetime | None:
    return wire.moment(member(status, "created_at"))


def _before(status: object, since: datetime) -> bool:
    made = _made_at(status)
    return made is not None and made < since - SKEW
