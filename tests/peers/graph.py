"""The Graph API of Instagram, Threads and Facebook Pages, as far as publishing goes, with the shapes of its pages.

Sources: developers.facebook.com/documentation/instagram-platform (content-publishing, error-codes), …/threads (posts,
troubleshooting, delete-posts), …/docs/pages-api/posts and …/graph-api/reference/page (photos, videos).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

import httpx

from tests.peers.serving import Asked, Route, Told, routed, serving
from tests.wire import Wire, wired

_IDS = count(17_900_000_000_000_000)


@dataclass
class Account:
    """Somebody's account, or a Page, with its token."""

    id: str
    name: str
    token: str
    posts: list[dict[str, Any]] = field(default_factory=list)
    """The newest first; `media` is what each shows: addresses or contents, with their alt texts."""
    comments: list[dict[str, Any]] = field(default_factory=list)
    """The newest first."""
    used: int = 0

    def said(self) -> list[str]:
        """Return the texts of the posts, the oldest first."""
        return [post["said"] for post in reversed(self.posts)]

    def answered(self) -> list[tuple[str, str]]:
        """Return the texts of posts and comments with what each is a reply to, the oldest first."""
        said = {post["id"]: post["said"] for post in self.posts}
        posts = [(post["said"], said.get(post["parent"], "")) for post in reversed(self.posts)]
        return posts + [(one["said"], said.get(one["parent"], "")) for one in reversed(self.comments)]


