"""What Instagram and Threads have in common: a post is made as a container, and published by naming that.

A container is made as often as one likes and is seen by nobody; publishing it is the one mutation. Afterwards the
account's own list and the container's state are the evidence: the list only of a post with words, as nothing else tells
whose a picture is. A container that still stands as finished is not published again by us: its state has been seen to
lag behind (github.com/getopenpost/openpost, release 7.37.0).
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

import httpx

from socialflow.publishing.content import Rendering
from socialflow.publishing.networks import evidence, graph, wire
from socialflow.publishing.networks.granted import Granted
from socialflow.publishing.networks.grants import Grant
from socialflow.publishing.networks.port import (
    Answer,
    Failed,
    Later,
    NotSeen,
    Preparation,
    Prepared,
    Quota,
    Receipt,
    Refused,
    Search,
    Sighting,
    Upload,
)
from socialflow.publishing.networks.wire import member

POLL = 2.0
PAGE = 50
SKEW = timedelta(seconds=60)
_QUOTA = {"fields": "quota_usage,config"}
_REPLY_QUOTA = {"fields": "reply_quota_usage,reply_config"}
_WHY = {"status_code": "status", "status": "error_message"}
"""The field with the reason, by the field with the state."""


@dataclass(frozen=True)
class Kind:
    """How one of the two networks names things."""

    root: str
    """What every path begins with."""
    make: str
    publish: str
    listed: str
    replied: str
    """Where an account's own replies are listed; empty where a reply is a comment."""
    state: str
    """The field with a container's state."""
    text: str
    """The field with a post's text."""
    quota: str
    video: str
    """The kind of a post that is one video."""
    image: str | None
    """The kind of a post that is one picture; None: it is not named."""
    renewing: str
    """How exchanging a token is called."""


class Containers(Granted):
    """One account, by what its owner has granted."""

    kind: ClassVar[Kind]

    def _next(self, seconds: float) -> Grant | Refused | Later:
        """Exchange the token for the next; one that is over cannot be."""
        return graph.renewed(self._base_url, self._grant, self.kind.renewing, seconds=seconds)

    def prepare(self, rendering: Rendering, uploads: Sequence[Upload], *, seconds: float) -> Preparation:
        """Ask for room, make the container, and wait until it may be published: the network fetches the media."""
        deadline, account = time.monotonic() + seconds, f"{self.kind.root}/{rendering.remote_account}"
        with self._client(seconds) as opened:
            fields = _REPLY_QUOTA if rendering.answers else _QUOTA
            told = graph.ask(opened, "GET", f"{account}/{self.kind.quota}", params=fields)
            full = _full(told)
            if full is not None:
                return full
            children = self._children(opened, account, uploads, deadline)
            if not isinstance(children, list):
                return children
            body = _post(self.kind, rendering, uploads, children)
            if rendering.answers:
                body["reply_to_id"] = rendering.answers.parent.remote_id
            container = _made(opened, f"{account}/{self.kind.make}", body)
            if not isinstance(container, str):
                return container
            quota = None if rendering.answers else _quota(told)
            return _ready(opened, self.kind, container, deadline) or Prepared({"container": container}, quota)

    def quota(self, account: str, *, seconds: float) -> Quota | None:
        """Ask how many posts of 24 hours the account has had."""
        with self._client(seconds) as opened:
            path = f"{self.kind.root}/{account}/{self.kind.quota}"
            return _quota(graph.ask(opened, "GET", path, params=_QUOTA))

    def _children(
        self, opened: httpx.Client, account: str, uploads: Sequence[Upload], deadline: float
    ) -> list[str] | Refused | Later:
        """Make the parts of a carousel, and wait for each."""
        children: list[str] = []
        for upload in uploads if len(uploads) > 1 else ():
            body = {**_medium(self.kind, upload), "is_carousel_item": True}
            child = _made(opened, f"{account}/{self.kind.make}", body)
            if not isinstance(child, str):
                return child
            children.append(child)
        for child in children:
            waiting = _ready(opened, self.kind, child, deadline)
            if waiting is not None:
                return waiting
        return children

    def publish(self, rendering: Rendering, prepared: Mapping[str, Any], key: str, *, seconds: float) -> Answer:
        """Publish the container."""
        root = self.kind.root
        with self._client(seconds) as opened:
            body = {"creation_id": prepared["container"]}
            path = f"{root}/{rendering.remote_account}/{self.kind.publish}"
            response = wire.send_once(opened, opened.build_request("POST", path, json=body))
            if not isinstance(response, httpx.Response):
                return response
            made = graph.outcome(response)
            if not isinstance(made, str):
                return made
            return graph.described(opened, f"{root}/{made}?fields=permalink,timestamp", made, {"answered": 200})

    def find(self, search: Search, *, seconds: float) -> Sighting:
        """Look at the account's own posts since the attempt began, and then at the container."""
        fields = f"id,{self.kind.text},timestamp,permalink"
        listed = self.kind.replied if search.rendering.answers else self.kind.listed
        path = f"{self.kind.root}/{search.rendering.remote_account}/{listed}"
        with self._client(seconds) as opened:
            page = graph.ask(opened, "GET", path, params={"fields": fields, "limit": PAGE})
            if isinstance(page, Refused | Later):
                return page if isinstance(page, Later) else Later("The account's own posts cannot be read.")
            posts = member(page, "data") if isinstance(member(page, "data"), list) else []
            for post in posts:
                if _is_it(self.kind, post, search):
                    return graph.receipt(post["id"], post, {"found": "own posts"})
            return _state(opened, self.kind, str(search.prepared["container"]), len(posts))

    def _client(self, seconds: float) -> Any:
        return graph.client(self._base_url, self._grant, seconds)


