"""Late (now Zernio), as far as publishing goes, with the shapes of its OpenAPI description 1.0.4.

`tests/integration/publishing/late/test_peer.py` drives it by Late's own client, so that it is Late's shapes
and not ours. What it lists as `said` is what the networks behind it have got.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

import httpx

from tests.peers.serving import Asked, Route, Told, routed, serving
from tests.wire import Wire, wired

_IDS = count(0x65F1C0A9E2B5AF0012AB0000)
_TYPES = ("image/jpeg", "image/png", "image/webp", "image/gif", "video/mp4", "video/quicktime", "video/webm")
_TAKEN_DOWN = ("threads", "facebook", "twitter", "linkedin", "youtube", "pinterest", "reddit", "bluesky", "telegram")
_EDITABLE = ("draft", "scheduled", "failed", "partial", "cancelled")


@dataclass
class Account:
    """Somebody's account on a network, connected at Late."""

    id: str
    platform: str
    username: str
    own_id: str
    key: str
    is_active: bool = True

    def shown(self) -> dict[str, Any]:
        """It as it is listed."""
        return {
            "_id": self.id,
            "platform": self.platform,
            "profileId": {"_id": "64f0a1b2c3d4e5f6a7b8c9d0", "name": "My Brand", "slug": "my-brand"},
            "username": self.username,
            "displayName": f"Acme on {self.platform}",
            "platformUserId": self.own_id,
            "isActive": self.is_active,
            "enabled": True,
        }


