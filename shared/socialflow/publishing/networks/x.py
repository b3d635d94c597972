"""X, by its API v2. Facts, read on 2026-11-27: https://docs.x.com/x-api and its OpenAPI description 2.167.

X keeps no key of ours: a post that may have arrived is looked for among the account's own. The same text twice is
refused there (403), which is evidence too: it is looked for then.
"""

import html
import re
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from socialflow.limits.links import links
from socialflow.platform import egress
from socialflow.publishing.content import Rendering
from socialflow.publishing.networks import evidence, oauth, wire, x_api
from socialflow.publishing.networks.granted import Granted
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
from socialflow.publishing.networks.x_api import id_of

HOME = "https://api.x.com"
PAGES, PAGE = 5, 100
SKEW = timedelta(seconds=60)
"""How far X's clock may be behind ours."""


class X(Granted):
    """One account, by what its owner has granted."""

    network = "x"

    def revoke(self, *, seconds: float) -> Deletion:
        """Give back what was granted."""
        return oauth.revoke("x", self._base_url, self._grant, seconds=seconds)

    def identify(self, *, seconds: float) -> Identity | Refused | Later:
        """Say whose token it is."""
        with self._client(seconds) as client:
            found = wire.ask(client, client.build_request("GET", "/2/users/me"), x_api.refusal)
        if not isinstance(found, Body):
            return found
        user = member(found.value, "data")
        user_id, name = id_of(user), member(user, "username")
        if user_id is None or not isinstance(name, str):
            return Refused("network-refused", "The server does not answer as X does.")
        return Identity(user_id, f"@{name[:50]}", {})

    def prepare(self, rendering: Rendering, uploads: Sequence[Upload], *, seconds: float) -> Preparation:
        """Upload the media, wait until X has processed them, and say what they show."""
        deadline, media_ids = time.monotonic() + seconds, []
        with self._client(seconds) as client:
            for upload in uploads:
                media_id = x_api.uploaded(client, upload, deadline)
                if not isinstance(media_id, str):
                    return media_id
                media_ids.append(media_id)
        return Prepared({"media_ids": media_ids})

    def publish(self, rendering: Rendering, prepared: Mapping[str, Any], key: str, *, seconds: float) -> Answer:
        """Create the post."""
        body: dict[str, Any] = {"text": rendering.text} if rendering.text else {}
        if rendering.answers:
            body["reply"] = {"in_reply_to_tweet_id": rendering.answers.parent.remote_id}
        if prepared["media_ids"]:
            body["media"] = {"media_ids": list(prepared["media_ids"])}
        with self._client(seconds) as client:
            response = wire.send_once(client, client.build_request("POST", "/2/tweets", json=body))
        return _outcome(response) if isinstance(response, httpx.Response) else response

    def find(self, search: Search, *, seconds: float) -> Sighting:
        """Look through the account's own posts since the attempt began, newest first."""
        with self._client(seconds) as client:
            return _look(client, search)

    def delete(self, remote_id: str, *, seconds: float) -> Deletion:
        """Delete a post."""
        if not x_api.ID.fullmatch(remote_id):
            return Refused("content-refused", "That is no id of a post on X.")
        with self._client(seconds) as client:
            answer = wire.ask(client, client.build_request("DELETE", f"/2/tweets/{remote_id}"), x_api.missing)
        if isinstance(answer, Refused) and answer.code == x_api.NOT_THERE:
            return Gone("X has it no more.")
        if not isinstance(answer, Body):
            return answer
        if member(member(answer.value, "data"), "deleted") is True:
            return Gone("X has it no more.")
        return Later("X has not said that the post is deleted.")

    def _client(self, seconds: float) -> Any:
        return egress.client(self._base_url, seconds=seconds, headers={"Authorization": f"Bearer {self._grant.access}"})


def _look(client: httpx.Client, search: Search) -> Receipt | NotSeen | Later:
    looked = 0
    begin = (search.since - SKEW).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    query = {"max_results": str(PAGE), "start_time": begin, "exclude": "retweets"}
    query["tweet.fields"] = "created_at,entities,attachments,note_tweet,referenced_tweets"
    for _ in range(PAGES):
        page = x_api.ask(client, "GET", f"/2/users/{search.rendering.remote_account}/tweets", params=query)
        if isinstance(page, Refused | Later) or not isinstance(page, dict):
            return page if isinstance(page, Later) else Later("The account's own posts cannot be read.")
        posts = page.get("data") or []
        for post in posts if isinstance(posts, list) else []:
            looked += 1
            if _is_it(post, search):
                return _receipt(str(post["id"]), wire.moment(post.get("created_at")), {"found": "own posts"})
        token = member(page.get("meta"), "next_token")
        if not isinstance(token, str):
            break
        query["pagination_token"] = token
    return NotSeen(looked)


def _is_it(post: object, search: Search) -> bool:
    post_id = id_of(post)
    if post_id is None or post_id in search.taken:
        return False
    if _answers(post) != evidence.answered(search.rendering):
        return False
    # A key is the medium's id behind the number of its kind.
    keys = [str(key).rpartition("_")[2] for key in member(member(post, "attachments"), "media_keys") or []]
    is_ours = sorted(keys) == sorted(search.prepared.get("media_ids", ()))
    return is_ours and evidence.same(_shown(post), _linked(search.rendering.text))


def _answers(post: object) -> str:
    """Return the id of the post that a post is a reply to; empty where it is none."""
    named = member(post, "referenced_tweets")
    for one in named if isinstance(named, list) else []:
        if member(one, "type") == "replied_to":
            return id_of(one) or ""
    return ""


def _shown(post: object) -> str:
    """Return what a post says: with the links that were written, and not the shortened ones, or those to its media."""
    long = member(post, "note_tweet")
    said = long if isinstance(member(long, "text"), str) else post
    text = str(member(said, "text") or "")
    urls = member(member(said, "entities") or member(post, "entities"), "urls")
    for url in urls if isinstance(urls, list) else []:
        short, meant = member(url, "url"), member(url, "expanded_url")
        if isinstance(short, str) and short:
            own = member(url, "media_key") is not None
            text = text.replace(short, "" if own else _plain(str(meant)))
    return html.unescape(text)


def _linked(text: str) -> str:
    """Return a text with its links as `_shown` has them."""
    parts, last = [], 0
    for begin, end in links(text):
        parts += [text[last:begin], _plain(text[begin:end])]
        last = end
    return "".join([*parts, text[last:]])


def _plain(link: str) -> str:
    """Return a link without what X adds to one."""
    rest = re.sub(r"^https?://", "", link, flags=re.IGNORECASE)
    host, slash, path = rest.partition("/")
    return host.lower() + (slash + path).rstrip("/")


def _outcome(response: httpx.Response) -> Answer:
    if response.status_code == 429 and x_api.is_day_used_up(response):
        words = "X says that the posts of 24 hours are used up. Give it a later time, or retry tomorrow."
        return Refused("quota-used-up", words)
    if response.status_code == 429:
        return Later("X limits the rate of posts.", wire.wait(response))
    refusal = x_api.refusal(response)
    if refusal is not None:
        return refusal
    post_id = id_of(member(wire.value_of(response), "data"))
    if response.status_code in (200, 201) and post_id is not None:
        return _receipt(post_id, None, {"answered": response.status_code})
    return Unknown(f"X answered {response.status_code} and no post with it.")


def _receipt(post_id: str, at: datetime | None, found: Mapping[str, Any]) -> Receipt:
    return Receipt(post_id, f"https://x.com/i/status/{post_id}", at, found)