def _state(opened: httpx.Client, kind: Kind, container: str, looked_at: int) -> Sighting:
    """Return what a container's state says of a post that is not listed."""
    told = graph.ask(opened, "GET", f"{kind.root}/{container}", params={"fields": kind.state})
    if isinstance(told, Refused | Later):
        return Later("The container cannot be read.")
    says: Mapping[object, Sighting] = {
        "PUBLISHED": Receipt(container, None, None, {"found": "container", "state": "PUBLISHED"}),
        "ERROR": Failed("content-refused", "The network says that it could not publish it. Change it, then retry."),
        "EXPIRED": Failed("media-expired", "It was not published in time. Retry: the media are sent again."),
        "FINISHED": NotSeen(looked_at),
    }
    return says.get(member(told, kind.state), Later("The network is still at work."))


def _full(told: object) -> Refused | Later | None:
    """Return the refusal where the account's posts of a day are used up; what cannot be read does not stop it."""
    if isinstance(told, Refused):
        return told if told.code in ("invalid-credentials", "account-unavailable") else None
    if isinstance(told, Later):
        return told
    quota = _quota(told)
    if quota is not None and quota.used >= quota.most:
        words = f"The account has had its {quota.most} posts of 24 hours."
        return Refused("quota-used-up", f"{words} Give the post a later time, or another account.")
    return None


def _quota(told: object) -> Quota | None:
    """Read what the network says of the account's posts, or of its replies."""
    rows = member(told, "data")
    row = rows[0] if isinstance(rows, list) and rows else None
    kind = "reply_" if member(row, "reply_config") is not None else ""
    used, most = member(row, f"{kind}quota_usage"), member(member(row, f"{kind}config"), "quota_total")
    return Quota(used, most) if type(used) is int and type(most) is int and used >= 0 < most else None


def _medium(kind: Kind, upload: Upload) -> dict[str, Any]:
    if upload.is_video:
        return {"media_type": "VIDEO", "video_url": upload.link}
    described = {"alt_text": upload.alt_text} if upload.alt_text else {}
    return {**({"media_type": kind.image} if kind.image else {}), "image_url": upload.link, **described}


def _post(kind: Kind, rendering: Rendering, uploads: Sequence[Upload], children: Sequence[str]) -> dict[str, Any]:
    said = {"caption" if kind.text == "caption" else "text": rendering.text} if rendering.text else {}
    if children:
        return {"media_type": "CAROUSEL", "children": ",".join(children), **said}
    if not uploads:
        return {"media_type": "TEXT", **said}
    medium = _medium(kind, uploads[0])
    if uploads[0].is_video:
        medium["media_type"] = kind.video
    return {**medium, **said}


def _made(opened: httpx.Client, path: str, body: dict[str, Any]) -> str | Refused | Later:
    told = graph.ask(opened, "POST", path, json=body)
    if isinstance(told, Refused | Later):
        return told
    return graph.id_of(told) or Later("The network has made a container without an id.")


def _ready(opened: httpx.Client, kind: Kind, container: str, deadline: float) -> Refused | Later | None:
    """Wait until a container is finished; return why it is not."""
    while True:
        path = f"{kind.root}/{container}"
        told = graph.ask(opened, "GET", path, params={"fields": f"{kind.state},{_WHY[kind.state]}"})
        if isinstance(told, Refused | Later):
            return told
        state = member(told, kind.state)
        if state == "FINISHED":
            return None
        if state in ("ERROR", "EXPIRED"):
            why = str(member(told, _WHY[kind.state]) or "it could not be processed")[:200].rstrip(". ")
            return Refused("content-refused", f"The network cannot use the media: {why}. Change them, then retry.")
        if time.monotonic() + POLL > deadline:
            return Later("The network is still processing the media.")
        time.sleep(POLL)


def _is_it(kind: Kind, post: object, search: Search) -> bool:
    made = graph.id_of(post)
    at: datetime | None = graph.made_at(post)
    if made is None or made in search.taken or (at is not None and at < search.since - SKEW):
        return False
    text = search.rendering.text
    return bool(text.strip()) and evidence.same(str(member(post, kind.text) or ""), text)
