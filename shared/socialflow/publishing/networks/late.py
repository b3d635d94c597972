"""One account on any network, by way of Late (now Zernio). Facts: see `late_api`.

What goes out is made at Late as a draft, under our key in its metadata, ahead of time: that may be repeated freely. The
one mutation tells that draft to publish. It carries the whole content once more, so that nobody's hand at Late comes
between what was approved and what goes out; and how it stands can be asked by its id, for ever.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

import httpx

from socialflow.publishing.content import Rendering
from socialflow.publishing.networks import late_api, wire
from socialflow.publishing.networks.late_api import Draft, State
from socialflow.publishing.networks.port import (
    Accepted,
    Answer,
    Deletion,
    Failed,
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

CAPABILITIES: Mapping[str, Any] = {"record_key": True}
"""A draft is published under its id, and one that is not a draft any more is not published again."""
PAGE, PAGES = 100, 5
ASKING = 5.0
"""Seconds that are left for asking how it stands, where Late answers too late."""
_NAMESPACE = UUID("7f6f1d52-3f0c-4f2c-9a53-0d6b0a4f7f11")
# https://docs.zernio.com: posts there are taken down in the network's own app.
_STAYS = frozenset({"instagram", "tiktok"})


class Late:
    """One account, by Late's id of it."""

    def __init__(self, base_url: str, key: str, network: str, account: str) -> None:
        """Take Late's address with its path, a key, the network as it is called here, and Late's id of the account."""
        self._base_url, self._key = base_url, key
        self._network, self._account = network, account

    def identify(self, *, seconds: float) -> Identity | Refused | Later:
        """Say whose account it is."""
        found = late_api.accounts(self._base_url, self._key, seconds=seconds)
        if isinstance(found, Refused | Later):
            return found
        for one in found:
            if one.id == self._account and one.network == self._network:
                return Identity(one.remote_account or one.id, one.name, CAPABILITIES)
        return Refused("account-unavailable", "The account is not connected at Late: connect it there, then retry.")

    def prepare(self, rendering: Rendering, uploads: Sequence[Upload], *, seconds: float) -> Preparation:
        """Make a draft under a key of its content."""
        return self.draft(rendering.hash.hex(), rendering, uploads, seconds=seconds)

    def draft(self, key: str, rendering: Rendering, uploads: Sequence[Upload], *, seconds: float) -> Preparation:
        """Bring the media to Late's store, and find our draft there or make one."""
        if rendering.position:
            words = "Replies do not go by way of Late: leave it out, or go to the network directly."
            return Refused("content-refused", words)
        deadline, media = time.monotonic() + seconds, []
        with self._client(seconds) as client:
            own = self._own(client, key)
            if isinstance(own, Refused | Later):
                return own
            for number, upload in enumerate(uploads):
                address = late_api.uploaded(client, upload, number, deadline)
                if not isinstance(address, str):
                    return address
                kind = "video" if upload.is_video else "image"
                media.append({"type": kind, "url": address, "altText": upload.alt_text})
            post_id, ended = own
            made = post_id or self._made(client, key, ended, {**self._body(key, rendering, media), "isDraft": True})
        return Prepared({"post_id": made, "media": media}) if isinstance(made, str) else made

    def _own(self, client: httpx.Client, key: str) -> tuple[str | None, int] | Refused | Later:
        """Return the post that we have there under a key, and how many of that key have come to an end."""
        query = {"accountId": self._account, "limit": str(PAGE), "sortBy": "created-desc"}
        answer = wire.ask(client, client.build_request("GET", "v1/posts", params=query), late_api.refusal)
        if not isinstance(answer, Body):
            return answer
        posts, ended = member(answer.value, "posts"), 0
        for post in posts if isinstance(posts, list) else []:
            if late_api.key_of(post) == key:
                if not isinstance(late_api.state_of(post, self._account), Failed | Refused):
                    return late_api.id_of(post), ended
                ended += 1
        return None, ended

    def _made(self, client: httpx.Client, key: str, ended: int, body: Mapping[str, Any]) -> str | Refused | Later:
        headers = {"x-request-id": str(uuid5(_NAMESPACE, f"{self._account} {key} {ended}"))}
        found: list[str] = []

        def judge(response: httpx.Response) -> Refused | None:
            existing = late_api.duplicate_of(response) if response.status_code == 409 else None
            found.extend([existing] if existing else [])
            return late_api.refusal(response)

        answer = wire.ask(client, client.build_request("POST", "v1/posts", json=body, headers=headers), judge)
        if isinstance(answer, Body):
            made = late_api.id_of(member(answer.value, "post") or member(answer.value, "existingPost"))
            return made or Later("Late has answered with no post.")
        if found:
            there = self._read(client, found[0])
            if isinstance(there, Later):
                return there
            if late_api.key_of(there) == key:
                return found[0]
        return answer

    def withdraw(self, key: str, prepared: Mapping[str, Any], *, seconds: float) -> Deletion:
        """Delete our draft, if it is one still: what Late was told to publish is not touched."""
        post_id = str(prepared["post_id"])
        with self._client(seconds) as client:
            state = self._stands(client, post_id, key)
            if isinstance(state, Later):
                return state
            if not isinstance(state, Draft):
                return Gone("It is no draft of ours any more.")
            answer = wire.ask(client, client.build_request("DELETE", f"v1/posts/{post_id}"), _missing, empty={})
        is_missing = isinstance(answer, Refused) and answer.code == late_api.UNCLEAR
        return Gone("Late has it no more.") if is_missing or isinstance(answer, Body) else answer

    def publish(self, rendering: Rendering, prepared: Mapping[str, Any], key: str, *, seconds: float) -> Answer:
        """Tell the draft to publish, and what. Late answers when the network has: that may take minutes."""
        give_up = time.monotonic() + (seconds - ASKING if seconds > 2 * ASKING else seconds)
        post_id = str(prepared["post_id"])
        body = {**self._body(key, rendering, prepared["media"]), "isDraft": False, "publishNow": True}
        with self._client(give_up - time.monotonic()) as client:
            response = wire.send_once(client, client.build_request("PUT", f"v1/posts/{post_id}", json=body))
        if isinstance(response, httpx.Response):
            answer = self._outcome(response)
            return answer if answer is not None else self._asked(post_id, key, response)
        if isinstance(response, Unknown) and seconds > 2 * ASKING and time.monotonic() >= give_up:
            with self._client(ASKING) as client:
                return _answer(self._stands(client, post_id, key)) or response
        return response

    def _outcome(self, response: httpx.Response) -> Answer | None:
        """Return what an answer says; None where only the post itself does."""
        if response.status_code == 429:
            return Later("Late limits the rate of posts.", wire.wait(response))
        if response.status_code in (400, 409):
            return None
        refused = late_api.refusal(response)
        if refused is not None:
            return refused
        state = late_api.state_of(member(wire.value_of(response), "post"), self._account)
        words = f"Late answered {response.status_code} and not how the post stands."
        return (_answer(state) if response.status_code < 300 else None) or Unknown(words)

    def _asked(self, post_id: str, key: str, response: httpx.Response) -> Answer:
        """Look how it stands after a refusal that may mean: it is published already, or about to be."""
        refused = late_api.refusal(response)
        assert refused is not None  # of the statuses that lead here
        with self._client(ASKING) as client:
            state = self._stands(client, post_id, key)
        if isinstance(state, Draft | Failed):
            return refused
        return _answer(state) or Unknown(f"{refused.detail} How the post stands could not be read.")

    def find(self, search: Search, *, seconds: float) -> Sighting:
        """Ask how the post stands. One that is a draft still has not been published."""
        with self._client(seconds) as client:
            state = self._stands(client, str(search.prepared["post_id"]), search.key)
        match state:
            case Draft():
                return NotSeen(0)
            case Accepted(detail):
                return Later(detail)
            case _:
                return state

    def _stands(self, client: httpx.Client, post_id: str, key: str) -> State | Later:
        post = self._read(client, post_id)
        if isinstance(post, Later | Refused):
            return post
        if late_api.id_of(post) != post_id or late_api.key_of(post) != key:
            return Refused(late_api.UNCLEAR, "The post at Late is not the one that was made for this.")
        return late_api.state_of(post, self._account) or Later("How the post stands cannot be read.")

    def _read(self, client: httpx.Client, post_id: str) -> Any:
        """Return a post; `Refused` where there is none, `Later` where that cannot be known now."""
        answer = wire.ask(client, client.build_request("GET", f"v1/posts/{post_id}"), _missing)
        if isinstance(answer, Later):
            return answer
        if isinstance(answer, Refused):
            return answer if answer.code == late_api.UNCLEAR else Later(answer.detail)
        return member(answer.value, "post")

    def delete(self, remote_id: str, *, seconds: float) -> Deletion:
        """Take a post down, where Late can: it is found by the network's id of it."""
        if self._network in _STAYS:
            words = f"Late cannot take posts down on {self._network}: do it in its own app."
            return Refused("network-refused", words)
        with self._client(seconds) as client:
            post_id = self._known_as(client, remote_id)
            if not isinstance(post_id, str):
                return post_id
            body = {"platform": late_api.platform(self._network), "accountId": self._account}
            request = client.build_request("POST", f"v1/posts/{post_id}/unpublish", json=body)
            answer = wire.ask(client, request, late_api.refusal)
        return Gone("Late has taken it down.") if isinstance(answer, Body) else answer

    def _known_as(self, client: httpx.Client, remote_id: str) -> str | Deletion:
        query = {"accountId": self._account, "limit": str(PAGE), "sortBy": "created-desc"}
        for number in range(1, PAGES + 1):
            request = client.build_request("GET", "v1/posts", params={**query, "page": str(number)})
            answer = wire.ask(client, request, late_api.refusal)
            if not isinstance(answer, Body):
                return answer
            posts = member(answer.value, "posts")
            posts = posts if isinstance(posts, list) else []
            for post in posts:
                state = late_api.state_of(post, self._account)
                if isinstance(state, Receipt) and state.remote_id == remote_id:
                    return str(state.evidence["late_post"])
            if len(posts) < PAGE:
                break
        return Refused("network-refused", "Late does not know the post: take it down on the network.")

    def _body(self, key: str, rendering: Rendering, media: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        body: dict[str, Any] = {
            "content": rendering.text,
            "mediaItems": list(media),
            "platforms": [{"platform": late_api.platform(self._network), "accountId": self._account}],
            "metadata": {late_api.OURS: key},
        }
        if self._network == "tiktok":
            # TikTok asks that the author has seen the post and agrees: here it was written, and approved where it must.
            level = rendering.options.get("privacy_level", "PUBLIC_TO_EVERYONE")
            agreed = {"contentPreviewConfirmed": True, "expressConsentGiven": True}
            body["tiktokSettings"] = {"privacyLevel": level, "allowComment": True, **agreed}
        return body

    def _client(self, seconds: float) -> Any:
        return late_api.client(self._base_url, self._key, seconds)


def _answer(state: State | Later | None) -> Answer | None:
    """Return what the mutation came to, by how the post stands; None where that says nothing of it."""
    match state:
        case Receipt() | Accepted():
            return state
        case Failed(code, detail):
            return Refused(code, detail)
        case Refused(_, detail):
            return Unknown(detail)
        case _:
            return None


def _missing(response: httpx.Response) -> Refused | None:
    if response.status_code == 404:
        return Refused(late_api.UNCLEAR, "Late does not have the post any more.")
    return late_api.refusal(response)
