"""LinkedIn's REST API, as far as publishing goes, with the shapes of its pages (posts-api, images-api, videos-api).

It shows a post as far as its commentary is well escaped, as LinkedIn does: what is not ends it, with success. A text
that the author has posted already is refused in the words that others have met (Arisamiga/Linkedin-RSS#5), and may name
a post that is not there (ComposioHQ/composio#2710).
"""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import unquote

import httpx

from tests.peers.serving import Asked, Route, Told, routed, serving
from tests.wire import Wire, wired

_IDS = count(7_400_000_000_000_000_000)
_UNESCAPED = re.compile(r"(?<!\\)[|{}@\[\]()<>#*_~]")


@dataclass
class Member:
    """Somebody who has an account, with a token."""

    subject: str
    token: str
    refresh: str
    posts: list[dict[str, Any]] = field(default_factory=list)
    comments: list[dict[str, Any]] = field(default_factory=list)

    @property
    def urn(self) -> str:
        """The URN of whoever posts."""
        return f"urn:li:person:{self.subject}"


@dataclass
class LinkedIn:
    """The server's memory, the wire before it, and what it lists."""

    wire: Wire
    url: str
    members: list[Member] = field(default_factory=list)
    media: dict[str, dict[str, Any]] = field(default_factory=dict)
    shows_posts: bool = True
    """Whether members' own posts may be read."""
    comments: bool = True
    """Whether the app may comment."""
    ghosts: bool = False
    """Whether a duplicate is named that is not there."""
    lasts: int = 31_536_000
    """Seconds until a permission can be renewed no more."""
    elsewhere: str = ""
    """Where media are to be sent, if not here."""

    @property
    def host(self) -> str:
        """host:port of the wire."""
        return self.url.removeprefix("http://")

    def member(self) -> Member:
        """Make an account."""
        number = str(next(_IDS))
        made = Member(f"a{number[-8:]}", f"token-{number}", f"refresh-{number}")
        self.members.append(made)
        return made

    def said(self, member: Member) -> list[str]:
        """Return what a member's posts show, the oldest first."""
        return [_shown(post["commentary"]) for post in reversed(member.posts)]

    def answered(self, member: Member) -> list[tuple[str, str]]:
        """Return the texts of a member's posts and comments with what each is a reply to, the oldest first."""
        said = {post["id"]: _shown(post["commentary"]) for post in reversed(member.posts)}
        posts = [(text, "") for text in said.values()]
        return posts + [(one["message"]["text"], said[one["object"]]) for one in reversed(member.comments)]

    def answer(self, asked: Asked) -> Told:
        """Act on a request."""
        if asked.path == "/oauth/v2/accessToken":
            return self._token(asked)
        member = next((one for one in self.members if one.token == asked.token), None)
        if member is None:
            return _problem(401, "REVOKED_ACCESS_TOKEN", "The token used in the request has been revoked by the user")
        if asked.path.startswith("/rest/") and (refused := _headers(asked)) is not None:
            return refused
        routes: list[Route] = [
            ("GET", "/v2/userinfo", lambda _: Told(200, {"sub": member.subject, "name": "Acme Ltd"})),
            ("POST", "/rest/posts", lambda asked: self._create(asked, member)),
            ("GET", "/rest/posts", lambda asked: self._authored(asked, member)),
            ("GET", "/rest/posts/(.+)", lambda _, urn: self._read(urn, member)),
            ("DELETE", "/rest/posts/(.+)", lambda _, urn: _delete(urn, member)),
            ("POST", "/rest/socialActions/(.+)/comments", lambda asked, urn: self._comment(asked, urn, member)),
            ("GET", "/rest/socialActions/(.+)/comments", lambda _, urn: self._comments(urn, member)),
            ("DELETE", "/rest/socialActions/(.+)/comments/([0-9]+)", lambda _, _urn, one: _uncomment(one, member)),
            ("POST", "/rest/(image|video)s", self._register),
            ("GET", "/rest/(?:image|video)s/(.+)", self._status),
            ("PUT", "/upload/(.+)/([0-9]+)", self._receive),
        ]
        return routed(routes, asked) or _problem(404, "NOT_FOUND", "No virtual resource found")

    def _token(self, asked: Asked) -> Told:
        form = asked.form
        member = next((one for one in self.members if one.refresh == form.get("refresh_token")), None)
        if form.get("grant_type") != "refresh_token" or not form.get("client_secret") or member is None:
            return Told(400, {"error": "invalid_request", "error_description": "The provided refresh token is invalid"})
        member.token += "n"
        granted = {"access_token": member.token, "expires_in": 5183999, "refresh_token": member.refresh}
        return Told(200, granted | {"refresh_token_expires_in": self.lasts, "scope": "w_member_social"})

    def _create(self, asked: Asked, member: Member) -> Told:
        post = asked.body
        wanted = {"author", "commentary", "visibility", "distribution", "lifecycleState"}
        if not wanted <= set(post) or post["author"] != member.urn:
            return _problem(422, "UNPROCESSABLE_ENTITY", "ERROR :: /author :: field is required but not found")
        content = post.get("content", {})
        images = content.get("multiImage", {}).get("images", [])
        if "multiImage" in content and not 2 <= len(images) <= 20:
            return _problem(400, "VALIDATION", "ERROR :: /content/multiImage/images :: size out of bounds")
        for one in images or ([content["media"]] if "media" in content else []):
            if self.media.get(one["id"], {}).get("owner") != member.urn:
                return _problem(400, "VALIDATION", f"ERROR :: /content :: {one['id']} does not exist")
        for other in member.posts:
            if other["commentary"] == post["commentary"] and other.get("content") == post.get("content"):
                named = f"urn:li:share:{next(_IDS)}" if self.ghosts else other["id"]
                words = "com.linkedin.content.common.exception.BadRequestResponseException: Content is a duplicate of"
                return _problem(422, "DUPLICATE_POST", f"{words} {named}")
        urn = f"urn:li:share:{next(_IDS)}"
        member.posts.insert(0, {**post, "id": urn, "createdAt": int(time.time() * 1000)})
        return Told(201, None, {"x-restli-id": urn, "location": f"/rest/posts/{urn}"})

    def _authored(self, asked: Asked, member: Member) -> Told:
        if not self.shows_posts:
            return _problem(403, "ACCESS_DENIED", "Not enough permissions to access: partnerApiPostsExternal.FINDER")
        if asked.headers.get("x-restli-method") != "FINDER" or asked.query.get("author") != member.urn:
            return _problem(400, "ILLEGAL_ARGUMENT", "Finder is not found")
        begin, size = int(asked.query.get("start", "0")), int(asked.query.get("count", "10"))
        return Told(200, {"elements": member.posts[begin : begin + size], "paging": {"start": begin, "count": size}})

    def _read(self, urn: str, member: Member) -> Told:
        found = next((post for post in member.posts if post["id"] == unquote(urn)), None)
        return Told(200, found) if found and self.shows_posts else _problem(404, "NOT_FOUND", "Not found")

    def _comment(self, asked: Asked, urn: str, member: Member) -> Told:
        body, post = asked.body, unquote(urn)
        if not self.comments:
            words = "Not enough permissions to access: partnerApiSocialActions.CREATE_COMMENTS.20260701"
            return _problem(403, "ACCESS_DENIED", words)
        if body.get("actor") != member.urn or not body.get("message", {}).get("text"):
            return _problem(400, "VALIDATION", "ERROR :: /actor :: field is required but not found")
        if all(one["id"] != post for one in member.posts):
            return _problem(404, "NOT_FOUND", "Not found")
        number, at = str(next(_IDS)), {"actor": member.urn, "time": int(time.time() * 1000)}
        named = {"id": number, "commentUrn": f"urn:li:comment:({post},{number})", "object": post, "created": at}
        member.comments.insert(0, {**body, **named})
        return Told(201, member.comments[0], {"x-restli-id": number})

    def _comments(self, urn: str, member: Member) -> Told:
        if not self.shows_posts:
            return _problem(403, "ACCESS_DENIED", "Not enough permissions to access: partnerApiSocialActions.GET_ALL")
        return Told(200, {"elements": [one for one in member.comments if one["object"] == unquote(urn)]})

    def _register(self, asked: Asked, kind: str) -> Told:
        if asked.query["action"] == "finalizeUpload":
            return self._finalize(asked)
        body, urn = asked.body["initializeUploadRequest"], f"urn:li:{kind}:C{next(_IDS)}"
        self.media[urn] = {"owner": body["owner"], "parts": {}, "status": "WAITING_UPLOAD"}
        address = f"{self.elsewhere or self.url}/upload/{urn}"
        value: dict[str, Any] = {kind: urn, "uploadUrlExpiresAt": int(time.time() * 1000) + 3_600_000}
        if kind == "image":
            return Told(200, {"value": value | {"uploadUrl": f"{address}/0"}})
        half = body["fileSizeBytes"] // 2
        spans = [(0, half - 1), (half, body["fileSizeBytes"] - 1)]
        parts = [
            {"uploadUrl": f"{address}/{number}", "firstByte": first, "lastByte": last}
            for number, (first, last) in enumerate(spans)
        ]
        return Told(200, {"value": value | {"uploadInstructions": parts, "uploadToken": ""}})

    def _receive(self, asked: Asked, urn: str, number: str) -> Told:
        medium = self.media[unquote(urn)]
        medium["parts"][int(number)] = asked.raw
        if ":image:" in unquote(urn):
            medium["status"], medium["content"] = "AVAILABLE", asked.raw
        return Told(201, None, {"etag": f'"part-{number}"'})

    def _finalize(self, asked: Asked) -> Told:
        body = asked.body["finalizeUploadRequest"]
        medium = self.media[body["video"]]
        if body["uploadedPartIds"] != [f"part-{number}" for number in sorted(medium["parts"])]:
            return _problem(400, "VALIDATION", "The parts are not those that were uploaded")
        medium["content"] = b"".join(medium["parts"][number] for number in sorted(medium["parts"]))
        medium["status"] = "AVAILABLE"
        return Told(200, None)

    def _status(self, _asked: Asked, urn: str) -> Told:
        medium = self.media[unquote(urn)]
        return Told(200, {"id": unquote(urn), "status": medium["status"], "owner": medium["owner"]})


