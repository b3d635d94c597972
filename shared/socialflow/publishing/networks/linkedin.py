"""LinkedIn, by its versioned REST API. Facts, read on 2026-11-27: https://learn.microsoft.com/linkedin/marketing, of
which the pages posts-api, images-api, videos-api, multiimage-post-api and versioning.

LinkedIn keeps no key of ours. Whoever may read the account's posts (of an organisation; of a person only by a
permission that LinkedIn gives to few) finds what may have arrived; else a person looks.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx

from socialflow.limits import little_text
from socialflow.platform import egress
from socialflow.platform.clock import now
from socialflow.publishing.content import Rendering
from socialflow.publishing.networks import evidence, linkedin_api, linkedin_comments, wire
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

HOME = "https://api.linkedin.com"
PAGES, PAGE = 5, 20
SKEW = timedelta(seconds=60)
_URN = re.compile(r"urn:li:(?:share|ugcPost):[0-9]{1,25}")
_MEMBER = re.compile(r"[A-Za-z0-9_-]{1,64}")
_DUPLICATE = re.compile(r"duplicate of (urn:li:(?:share|ugcPost):[0-9]{1,25})")


class LinkedIn(Granted):
    """One member or organisation, by what its owner has granted; the account is its URN.

    The grant's `author` is the organisation, if it is one.
    """

    network = "linkedin"

    def identify(self, *, seconds: float) -> Identity | Refused | Later:
        """Say whose token it is."""
        with self._client(seconds) as client:
            found = wire.ask(client, client.build_request("GET", "/v2/userinfo"), linkedin_api.refusal)
        if not isinstance(found, Body):
            return found
        subject, name = member(found.value, "sub"), member(found.value, "name")
        if not (isinstance(subject, str) and _MEMBER.fullmatch(subject)):
            return Refused("network-refused", "The server does not answer as LinkedIn does.")
        author = self._grant.more.get("author") or f"urn:li:person:{subject}"
        return Identity(author, str(self._grant.more.get("name") or name or subject)[:200], {})

    def prepare(self, rendering: Rendering, uploads: Sequence[Upload], *, seconds: float) -> Preparation:
        """Upload the media, and wait until LinkedIn has processed them."""
        if rendering.answers:
            return Prepared({})
        media: list[dict[str, Any]] = []
        with self._client(seconds) as client:
            store = linkedin_api.Store(client, self._base_url, self._grant.access, seconds)
            for upload in uploads:
                urn = store.keep(upload, rendering.remote_account)
                if not isinstance(urn, str):
                    return urn
                media.append({"id": urn} | ({"altText": upload.alt_text} if upload.alt_text else {}))
        return Prepared({"media": media, "at": now().isoformat()})

    def publish(self, rendering: Rendering, prepared: Mapping[str, Any], key: str, *, seconds: float) -> Answer:
        """Create the post, or the comment under it."""
        with self._client(seconds) as client:
            if rendering.answers:
                return linkedin_comments.publish(client, rendering.answers, rendering)
            request = client.build_request("POST", "/rest/posts", json=_post(rendering, prepared["media"]))
            response = wire.send_once(client, request)
            if not isinstance(response, httpx.Response):
                return response
            answer = _outcome(response)
            if isinstance(answer, Refused) and answer.code == "duplicate-content":
                return _there_already(client, rendering, prepared, answer)
        return answer

    def find(self, search: Search, *, seconds: float) -> Sighting:
        """Look through the author's posts since the attempt began, newest first."""
        looked = 0
        with self._client(seconds) as client:
            if search.rendering.answers:
                return linkedin_comments.find(client, search.rendering.answers, search)
            for page in range(PAGES):
                posts = _authored(client, search.rendering.remote_account, page)
                if posts == "hidden":
                    return NotSeen(0)
                if not isinstance(posts, list):
                    return posts if isinstance(posts, Later) else Later("The author's posts cannot be read.")
                for post in posts:
                    looked += 1
                    if _is_it(post, search):
                        return _receipt(post["id"], _made_at(post), {"found": "own posts"})
                if len(posts) < PAGE or _before(posts[-1], search.since):
                    break
        return NotSeen(looked)

    def delete(self, remote_id: str, *, seconds: float) -> Deletion:
        """Delete a post; LinkedIn answers the same where it is deleted already."""
        comment = linkedin_comments.URN.fullmatch(remote_id)
        if comment is None and not _URN.fullmatch(remote_id):
            return Refused("content-refused", "That is no post on LinkedIn.")
        with self._client(seconds) as client:
            if comment is not None:
                actor = self._grant.more.get("author") or ""
                answer = linkedin_comments.delete(client, comment[1], comment[2], actor)
            else:
                request = client.build_request(
                    "DELETE", f"/rest/posts/{quote(remote_id, safe='')}", headers={"X-RestLi-Method": "DELETE"}
                )
                answer = wire.ask(client, request, linkedin_api.missing, empty={})
        if isinstance(answer, Body) or (isinstance(answer, Refused) and answer.code == linkedin_api.NOT_THERE):
            return Gone("LinkedIn has it no more.")
        return answer

    def _client(self, seconds: float) -> Any:
        return egress.client(self._base_url, seconds=seconds, headers=linkedin_api.headers(self._grant.access))


