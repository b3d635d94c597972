"""TikTok's Content Posting API, with the shapes of its pages (developers.tiktok.com/doc)."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx

from tests.peers.serving import Asked, Route, Told, routed, serving
from tests.wire import Wire, wired

_IDS = count(7_500_000_000_000_000_000)


@dataclass
class Creator:
    """Somebody who has an account, with a token."""

    open_id: str
    token: str
    refresh: str
    posts: list[dict[str, Any]] = field(default_factory=list)
    """The newest first."""
    levels: tuple[str, ...] = ("PUBLIC_TO_EVERYONE", "MUTUAL_FOLLOW_FRIENDS", "SELF_ONLY")

    def said(self) -> list[str]:
        """Return the texts of the posts, the oldest first."""
        return [post["said"] for post in reversed(self.posts)]


@dataclass
class TikTok:
    """The server's memory, the wire before it, and what it lists."""

    wire: Wire
    url: str
    creators: list[Creator] = field(default_factory=list)
    works: int = 0
    """How often a post is still at work before it is done."""
    fails: str | None = None
    """Why posts fail afterwards."""
    refuses: tuple[int, str] | None = None
    """With which status and code the next posts are refused."""
    lists: bool = True
    """Whether the account's videos may be read."""

    @property
    def host(self) -> str:
        """host:port of the wire."""
        return self.url.removeprefix("http://")

    def creator(self) -> Creator:
        """Make an account."""
        number = str(next(_IDS))
        made = Creator(f"_000{number}", f"act.{number}", f"rft.{number}")
        self.creators.append(made)
        return made

    def answer(self, asked: Asked) -> Told:
        """Act on a request."""
        if asked.path == "/v2/oauth/token/":
            return self._token(asked)
        if asked.path == "/v2/oauth/revoke/":
            return self._revoke(asked)
        creator = next((one for one in self.creators if one.token == asked.token), None)
        if creator is None:
            return _told({}, "access_token_invalid", "The access token is invalid or not found.", status=401)
        routes: list[Route] = [
            ("GET", "/v2/user/info/", lambda _: _told({"user": {"open_id": creator.open_id, "display_name": "Acme"}})),
            ("POST", "/v2/post/publish/creator_info/query/", lambda _: _info(creator)),
            ("POST", "/v2/post/publish/(video|content)/init/", lambda asked, kind: self._init(asked, kind, creator)),
            ("POST", "/v2/post/publish/status/fetch/", lambda asked: self._status(asked, creator)),
            ("POST", "/v2/video/list/", lambda _: self._videos(creator)),
        ]
        return routed(routes, asked) or _told({}, "invalid_params", "No such endpoint", status=404)

    def _token(self, asked: Asked) -> Told:
        form = asked.form
        creator = next((one for one in self.creators if one.refresh == form.get("refresh_token")), None)
        if creator is None or not form.get("client_key") or form.get("grant_type") != "refresh_token":
            return Told(200, {"error": "invalid_grant", "error_description": "Refresh token is invalid or expired."})
        creator.token, creator.refresh = creator.token + "n", creator.refresh + "n"
        granted = {"access_token": creator.token, "expires_in": 86400, "open_id": creator.open_id}
        return Told(200, granted | {"refresh_token": creator.refresh, "refresh_expires_in": 31536000})

    def _revoke(self, asked: Asked) -> Told:
        form = asked.form
        creator = next((one for one in self.creators if one.token == form.get("token")), None)
        if creator is None or not form.get("client_key") or not form.get("client_secret"):
            return Told(200, {"error": "invalid_request", "error_description": "Access token is invalid or not found."})
        creator.token, creator.refresh = "", ""
        return Told(200)

    def _init(self, asked: Asked, kind: str, creator: Creator) -> Told:
        if self.refuses is not None:
            return _told({}, self.refuses[1], "No.", status=self.refuses[0])
        info, source = asked.body["post_info"], asked.body["source_info"]
        links = [source["video_url"]] if kind == "video" else source["photo_images"]
        if info["privacy_level"] not in creator.levels:
            return _told({}, "privacy_level_option_mismatch", "The privacy level is not among the options", status=400)
        if source["source"] != "PULL_FROM_URL" or not all(link.startswith("http") for link in links):
            return _told({}, "invalid_params", "source_info is invalid", status=400)
        publish_id = f"v_pub_url~v2.{next(_IDS)}"
        text = info["title"] if kind == "video" else info["description"]
        post = {"publish_id": publish_id, "id": str(next(_IDS)), "said": text, "links": links, "left": self.works}
        creator.posts.insert(0, post | {"level": info["privacy_level"], "at": int(time.time()), "kind": kind})
        return _told({"publish_id": publish_id})

    def _status(self, asked: Asked, creator: Creator) -> Told:
        post = next((one for one in creator.posts if one["publish_id"] == asked.body["publish_id"]), None)
        if post is None:
            return _told({}, "invalid_publish_id", "The publish_id does not exist", status=400)
        if self.fails is not None:
            creator.posts.remove(post)
            return _told({"status": "FAILED", "fail_reason": self.fails})
        left, post["left"] = post["left"], post["left"] - 1
        if left > 0:
            return _told({"status": "PROCESSING_DOWNLOAD", "downloaded_bytes": 100})
        public = [int(post["id"])] if post["level"] == "PUBLIC_TO_EVERYONE" else []
        return _told({"status": "PUBLISH_COMPLETE", "publicaly_available_post_id": public})

    def _videos(self, creator: Creator) -> Told:
        if not self.lists:
            return _told({}, "scope_not_authorized", "The user did not authorize the scope", status=401)
        videos = [
            {"id": post["id"], "title": "", "video_description": post["said"], "create_time": post["at"]}
            for post in creator.posts
        ]
        return _told({"videos": videos, "cursor": 0, "has_more": False})


def _info(creator: Creator) -> Told:
    told = {"creator_username": "acme", "privacy_level_options": list(creator.levels), "comment_disabled": False}
    return _told(told | {"max_video_post_duration_sec": 300})


def _told(data: dict[str, Any], code: str = "ok", message: str = "", *, status: int = 200) -> Told:
    return Told(status, {"data": data, "error": {"code": code, "message": message, "log_id": "202611270000"}})


@contextmanager
def running() -> Iterator[TikTok]:
    """Start the stand-in and its wire; stop both at the end."""
    box: list[TikTok] = []

    def answer(asked: Asked) -> Told:
        return box[0].answer(asked)

    with (
        serving(answer) as address,
        httpx.Client(base_url=address, timeout=40) as client,
        wired(client) as (wire, url),
    ):
        box.append(TikTok(wire, url))
        yield box[0]