def _headers(asked: Asked) -> Told | None:
    version = asked.headers.get("linkedin-version", "")
    if not re.fullmatch(r"20[0-9]{4}", version):
        return _problem(400, "VERSION_MISSING", "A version must be present. Please specify a version")
    if asked.headers.get("x-restli-protocol-version") != "2.0.0":
        return _problem(400, "ILLEGAL_ARGUMENT", "Syntax exception in path variables")
    return None


def _shown(commentary: str) -> str:
    ended = _UNESCAPED.search(commentary)
    text = commentary[: ended.start()] if ended else commentary
    return re.sub(r"\\(.)", r"\1", text)


def _uncomment(number: str, member: Member) -> Told:
    there = len(member.comments)
    member.comments = [one for one in member.comments if one["id"] != number]
    return Told(204, None) if len(member.comments) < there else _problem(404, "NOT_FOUND", "Not found")


def _delete(urn: str, member: Member) -> Told:
    member.posts = [post for post in member.posts if post["id"] != unquote(urn)]
    return Told(204, None)


def _problem(status: int, code: str, message: str) -> Told:
    return Told(status, {"status": status, "code": code, "message": message, "serviceErrorCode": 100})


@contextmanager
def running() -> Iterator[LinkedIn]:
    """Start the stand-in and its wire; stop both at the end."""
    box: list[LinkedIn] = []

    def answer(asked: Asked) -> Told:
        return box[0].answer(asked)

    with (
        serving(answer) as address,
        httpx.Client(base_url=address, timeout=40) as client,
        wired(client) as (wire, url),
    ):
        box.append(LinkedIn(wire, url))
        yield box[0]