def _post(rendering: Rendering, media: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    post: dict[str, Any] = {
        "author": rendering.remote_account,
        "commentary": little_text.escaped(rendering.text),
        "visibility": "PUBLIC",
        "distribution": {"feedDistribution": "MAIN_FEED", "targetEntities": [], "thirdPartyDistributionChannels": []},
        "lifecycleState": "PUBLISHED",
        "isReshareDisabledByAuthor": False,
    }
    if len(media) == 1:
        post["content"] = {"media": dict(media[0])}
    elif media:
        post["content"] = {"multiImage": {"images": [dict(one) for one in media]}}
    return post


def _outcome(response: httpx.Response) -> Answer:
    if response.status_code == 429:
        return Later("LinkedIn limits the rate of posts.", wire.wait(response))
    refusal = linkedin_api.refusal(response)
    if refusal is not None:
        return refusal
    urn = response.headers.get("x-restli-id", "")
    if response.status_code == 201 and _URN.fullmatch(urn):
        return _receipt(urn, None, {"answered": 201})
    return Unknown(f"LinkedIn answered {response.status_code} and no post with it.")


def _there_already(client: httpx.Client, rendering: Rendering, prepared: Mapping[str, Any], refused: Refused) -> Answer:
    """Read the post that LinkedIn calls the same: it is this very one only if it can be read and is as new.

    LinkedIn has been seen to name posts that are deleted, or never were, so that its name alone proves nothing.
    """
    named = _DUPLICATE.search(refused.detail)
    since = wire.moment(prepared["at"]) or now()
    if named is None:
        return refused
    found = wire.ask(
        client, client.build_request("GET", f"/rest/posts/{quote(named[1], safe='')}"), linkedin_api.refusal
    )
    search = Search("", rendering, prepared, since, frozenset())
    if isinstance(found, Body) and _is_it(found.value, search):
        return _receipt(named[1], _made_at(found.value), {"found": "named as the same"})
    return refused


def _authored(client: httpx.Client, author: str, page: int) -> Any:
    """Return a page of an author's posts; "hidden" where they may not be read."""
    query: dict[str, str | int] = {"author": author, "q": "author", "count": PAGE, "start": page * PAGE}
    query["sortBy"] = "CREATED"
    request = client.build_request("GET", "/rest/posts", params=query, headers={"X-RestLi-Method": "FINDER"})
    found = wire.ask(client, request, linkedin_api.hidden)
    if isinstance(found, Refused):
        return "hidden" if found.code == linkedin_api.HIDDEN else found
    return member(found.value, "elements") if isinstance(found, Body) else found


def _is_it(post: object, search: Search) -> bool:
    urn, written = member(post, "id"), member(post, "commentary")
    if not (isinstance(urn, str) and _URN.fullmatch(urn) and isinstance(written, str)):
        return False
    ours = [one["id"] for one in search.prepared.get("media", ())]
    if urn in search.taken or _before(post, search.since) or _media_of(post) != ours:
        return False
    return evidence.same(little_text.unescaped(written), search.rendering.text)


def _media_of(post: object) -> list[object]:
    """Return the URNs of a post's media, in order."""
    content = member(post, "content")
    images = member(member(content, "multiImage"), "images")
    shown = images if isinstance(images, list) else [member(content, "media")]
    return [member(one, "id") for one in shown if one is not None]


def _before(post: object, since: datetime) -> bool:
    made = _made_at(post)
    return made is not None and made < since - SKEW


def _made_at(post: object) -> datetime | None:
    told = member(post, "createdAt")
    return datetime.fromtimestamp(told / 1000, UTC) if type(told) is int and 0 < told < 1 << 45 else None


def _receipt(urn: str, at: datetime | None, found: Mapping[str, Any]) -> Receipt:
    return Receipt(urn, f"https://www.linkedin.com/feed/update/{urn}/", at, found)
