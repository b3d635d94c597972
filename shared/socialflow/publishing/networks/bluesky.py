"""Bluesky, and the servers that speak its API. Facts: https://docs.bsky.app and the lexicon app.bsky.feed.post.

A post is a record under a key that we choose (`atproto.record_key`). It is put there only if nothing is (`swapRecord`
null): the same attempt again is refused as existing, at any time. So evidence is one look at one address.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx

from socialflow.platform import egress
from socialflow.platform.clock import now
from socialflow.publishing.content import Answered, Rendering
from socialflow.publishing.networks import atproto, evidence, wire
from socialflow.publishing.networks.atproto import Session
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
from socialflow.publishing.networks.richtext import HANDLE, LONGEST_HANDLE, Span, spans
from socialflow.publishing.networks.wire import Body, member

COLLECTION = "app.bsky.feed.post"
MOST_MENTIONS = 20
"""Handles that are looked up for one post; what is mentioned beyond stays plain text."""
_PIECE = 1024 * 1024
_APP_PASSWORD = re.compile(r"[A-Za-z0-9]{4}(-[A-Za-z0-9]{4}){3}")
_RKEY = re.compile(r"[A-Za-z0-9._:~-]{1,512}")
_CAPABILITIES = {"record_key": True}


def log_in(base_url: str, handle: str, password: str, *, seconds: float) -> str | Refused | Later:
    """Begin a session with an app password, which is not kept; return the token to keep."""
    name = handle.strip().removeprefix("@").lower()
    if not (HANDLE.fullmatch(name) and len(name) <= LONGEST_HANDLE):
        return Refused("unknown-handle", "That is no handle. Give one such as acme.bsky.social.")
    if not _APP_PASSWORD.fullmatch(password.strip()):
        words = "That is no app password, and the account's own is not taken: an app password looks like"
        return Refused("invalid-credentials", f"{words} abcd-efgh-ijkl-mnop.")
    with egress.client(base_url, seconds=seconds) as client:
        body = {"identifier": name, "password": password.strip()}
        answer = wire.ask(client, _post(client, "server.createSession", json=body), atproto.refusal)
        if isinstance(answer, Refused) and answer.code == "invalid-credentials":
            return _who_was_meant(client, name)
    if not isinstance(answer, Body):
        return answer
    begun = atproto.session(answer.value, now())
    return begun.document() if begun else _no_bluesky()


def _who_was_meant(client: httpx.Client, name: str) -> Refused:
    """Say whether it was the handle or the password: a server says only that it was one of them."""
    found = wire.ask(client, _get(client, "identity.resolveHandle", handle=name), atproto.refusal)
    if isinstance(found, Refused) and found.code == "content-refused":
        return Refused("unknown-handle", f"Nobody has the handle {name}.")
    return Refused("invalid-credentials", f"The server does not take this app password for {name}.")


class Bluesky:
    """One account on one server (a PDS, or the entrance to many)."""

    def __init__(self, base_url: str, token: str) -> None:
        """Take the server's origin and what `log_in` or `renew` gave."""
        self._base_url = base_url
        self._session = Session.of(token)

    def spent(self, at: datetime) -> bool:
        """Tell whether the session has to be renewed first."""
        return self._session.spent(at)

    def ends_at(self) -> datetime | None:
        """Say nothing: a session that is renewed now and then goes on."""
        return None

    def renew(self, *, seconds: float) -> str | Refused | Later:
        """Exchange the session for the next: the server takes each only once, or for a while."""
        with self._client(seconds, self._session.refresh) as client:
            answer = wire.ask(client, _post(client, "server.refreshSession"), atproto.refusal)
        if not isinstance(answer, Body):
            return answer
        begun = atproto.session(answer.value, now())
        if begun is None or begun.did != self._session.did:
            return Later("The server has answered with no session of this account.")
        return begun.document()

    def revoke(self, *, seconds: float) -> Deletion:
        """End the session; a token of it that is out lives on for its two hours, and makes no other."""
        with self._client(seconds, self._session.refresh) as client:
            answer = wire.ask(client, _post(client, "server.deleteSession"), atproto.refusal, empty={})
        over = isinstance(answer, Refused) and answer.code == "invalid-credentials"
        return Gone("The session is over.") if over or isinstance(answer, Body) else answer

    def identify(self, *, seconds: float) -> Identity | Refused | Later:
        """Say whose session it is, and refuse one that may not post."""
        with self._client(seconds) as client:
            own = wire.ask(client, _get(client, "server.getSession"), atproto.refusal)
        if not isinstance(own, Body):
            return own
        did, handle = member(own.value, "did"), member(own.value, "handle")
        if did != self._session.did or not isinstance(handle, str) or not HANDLE.fullmatch(handle):
            return _no_bluesky()
        if member(own.value, "active") is False:
            status = member(own.value, "status")
            words = f"The account is {status if status in ('suspended', 'deactivated') else 'taken down'} there."
            return Refused("account-unavailable", words)
        return Identity(did, f"@{handle}", _CAPABILITIES)

    def prepare(self, rendering: Rendering, uploads: Sequence[Upload], *, seconds: float) -> Preparation:
        """Upload the pictures, and find out who is mentioned."""
        embed: list[dict[str, Any]] = []
        who: dict[str, str | None] = {}
        answers: dict[str, Any] = {}
        found = spans(rendering.text)
        handles = list(dict.fromkeys(span.value for span in found if span.kind == "mention"))
        with self._client(seconds) as client:
            for upload in uploads:
                medium = self._upload(client, upload)
                if not isinstance(medium, dict):
                    return medium
                embed.append(medium)
            for handle in handles[:MOST_MENTIONS]:
                did = _resolve(client, handle)
                if isinstance(did, Later):
                    return did
                who[handle] = did
            if rendering.answers:
                links = self._links(client, rendering.answers)
                if not isinstance(links, dict):
                    return links
                answers = {"reply": links}
        facets = [facet for span in found if (facet := _facet(span, who))]
        return Prepared({"images": embed, "facets": facets, **answers})

    def _upload(self, client: httpx.Client, upload: Upload) -> dict[str, Any] | Refused | Later:
        headers = {"Content-Type": upload.content_type, "Content-Length": str(upload.size)}
        request = _post(client, "repo.uploadBlob", content=upload.pieces(_PIECE), headers=headers)
        made = wire.ask(client, request, atproto.refusal)
        if not isinstance(made, Body):
            return made
        blob = atproto.blob(made.value, upload)
        if blob is None:
            return Later("The server has not received a medium whole.")
        ratio = {"width": upload.width, "height": upload.height}
        kind = "video" if upload.is_video else "image"
        return {"alt": upload.alt_text, kind: blob, "aspectRatio": ratio}

    def publish(self, rendering: Rendering, prepared: Mapping[str, Any], key: str, *, seconds: float) -> Answer:
        """Put the record where nothing is yet."""
        rkey, at = atproto.record_key(key), now()
        body = {
            "repo": self._session.did,
            "collection": COLLECTION,
            "rkey": rkey,
            "swapRecord": None,
            "record": _record(rendering, prepared, at),
        }
        with self._client(seconds) as client:
            response = wire.send_once(client, _post(client, "repo.putRecord", json=body))
            if not isinstance(response, httpx.Response):
                return response
            if response.status_code == 400 and atproto.error(response) == "InvalidSwap":
                return self._there_already(client, rendering, rkey)
        return self._outcome(response, rkey, at)

    def _there_already(self, client: httpx.Client, rendering: Rendering, rkey: str) -> Answer:
        seen = self._look(client, rendering, rkey)
        return seen if isinstance(seen, Receipt) else Unknown("Something is there under the post's key, and not seen.")

    def _outcome(self, response: httpx.Response, rkey: str, at: datetime) -> Answer:
        if response.status_code == 429:
            return Later("The server limits the rate of posts.", wire.wait(response))
        refused = atproto.refusal(response)
        if refused is not None:
            return refused
        value = wire.value_of(response)
        if response.status_code == 200 and member(value, "uri") == self._uri(rkey):
            return self._receipt(rkey, at, {"answered": 200, "cid": str(member(value, "cid"))[:100]})
        return Unknown(f"The server answered {response.status_code} and no record with it.")

    def find(self, search: Search, *, seconds: float) -> Sighting:
        """Look at the one place where it is, if it is anywhere."""
        if not self._owns(search.rendering):
            return Later("The session is another account's.")
        rkey = atproto.record_key(search.key)
        with self._client(seconds) as client:
            seen = self._look(client, search.rendering, rkey)
        return NotSeen(0) if isinstance(seen, Receipt) and seen.remote_id in search.taken else seen

    def delete(self, remote_id: str, *, seconds: float) -> Deletion:
        """Delete the record; a server answers the same where it is not there."""
        rkey = remote_id.rpartition("/")[2]  # a person who has found it may have told no more than that
        if remote_id not in (rkey, self._uri(rkey)) or not _RKEY.fullmatch(rkey):
            return Refused("content-refused", "The post is another account's.")
        body = {"repo": self._session.did, "collection": COLLECTION, "rkey": rkey}
        with self._client(seconds) as client:
            answer = wire.ask(client, _post(client, "repo.deleteRecord", json=body), atproto.refusal)
        return Gone("The server has it no more.") if isinstance(answer, Body) else answer

    def _links(self, client: httpx.Client, answers: Answered) -> dict[str, Any] | Refused | Later:
        """Return how a record names what it is a reply to: by address and hash; a hash not known yet is asked for."""
        found: dict[str, Any] = {}
        for name, made in (("root", answers.root), ("parent", answers.parent)):
            rkey = made.remote_id.rpartition("/")[2]
            cid = made.evidence.get("cid")
            if not cid:
                request = _get(client, "repo.getRecord", repo=self._session.did, collection=COLLECTION, rkey=rkey)
                told = wire.ask(client, request, _missing)
                if not isinstance(told, Body):
                    return told if isinstance(told, Later) else Refused("content-refused", _ANSWERS_NOTHING)
                cid = member(told.value, "cid")
            found[name] = {"uri": self._uri(rkey), "cid": str(cid)[:100]}
        return found

    def _look(self, client: httpx.Client, rendering: Rendering, rkey: str) -> Receipt | NotSeen | Later:
        request = _get(client, "repo.getRecord", repo=self._session.did, collection=COLLECTION, rkey=rkey)
        found = wire.ask(client, request, _missing)
        if isinstance(found, Refused):
            return NotSeen(0) if found.code == _NOT_THERE else Later(found.detail)
        if isinstance(found, Later):
            return found
        record = member(found.value, "value")
        if member(found.value, "uri") != self._uri(rkey) or not isinstance(record, dict):
            return Later("The server answers with another record than was asked for.")
        if not evidence.same(str(record.get("text")), rendering.text):
            return Later("Another text is there under the post's key.")
        cid = str(member(found.value, "cid"))[:100]
        return self._receipt(rkey, wire.moment(record.get("createdAt")), {"found": "record", "cid": cid})

    def _owns(self, rendering: Rendering) -> bool:
        return rendering.remote_account == self._session.did

    def _receipt(self, rkey: str, at: datetime | None, found: Mapping[str, Any]) -> Receipt:
        return Receipt(self._uri(rkey), f"https://bsky.app/profile/{self._session.did}/post/{rkey}", at, found)

    def _uri(self, rkey: str) -> str:
        return f"at://{self._session.did}/{COLLECTION}/{rkey}"

    def _client(self, seconds: float, token: str | None = None) -> Any:
        headers = {"Authorization": f"Bearer {token or self._session.access}", "Accept": "application/json"}
        return egress.client(self._base_url, seconds=seconds, headers=headers)


