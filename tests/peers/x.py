"""X's API v2, as far as publishing goes, with the shapes of its OpenAPI description 2.167 (https://api.x.com/2/openapi.json).

`tests/integration/publishing/x/test_peer.py` drives it by X's own client, so that it is X's shapes and not ours.
"""

import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

import httpx

from tests.peers.serving import Asked, Route, Told, routed, serving
from tests.wire import Wire, wired

_LINK = re.compile(r"(?:https?://\S+|\bexample\.(?:com|org)[\w/]*)(?<![,.])", re.IGNORECASE)
_IDS = count(1_990_000_000_000_000_000)


@dataclass
class User:
    """Somebody who has an account, with a token."""

    id: str
    username: str
    token: str
    refresh: str
    posts: list[dict[str, Any]] = field(default_factory=list)
    answered: list[tuple[str, str]] = field(default_factory=list)
    """What was written, with what it is a reply to, the oldest first."""
    said: list[tuple[str, list[str]]] = field(default_factory=list)
    """What was written, with the alt texts of its media, the oldest first."""


@dataclass
class X:
    """The server's memory, the wire before it, and what it lists."""

    wire: Wire
    url: str
    users: dict[str, User] = field(default_factory=dict)
    media: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: dict[str, list[bytes]] = field(default_factory=dict)
    """What was sent to the paths that a test wants to see."""
    refreshed: int = 0
    refuses: tuple[int, str] | None = None
    """With what, and in which words, the next posts are refused."""
    left_today: dict[str, str] = field(default_factory=dict)
    """What a refusal says of the posts that are left of a day, in headers."""
    processes: int = 0
    """How often a medium is still being processed before it is done."""

    @property
    def host(self) -> str:
        """host:port of the wire."""
        return self.url.removeprefix("http://")

    def user(self) -> User:
        """Make an account."""
        number = str(next(_IDS))
        made = User(number, f"acme{number[-6:]}", f"token-{number}", f"refresh-{number}")
        self.users[made.id] = made
        return made

    def answer(self, asked: Asked) -> Told:
        """Act on a request."""
        if asked.path in self.asked:
            self.asked[asked.path].append(asked.raw)
        if asked.path == "/2/oauth2/token":
            return self._token(asked)
        if asked.path == "/2/oauth2/revoke":
            return self._revoke(asked)
        user = next((one for one in self.users.values() if one.token == asked.token), None)
        if user is None:
            return _problem(401, "Unauthorized", "Unauthorized")
        routes: list[Route] = [
            ("GET", "/2/users/me", lambda _: _me(user)),
            ("GET", "/2/users/([0-9]+)/tweets", self._timeline),
            ("POST", "/2/tweets", lambda asked: self._create(asked, user)),
            ("DELETE", "/2/tweets/([0-9]+)", lambda _, post_id: _delete(user, post_id)),
            ("POST", "/2/media/upload/initialize", lambda asked: self._initialize(asked, user)),
            ("POST", "/2/media/upload/([0-9]+)/append", self._append),
            ("POST", "/2/media/upload/([0-9]+)/finalize", self._finalize),
            ("GET", "/2/media/upload", lambda asked: self._finalize(asked, asked.query["media_id"])),
            ("POST", "/2/media/metadata", self._describe),
        ]
        return routed(routes, asked) or _problem(404, "Not Found", "No such endpoint")

    def _token(self, asked: Asked) -> Told:
        form = asked.form
        user = next((one for one in self.users.values() if one.refresh == form.get("refresh_token")), None)
        if not asked.headers.get("authorization", "").startswith("Basic "):
            return Told(
                401, {"error": "unauthorized_client", "error_description": "Missing valid authorization header"}
            )
        if form.get("grant_type") != "refresh_token" or user is None:
            return Told(
                400, {"error": "invalid_request", "error_description": "Value passed for the token was invalid."}
            )
        self.refreshed += 1
        user.token, user.refresh = f"token-{self.refreshed}-{user.id}", f"refresh-{self.refreshed}-{user.id}"
        scope = "tweet.read tweet.write users.read media.write offline.access"
        granted = {"token_type": "bearer", "expires_in": 7200, "access_token": user.token, "scope": scope}
        return Told(200, granted | {"refresh_token": user.refresh})

    def _revoke(self, asked: Asked) -> Told:
        if not asked.headers.get("authorization", "").startswith("Basic "):
            return Told(
                401, {"error": "unauthorized_client", "error_description": "Missing valid authorization header"}
            )
        for user in self.users.values():
            user.token = "" if user.token == asked.form["token"] else user.token
            user.refresh = "" if user.refresh == asked.form["token"] else user.refresh
        return Told(200, {"revoked": True})

    def _create(self, asked: Asked, user: User) -> Told:
        text, media_ids = asked.body.get("text", ""), asked.body.get("media", {}).get("media_ids", [])
        if self.refuses is not None:
            return replace(_problem(self.refuses[0], "Forbidden", self.refuses[1]), headers=self.left_today)
        if not text and not media_ids:
            return _problem(400, "Invalid Request", "One or more parameters to your request was invalid.")
        if any(self.media.get(one, {}).get("owner") != user.id for one in media_ids):
            return _problem(400, "Invalid Request", "Your media IDs are invalid.")
        if any(said == text for said, _ in user.said):
            words = "You are not allowed to create a Tweet with duplicate content."
            return _problem(403, "Forbidden", words)
        parent = asked.body.get("reply", {}).get("in_reply_to_tweet_id", "")
        known = {one["id"]: index for index, one in enumerate(reversed(user.posts))}
        if parent and parent not in known:
            return _problem(
                403, "Forbidden", "You attempted to reply to a Tweet that is deleted or not visible to you."
            )
        post = self._post(text, media_ids)
        if parent:
            post["referenced_tweets"] = [{"type": "replied_to", "id": parent}]
        user.posts.insert(0, post)
        user.answered.append((text, user.answered[known[parent]][0] if parent else ""))
        user.said.append((text, [self.media[one].get("alt", "") for one in media_ids]))
        return Told(201, {"data": {"id": post["id"], "text": post["text"], "edit_history_tweet_ids": [post["id"]]}})

    def _post(self, text: str, media_ids: list[str]) -> dict[str, Any]:
        post_id = str(next(_IDS))
        urls: list[dict[str, Any]] = []

        def shorten(found: re.Match[str]) -> str:
            written = found.group()
            meant = written if written.lower().startswith("http") else f"http://{written}"
            urls.append({"url": f"https://t.co/{post_id[-8:]}{len(urls)}", "expanded_url": meant})
            return str(urls[-1]["url"])

        shown = _LINK.sub(shorten, text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        post: dict[str, Any] = {"id": post_id, "text": shown, "created_at": at, "edit_history_tweet_ids": [post_id]}
        if media_ids:
            keys, short = [f"3_{one}" for one in media_ids], f"https://t.co/m{post_id[-8:]}"
            post["attachments"] = {"media_keys": keys}
            post["text"] = f"{shown} {short}".lstrip()
            there = f"https://x.com/acme/status/{post_id}/photo/1"
            urls += [{"url": short, "expanded_url": there, "media_key": key} for key in keys]
        for url in urls:
            begin = post["text"].index(url["url"])
            url |= {"start": begin, "end": begin + len(url["url"])}
        if urls:
            post["entities"] = {"urls": urls}
        return post

    def _timeline(self, asked: Asked, user_id: str) -> Told:
        since = datetime.fromisoformat(asked.query.get("start_time", "2010-11-06T00:00:00Z"))
        size, begin = int(asked.query.get("max_results", "10")), int(asked.query.get("pagination_token", "0"))
        if not 5 <= size <= 100:
            return _problem(400, "Invalid Request", "max_results is not between 5 and 100")
        found = [one for one in self.users[user_id].posts if datetime.fromisoformat(one["created_at"]) >= since]
        page = found[begin : begin + size]
        meta: dict[str, Any] = {"result_count": len(page)}
        if len(found) > begin + size:
            meta["next_token"] = str(begin + size)
        return Told(200, {"data": page, "meta": meta} if page else {"meta": meta})

    def _initialize(self, asked: Asked, user: User) -> Told:
        media_id = str(next(_IDS))
        self.media[media_id] = {**asked.body, "owner": user.id, "parts": {}, "left": self.processes}
        return Told(200, {"data": {"id": media_id, "media_key": f"3_{media_id}", "expires_after_secs": 86400}})

    def _append(self, asked: Asked, media_id: str) -> Told:
        if asked.headers["content-type"].startswith("multipart/"):
            parts = asked.parts
            index, piece = int(parts["segment_index"]), parts["media"]
        else:
            index, piece = asked.body["segment_index"], base64.b64decode(asked.body["media"])
        self.media[media_id]["parts"][index] = piece
        return Told(200, {"data": {"expires_at": 1_900_000_000}})

    def _describe(self, asked: Asked) -> Told:
        self.media[asked.body["id"]]["alt"] = asked.body["metadata"]["alt_text"]["text"]
        return Told(200, {"data": {"id": asked.body["id"], "associated_metadata": asked.body["metadata"]}})

    def _finalize(self, _asked: Asked, media_id: str) -> Told:
        medium = self.media[media_id]
        medium["content"] = b"".join(medium["parts"][index] for index in sorted(medium["parts"]))
        if len(medium["content"]) != medium["total_bytes"]:
            return _problem(400, "Invalid Request", "Segments do not add up to provided total file size.")
        data: dict[str, Any] = {"id": media_id, "media_key": f"3_{media_id}", "size": len(medium["content"])}
        if medium["media_category"] == "tweet_video":
            left, medium["left"] = medium["left"], medium["left"] - 1
            state = {"state": "in_progress", "check_after_secs": 1} if left > 0 else {"state": "succeeded"}
            data["processing_info"] = state
        return Told(200, {"data": data})


def _me(user: User) -> Told:
    return Told(200, {"data": {"id": user.id, "name": "Acme", "username": user.username}})


def _delete(user: User, post_id: str) -> Told:
    kept = [one for one in user.posts if one["id"] != post_id]
    gone, user.posts = len(kept) < len(user.posts), kept
    return Told(200, {"data": {"deleted": True}}) if gone else _problem(404, "Not Found Error", "Could not find it")


def _problem(status: int, title: str, detail: str) -> Told:
    return Told(status, {"title": title, "detail": detail, "type": "about:blank", "status": status})


@contextmanager
def running() -> Iterator[X]:
    """Start the stand-in and its wire; stop both at the end."""
    box: list[X] = []

    def answer(asked: Asked) -> Told:
        return box[0].answer(asked)

    with (
        serving(answer) as address,
        httpx.Client(base_url=address, timeout=40) as client,
        wired(client) as (wire, url),
    ):
        box.append(X(wire, url))
        yield box[0]