@dataclass
class Late:
    """The server's memory, the wire before it, and what the networks behind it have got."""

    wire: Wire
    url: str
    accounts: dict[str, Account] = field(default_factory=dict)
    posts: dict[str, dict[str, Any]] = field(default_factory=dict)
    stored: dict[str, bytes] = field(default_factory=dict)
    said: dict[str, list[tuple[str, list[str]]]] = field(default_factory=dict)
    """By account: what came out there, with the alt texts of its media, the oldest first."""
    requests: dict[str, str] = field(default_factory=dict)
    is_idempotent: bool = True
    """Whether it knows requests by their id, and content by its hash."""
    ends: str = "published"
    """How publishing ends: published, publishing (it is still at work), or a category of errors."""
    store_heard: list[dict[str, str]] = field(default_factory=list)

    @property
    def host(self) -> str:
        """host:port of the wire."""
        return self.url.removeprefix("http://").partition("/")[0]

    def account(self, platform: str = "twitter", key: str = "sk_acme_0123", own_id: str = "") -> Account:
        """Connect an account of the owner of a key."""
        number = _new_id()
        made = Account(number, platform, f"acme_{number[-4:]}", own_id or f"own{number[-6:]}", key)
        self.accounts[made.id], self.said[made.id] = made, []
        return made

    def reset(self) -> None:
        """Forget everything, and what was to go wrong."""
        self.wire.reset()
        self.accounts, self.posts, self.stored, self.requests, self.said = {}, {}, {}, {}, {}
        self.is_idempotent, self.ends, self.store_heard = True, "published", []

    def finish(self, post_id: str, ends: str) -> None:
        """Let publishing that is under way come to its end."""
        self._end(self.posts[post_id], ends)

    def answer(self, asked: Asked) -> Told:
        """Act on a request."""
        if asked.path.startswith("/store/"):
            return self._store(asked)
        owned = [one for one in self.accounts.values() if one.key == asked.token]
        if not owned:
            return _error(401, "Invalid API key", "invalid_api_key")
        routes: list[Route] = [
            ("GET", "/api/v1/accounts", lambda _: Told(200, _accounts(owned))),
            ("POST", "/api/v1/media/presign", self._presign),
            ("GET", "/api/v1/posts", self._list),
            ("POST", "/api/v1/posts", self._create),
            ("GET", "/api/v1/posts/([^/]+)", self._get),
            ("PUT", "/api/v1/posts/([^/]+)", self._update),
            ("DELETE", "/api/v1/posts/([^/]+)", self._delete),
            ("POST", "/api/v1/posts/([^/]+)/unpublish", self._unpublish),
        ]
        return routed(routes, asked) or _error(404, "Not found", "not_found")

    def _store(self, asked: Asked) -> Told:
        self.store_heard.append(dict(asked.headers))
        if asked.method != "PUT" or asked.query.get("X-Amz-Signature") != "signed":
            return Told(403, b"<Error><Code>AccessDenied</Code></Error>", {"Content-Type": "application/xml"})
        self.stored[asked.path] = asked.raw
        return Told(200)

    def _presign(self, asked: Asked) -> Told:
        name, kind = asked.body.get("filename"), asked.body.get("contentType")
        if not isinstance(name, str) or kind not in _TYPES:
            return _error(400, "filename and a supported contentType are required", "invalid_request")
        path = f"/store/temp/{next(_IDS)}_{name}"
        origin = self.url.partition("/api")[0]
        public = f"https://media.zernio.com{path.removeprefix('/store')}"
        into = f"{origin}{path}?X-Amz-Signature=signed"
        return Told(200, {"uploadUrl": into, "publicUrl": public, "key": path, "expiresIn": 3600})

    def _list(self, asked: Asked) -> Told:
        size, page = int(asked.query.get("limit", "10")), int(asked.query.get("page", "1"))
        if not 1 <= size <= 500:
            return _error(400, "limit must be between 1 and 500", "invalid_request")
        found = [one for one in reversed(self.posts.values()) if self._is_asked_for(one, asked)]
        pages = {"page": page, "limit": size, "total": len(found), "pages": -(-len(found) // size)}
        return Told(200, {"posts": found[(page - 1) * size : page * size], "pagination": pages})

    def _is_asked_for(self, post: dict[str, Any], asked: Asked) -> bool:
        account, status = asked.query.get("accountId"), asked.query.get("status")
        on = [part["accountId"]["_id"] for part in post["platforms"]]
        owners = {self.accounts[one].key for one in on}
        return owners == {asked.token} and account in (None, *on) and status in (None, post["status"])

    def _create(self, asked: Asked) -> Told:
        body, request = asked.body, asked.headers.get("x-request-id", "")
        if self.is_idempotent and request and request in self.requests:
            return Told(200, {"message": "Post already exists", "existingPost": self.posts[self.requests[request]]})
        wrong = self._wrong(body, asked)
        if wrong is not None:
            return wrong
        post = {
            "_id": _new_id(),
            "content": body.get("content", ""),
            "mediaItems": body.get("mediaItems", []),
            "platforms": [self._part(part) for part in body["platforms"]],
            "status": "draft" if body.get("isDraft") else "scheduled",
            "timezone": "UTC",
            "createdAt": _now(),
            "updatedAt": _now(),
            **({"metadata": body["metadata"]} if "metadata" in body else {}),
        }
        twin = self._twin(post)
        if twin is not None:
            return twin
        self.posts[post["_id"]] = post
        if request:
            self.requests[request] = post["_id"]
        if body.get("publishNow"):
            self._end(post, self.ends)
        return Told(201, {"message": "Post created", "post": post})

    def _wrong(self, body: dict[str, Any], asked: Asked) -> Told | None:
        for part in body.get("platforms") or ():
            account = self.accounts.get(part.get("accountId"))
            if account is None or account.key != asked.token or account.platform != part.get("platform"):
                return _error(403, "The account does not belong to you", None)
            if not account.is_active:
                return _error(403, "The account is disconnected.", "ACCOUNT_DISCONNECTED")
        if not body.get("isDraft") and not body.get("platforms"):
            return _error(400, "platforms are required", "invalid_request")
        if not (body.get("content") or body.get("mediaItems")):
            return _error(400, "Content is required", "invalid_request")
        addresses = [item.get("url", "") for item in body.get("mediaItems") or ()]
        if not all(re.fullmatch(r"https://\S+", address) for address in addresses):
            return _error(400, "Media must be reachable over HTTPS", "invalid_request")
        return None

    def _part(self, part: dict[str, Any]) -> dict[str, Any]:
        return {
            "platform": part["platform"],
            "accountId": self.accounts[part["accountId"]].shown(),
            "status": "pending",
        }

    def _twin(self, post: dict[str, Any]) -> Told | None:
        """Answer as where the same content went to the same account within a day."""
        for other in self.posts.values():
            same = _content_of(other) == _content_of(post) and other["_id"] != post["_id"]
            if self.is_idempotent and same and other["status"] in ("scheduled", "publishing", "published"):
                account = post["platforms"][0]["accountId"]["_id"]
                said = "This exact content is already scheduled, publishing, or was posted to this account."
                details = {"accountId": account, "platform": other["platforms"][0]["platform"]}
                return Told(409, {"error": said, "details": {**details, "existingPostId": other["_id"]}})
        return None

    def _own(self, asked: Asked, post_id: str) -> dict[str, Any] | None:
        post = self.posts.get(post_id)
        owners = {self.accounts[part["accountId"]["_id"]].key for part in post["platforms"]} if post else set()
        return post if owners == {asked.token} else None

    def _get(self, asked: Asked, post_id: str) -> Told:
        post = self._own(asked, post_id)
        return Told(200, {"post": post}) if post else _error(404, "Post not found", "not_found")

    def _update(self, asked: Asked, post_id: str) -> Told:
        post, body = self._own(asked, post_id), asked.body
        if post is None:
            return _error(404, "Post not found", "not_found")
        if post["status"] not in _EDITABLE:
            return _error(400, f"A {post['status']} post cannot be edited", "invalid_request")
        given: dict[str, Any] = {name: body[name] for name in ("content", "mediaItems", "metadata") if name in body}
        changed: dict[str, Any] = {**post, **given}
        wrong = self._wrong({**changed, "platforms": body.get("platforms", []), "isDraft": True}, asked)
        if wrong is not None:
            return wrong
        if body.get("platforms"):
            changed["platforms"] = [self._part(part) for part in body["platforms"]]
        is_out = body.get("isDraft") is False and body.get("publishNow")
        twin = self._twin(changed) if is_out else None
        if twin is not None:
            return twin
        post.update(changed)
        if is_out:
            self._end(post, self.ends)
            if post["status"] == "failed":
                results = [{"platform": post["platforms"][0]["platform"], "status": "failed", "error": "It failed"}]
                return Told(207, {"post": post, "error": "No platform published", "platformResults": results})
        return Told(200, {"message": "Post updated successfully", "post": post})

    def _end(self, post: dict[str, Any], ends: str) -> None:
        is_done = ends in ("published", "publishing")
        post["status"], post["updatedAt"] = ends if is_done else "failed", _now()
        for part in post["platforms"]:
            part["status"] = {"published": "published", "publishing": "processing"}.get(ends, "failed")
            if ends == "published":
                number = str(next(_IDS))
                where = f"https://{part['platform']}.example.com/{number}"
                part |= {"platformPostId": number, "platformPostUrl": where, "publishedAt": _now()}
                alt_texts = [item.get("altText", "") for item in post["mediaItems"]]
                self.said[part["accountId"]["_id"]].append((post["content"], alt_texts))
            elif not is_done:
                part |= {"errorMessage": "It failed", "errorCategory": ends, "errorSource": "platform"}

    def _delete(self, asked: Asked, post_id: str) -> Told:
        post = self._own(asked, post_id)
        if post is None:
            return _error(404, "Post not found", "not_found")
        if post["status"] == "published":
            return _error(400, "Published posts cannot be deleted", "invalid_request")
        del self.posts[post_id]
        return Told(200, {"message": "Post deleted successfully"})

    def _unpublish(self, asked: Asked, post_id: str) -> Told:
        post, platform = self._own(asked, post_id), asked.body.get("platform")
        if post is None:
            return _error(404, "Post not found", "not_found")
        part = next((one for one in post["platforms"] if one["platform"] == platform), None)
        if platform not in _TAKEN_DOWN or part is None or part["status"] != "published":
            return _error(400, "Platform not supported for deletion, or not published", "invalid_request")
        said = self.said[part["accountId"]["_id"]]
        said.remove(next(one for one in said if one[0] == post["content"]))
        part["status"] = post["status"] = "cancelled"
        return Told(200, {"success": True, "message": f"Post deleted from {platform} successfully"})


def _accounts(owned: list[Account]) -> dict[str, Any]:
    return {"accounts": [one.shown() for one in owned], "hasAnalyticsAccess": False}


def _content_of(post: dict[str, Any]) -> str:
    media = [item.get("url") for item in post["mediaItems"]]
    on = [part["accountId"]["_id"] for part in post["platforms"]]
    return hashlib.sha256(json.dumps([on, post["content"], media]).encode()).hexdigest()


def _error(status: int, said: str, code: str | None) -> Told:
    kind = "authentication_error" if status == 401 else "invalid_request_error"
    return Told(status, {"error": said, "type": kind, **({"code": code} if code else {})})


def _new_id() -> str:
    return f"{next(_IDS):024x}"


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


@contextmanager
def running() -> Iterator[Late]:
    """Start the stand-in and its wire; stop both at the end."""
    box: list[Late] = []

    def answer(asked: Asked) -> Told:
        return box[0].answer(asked)

    with (
        serving(answer) as address,
        httpx.Client(base_url=address, timeout=40) as client,
        wired(client) as (wire, url),
    ):
        box.append(Late(wire, f"{url}/api"))
        yield box[0]