_NOT_THERE = "record-not-found"
_ANSWERS_NOTHING = "What it answers is not there any more. Post it anew."


def _missing(response: httpx.Response) -> Refused | None:
    if response.status_code in (400, 404) and atproto.error(response) == "RecordNotFound":
        return Refused(_NOT_THERE, "There is no such record.")
    return atproto.refusal(response)


def _record(rendering: Rendering, prepared: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    created_at = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    record: dict[str, Any] = {"$type": COLLECTION, "text": rendering.text, "createdAt": created_at}
    if prepared["facets"]:
        record["facets"] = prepared["facets"]
    if "reply" in prepared:
        record["reply"] = prepared["reply"]
    if media := prepared["images"]:
        record["embed"] = _embed(media)
    if "language" in rendering.options:
        record["langs"] = [rendering.options["language"]]
    return record


def _embed(media: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return pictures, or the one video, as a record has them."""
    if "video" in media[0]:
        return {"$type": "app.bsky.embed.video", **media[0]}
    return {"$type": "app.bsky.embed.images", "images": media}


def _resolve(client: httpx.Client, handle: str) -> str | Later | None:
    """Return whose handle it is; None where it is nobody's, so that it stays plain text."""
    found = wire.ask(client, _get(client, "identity.resolveHandle", handle=handle), atproto.refusal)
    if isinstance(found, Later):
        return found
    did = member(found.value, "did") if isinstance(found, Body) else None
    return did if isinstance(did, str) and atproto.DID.fullmatch(did) else None


def _facet(span: Span, who: Mapping[str, str | None]) -> dict[str, Any] | None:
    feature: dict[str, Any]
    if span.kind == "link":
        feature = {"$type": "app.bsky.richtext.facet#link", "uri": span.value}
    elif span.kind == "tag":
        feature = {"$type": "app.bsky.richtext.facet#tag", "tag": span.value}
    elif did := who.get(span.value):
        feature = {"$type": "app.bsky.richtext.facet#mention", "did": did}
    else:
        return None
    return {"index": {"byteStart": span.start, "byteEnd": span.end}, "features": [feature]}


def _get(client: httpx.Client, method: str, **query: str) -> httpx.Request:
    return client.build_request("GET", f"/xrpc/com.atproto.{method}", params=query)


def _post(client: httpx.Client, method: str, **body: Any) -> httpx.Request:
    return client.build_request("POST", f"/xrpc/com.atproto.{method}", **body)


def _no_bluesky() -> Refused:
    return Refused("network-refused", "The server does not answer as Bluesky does.")