@dataclass
class Graph:
    """The server's memory, the wire before it, and what it lists."""

    wire: Wire
    url: str
    accounts: list[Account] = field(default_factory=list)
    things: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Containers, photos and videos, by their ids."""
    processes: int = 0
    """How often a container or a video is still at work before it is done."""
    quota: int = 50
    """Posts of 24 hours that an account has."""
    fails: bool = False
    """Whether processing ends in an error."""
    lists: bool = True
    """Whether new posts are listed yet."""
    error: dict[str, Any] | None = None
    """What the next posts are refused with."""

    @property
    def host(self) -> str:
        """host:port of the wire."""
        return self.url.removeprefix("http://")

    def account(self) -> Account:
        """Make an account."""
        number = str(next(_IDS))
        made = Account(number, f"acme{number[-5:]}", f"token-{number}")
        self.accounts.append(made)
        return made

    def answer(self, asked: Asked) -> Told:
        """Act on a request."""
        if asked.path == "/refresh_access_token":
            return self._refresh(asked)
        account = next((one for one in self.accounts if one.token == asked.token), None)
        if account is None:
            return _error(190, "Error validating access token: Session has expired", status=401)
        root = f"/(?:v25.0|v1.0)/{account.id}"
        routes: list[Route] = [
            ("GET", "/v[0-9.]+/me", lambda _: _me(account)),
            ("GET", f"{root}/(?:content|threads)_publishing_limit", lambda asked: self._quota(asked, account)),
            ("POST", f"{root}/(?:media|threads)", self._contain),
            ("POST", f"{root}/(?:media|threads)_publish", lambda asked: self._publish(asked, account)),
            ("GET", f"{root}/(media|threads|published_posts|videos|replies)", self._listing(account)),
            ("POST", "/v25.0/([0-9_]+)/comments", lambda asked, post: self._comment(asked, post, account)),
            ("GET", "/v25.0/([0-9_]+)/comments", lambda _, post: self._comments(post, account)),
            ("POST", f"{root}/photos", self._photo),
            ("POST", f"{root}/videos", lambda asked: self._video(asked, account)),
            ("POST", f"{root}/feed", lambda asked: self._feed(asked, account)),
            ("GET", "/v[0-9.]+/([0-9_]+)", lambda _, thing: self._read(thing, account)),
            ("DELETE", "/v[0-9.]+/([0-9_]+)", lambda _, thing: _delete(thing, account)),
        ]
        return routed(routes, asked) or _error(100, "Unsupported request", 33)

    def _quota(self, asked: Asked, account: Account) -> Told:
        config = {"quota_total": self.quota, "quota_duration": 86_400}
        if "reply_config" in asked.query.get("fields", ""):
            return Told(200, {"data": [{"reply_quota_usage": account.used, "reply_config": config}]})
        return Told(200, {"data": [{"quota_usage": account.used, "config": config}]})

    def _refresh(self, asked: Asked) -> Told:
        account = next((one for one in self.accounts if one.token == asked.query.get("access_token")), None)
        if account is None or asked.query.get("grant_type") not in ("ig_refresh_token", "th_refresh_token"):
            return _error(190, "Error validating access token")
        account.token += "n"
        return Told(200, {"access_token": account.token, "token_type": "bearer", "expires_in": 5_183_944})

    def _contain(self, asked: Asked) -> Told:
        body = asked.body
        if (
            not any(name in body for name in ("image_url", "video_url", "children"))
            and body.get("media_type") != "TEXT"
        ):
            return _error(100, "The parameter image_url is required.")
        children = [one for one in str(body.get("children", "")).split(",") if one]
        if any(self.things.get(one, {}).get("body", {}).get("is_carousel_item") is not True for one in children):
            return _error(100, "Invalid parameter: children")
        made = str(next(_IDS))
        self.things[made] = {"body": body, "left": self.processes, "state": "IN_PROGRESS", "children": children}
        return Told(200, {"id": made})

    def _publish(self, asked: Asked, account: Account) -> Told:
        if self.error is not None:
            return Told(400, {"error": self.error})
        thing = self.things.get(str(asked.body.get("creation_id")))
        if thing is None:
            return _error(24, "The requested resource does not exist", 2207006)
        if self._state(thing) != "FINISHED":
            return _error(9007, "Media ID is not available", 2207027)
        thing["state"] = "PUBLISHED"
        parts = [self.things[one]["body"] for one in thing["children"]] or [thing["body"]]
        media = [(one.get("image_url") or one.get("video_url"), one.get("alt_text", "")) for one in parts]
        body = thing["body"]
        parent = str(body.get("reply_to_id", ""))
        if parent and all(post["id"] != parent for post in account.posts):
            return _error(100, "Invalid parameter: reply_to_id")
        made = self._post(account, body.get("caption") or body.get("text") or "", [one for one in media if one[0]])
        made["parent"] = parent
        return Told(200, {"id": made["id"]})

    def _comment(self, asked: Asked, post: str, account: Account) -> Told:
        text = str(asked.body.get("message", ""))
        if self.error is not None:
            return Told(400, {"error": self.error})
        if not text or all(one["id"] != post for one in account.posts):
            return _error(100, "Unsupported post request. Object does not exist", 33)
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
        made = {"id": str(next(_IDS)), "parent": post, "said": text, "text": text, "message": text}
        account.comments.insert(0, made | {"timestamp": at, "created_time": at, "from": {"id": account.id}})
        return Told(200, {"id": made["id"]})

    def _comments(self, post: str, account: Account) -> Told:
        if not any(one["id"] == post for one in account.posts):
            return _error(100, "Unsupported get request. Object does not exist", 33)
        shown = [one for one in account.comments if one["parent"] == post] if self.lists else []
        return Told(200, {"data": [{k: v for k, v in one.items() if k not in ("said", "parent")} for one in shown]})

    def _photo(self, asked: Asked) -> Told:
        parts, made = asked.parts, str(next(_IDS))
        if parts["published"] != b"false":
            return _error(100, "A published photo is a post")
        self.things[made] = {"id": made, "content": parts["source"], "alt": parts.get("alt_text_custom", b"").decode()}
        return Told(200, {"id": made})

    def _feed(self, asked: Asked, account: Account) -> Told:
        if self.error is not None:
            return Told(400, {"error": self.error})
        photos = [self.things[one["media_fbid"]] for one in asked.body.get("attached_media", [])]
        text = asked.body.get("message", "")
        if not text and not photos:
            return _error(100, "Status message is empty")
        if any((post["said"], post["media"]) == (text, []) for post in account.posts if not photos):
            return _error(506, "Duplicate status message")
        made = self._post(account, text, [(one["content"], one["alt"]) for one in photos], prefix=f"{account.id}_")
        if photos:
            shown = [{"type": "photo", "target": {"id": one["id"]}} for one in photos]
            album = {"type": "album", "subattachments": {"data": shown}}
            made["attachments"] = {"data": [album if len(photos) > 1 else shown[0]]}
        return Told(200, {"id": made["id"]})

    def _video(self, asked: Asked, account: Account) -> Told:
        made = self._post(account, asked.body.get("description", ""), [(asked.body["file_url"], "")])
        self.things[made["id"]] = {"left": self.processes, "state": "IN_PROGRESS"}
        return Told(200, {"id": made["id"]})

    def _post(self, account: Account, text: str, media: list[Any], *, prefix: str = "") -> dict[str, Any]:
        made = f"{prefix}{next(_IDS)}"
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
        post: dict[str, Any] = {"id": made, "said": text, "media": media, "timestamp": at, "created_time": at}
        post["parent"] = ""
        post |= dict.fromkeys(("caption", "text", "message", "description"), text) if text else {}
        post |= {"permalink": f"https://network.example/{made}", "permalink_url": f"https://network.example/{made}"}
        account.posts.insert(0, post)
        account.used += 1
        return post

    def _listing(self, account: Account) -> Callable[[Asked, str], Told]:
        return lambda asked, edge: self._listed(asked, account, replies=edge == "replies")

    def _listed(self, asked: Asked, account: Account, *, replies: bool) -> Told:
        size, hidden = int(asked.query.get("limit", "25")), ("said", "media", "parent")
        found = [post for post in account.posts if bool(post["parent"]) == replies]
        shown = found[:size] if self.lists else []
        return Told(200, {"data": [{k: v for k, v in post.items() if k not in hidden} for post in shown]})

    def _read(self, thing: str, account: Account) -> Told:
        post = next((one for one in account.posts if one["id"] == thing), None)
        known = self.things.get(thing)
        if post is None and known is None:
            return _error(100, "Unsupported get request. Object does not exist", 33)
        told = {k: v for k, v in (post or {}).items() if k not in ("said", "media", "parent")}
        if known is not None and "state" in known:
            state = self._state(known)
            processed = {"FINISHED": "ready", "ERROR": "error"}.get(state, "processing")
            status = {"video_status": processed} if post else state
            told |= {"status_code": state, "status": status, "error_message": "FAILED_PROCESSING_VIDEO"}
        return Told(200, {**told, "id": thing})

    def _state(self, thing: dict[str, Any]) -> str:
        if thing["state"] == "IN_PROGRESS":
            if thing["left"] <= 0:
                thing["state"] = "ERROR" if self.fails else "FINISHED"
            thing["left"] -= 1
        return str(thing["state"])


def _me(account: Account) -> Told:
    return Told(200, {"id": account.id, "user_id": account.id, "username": account.name, "name": account.name})


def _delete(thing: str, account: Account) -> Told:
    kept = [one for one in account.posts if one["id"] != thing]
    left = [one for one in account.comments if one["id"] != thing]
    gone = len(kept) + len(left) < len(account.posts) + len(account.comments)
    account.posts, account.comments = kept, left
    return Told(200, {"success": True, "deleted_id": thing}) if gone else _error(100, "Object does not exist", 33)


def _error(code: int, message: str, subcode: int | None = None, *, status: int = 400) -> Told:
    error: dict[str, Any] = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "A6LJylpZRKw"}
    return Told(status, {"error": error | ({"error_subcode": subcode} if subcode else {})})


@contextmanager
def running() -> Iterator[Graph]:
    """Start the stand-in and its wire; stop both at the end."""
    box: list[Graph] = []

    def answer(asked: Asked) -> Told:
        return box[0].answer(asked)

    with (
        serving(answer) as address,
        httpx.Client(base_url=address, timeout=40) as client,
        wired(client) as (wire, url),
    ):
        box.append(Graph(wire, url))
        yield box[0]
