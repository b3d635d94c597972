"""A Facebook Page. Facts, read on 2026-11-27: https://developers.facebook.com/docs/pages-api/posts, …/graph-api/
reference/page/photos, …/page/videos and …/page/published_posts.

Facebook keeps no key of ours: what may have arrived is looked for among the Page's own posts. A picture is kept unseen
until its post names it. A video is a post by itself, which Facebook fetches and processes after it has said yes.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import httpx

from socialflow.publishing.content import Rendering
from socialflow.publishing.networks import comments, evidence, graph, wire
from socialflow.publishing.networks.grants import Grant
from socialflow.publishing.networks.port import (
    Accepted,
    Answer,
    Deletion,
    Failed,
    Identity,
    Later,
    NotSeen,
    Preparation,
    Prepared,
    Receipt,
    Refused,
    Search,
    Sighting,
    Upload,
)
from socialflow.publishing.networks.wire import member

HOME = "https://graph.facebook.com"
PAGE = 50
SKEW = timedelta(seconds=60)
_ROOT = f"/{graph.VERSION}"
_POST = "id,message,created_time,permalink_url,attachments{subattachments{target{id},type},target{id},type}"
_VIDEO = "id,description,created_time,permalink_url"


class Facebook:
    """One Page, by its own token, which does not end."""

    def __init__(self, base_url: str, token: str) -> None:
        """Take the API's origin and a `Grant`'s document."""
        self._base_url, self._grant = base_url, Grant.of(token)

    def identify(self, *, seconds: float) -> Identity | Refused | Later:
        """Say which Page's token it is."""
        with graph.client(self._base_url, self._grant, seconds) as opened:
            told = graph.ask(opened, "GET", f"{_ROOT}/me", params={"fields": "id,name"})
        if isinstance(told, Refused | Later):
            return told
        page, name = graph.id_of(told), member(told, "name")
        if page is None or not isinstance(name, str):
            return Refused("network-refused", "The server does not answer as Facebook does.")
        return Identity(page, name[:200], {})

    def prepare(self, rendering: Rendering, uploads: Sequence[Upload], *, seconds: float) -> Preparation:
        """Upload pictures unseen; of a video only its address is kept."""
        if rendering.answers:
            return Prepared({})
        if uploads and uploads[0].is_video:
            return Prepared({"video_url": uploads[0].link, "photos": []})
        photos = []
        with graph.client(self._base_url, self._grant, seconds) as opened:
            for upload in uploads:
                fields = {"published": "false", "temporary": "true"}
                if upload.alt_text:
                    fields["alt_text_custom"] = upload.alt_text
                path = f"{_ROOT}/{rendering.remote_account}/photos"
                files = {"source": ("photo", upload.whole(), upload.content_type)}
                told = graph.ask(opened, "POST", path, data=fields, files=files)
                if isinstance(told, Refused | Later):
                    return told
                photo = graph.id_of(told)
                if photo is None:
                    return Later("Facebook has taken a picture without an id.")
                photos.append(photo)
        return Prepared({"video_url": None, "photos": photos})

    def publish(self, rendering: Rendering, prepared: Mapping[str, Any], key: str, *, seconds: float) -> Answer:
        """Create the post, or the video, which is one; or the comment under it."""
        account, video = f"{_ROOT}/{rendering.remote_account}", prepared.get("video_url")
        with graph.client(self._base_url, self._grant, seconds) as opened:
            if rendering.answers:
                return comments.publish(opened, rendering.answers, rendering.text)
            if video:
                body: dict[str, Any] = {"file_url": video, "description": rendering.text}
                request = opened.build_request("POST", f"{account}/videos", json=body)
            else:
                body = {"message": rendering.text} if rendering.text else {}
                if prepared["photos"]:
                    body["attached_media"] = [{"media_fbid": photo} for photo in prepared["photos"]]
                request = opened.build_request("POST", f"{account}/feed", json=body)
            response = wire.send_once(opened, request)
            if not isinstance(response, httpx.Response):
                return response
            made = graph.outcome(response)
            if not isinstance(made, str):
                return made
            if video:
                return Accepted("Facebook has taken the video and processes it.", {"video": made}, after=20.0)
            return graph.described(opened, f"{_ROOT}/{made}?fields={_POST}", made, {"answered": 200})

    def find(self, search: Search, *, seconds: float) -> Sighting:
        """Ask for the video by its id, or look through the Page's own posts since the attempt began."""
        with graph.client(self._base_url, self._grant, seconds) as opened:
            if search.rendering.answers:
                return comments.find(opened, search.rendering.answers, search, "message")
            video = search.handle.get("video")
            return _processed(opened, str(video)) if video else _listed(opened, search)

    def delete(self, remote_id: str, *, seconds: float) -> Deletion:
        """Delete a post, a video or a comment."""
        if not graph.ID.fullmatch(remote_id):
            return Refused("content-refused", "That is no post on Facebook.")
        with graph.client(self._base_url, self._grant, seconds) as opened:
            return graph.deleted(opened, f"{_ROOT}/{remote_id}")


def _processed(opened: httpx.Client, video: str) -> Sighting:
    """Return how a video stands that Facebook has taken."""
    told = graph.ask(opened, "GET", f"{_ROOT}/{video}", params={"fields": f"status,{_VIDEO}"})
    if isinstance(told, Refused | Later):
        return Later("The video cannot be read.")
    status = member(told, "status")
    match member(status, "video_status"):
        case "ready":
            return graph.receipt(video, told, {"found": "video"})
        case "error" | "expired":
            words = "Facebook says that it could not process the video. Make a rendition, then retry."
            return Failed("content-refused", words)
    return Later("Facebook is still processing the video.")


def _listed(opened: httpx.Client, search: Search) -> Receipt | NotSeen | Later:
    is_video = bool(search.prepared.get("video_url"))
    edge, fields = ("videos", _VIDEO) if is_video else ("published_posts", _POST)
    query: dict[str, str | int] = {"fields": fields, "limit": PAGE}
    query["since"] = int((search.since - SKEW).timestamp())
    page = graph.ask(opened, "GET", f"{_ROOT}/{search.rendering.remote_account}/{edge}", params=query)
    if isinstance(page, Refused | Later):
        return page if isinstance(page, Later) else Later("The Page's own posts cannot be read.")
    posts = member(page, "data") if isinstance(member(page, "data"), list) else []
    for post in posts:
        if _is_it(post, search, is_video=is_video):
            return graph.receipt(post["id"], post, {"found": "own posts"})
    return NotSeen(len(posts))


def _is_it(post: object, search: Search, *, is_video: bool) -> bool:
    made, at = graph.id_of(post), graph.made_at(post)
    if made is None or made in search.taken or (at is not None and at < search.since - SKEW):
        return False
    text, said = search.rendering.text, member(post, "description" if is_video else "message")
    if not evidence.same(str(said or ""), text):
        return False
    if is_video:
        return bool(text)  # without words it could be any
    shown, ours = _pictures(post), search.prepared.get("photos", ())
    told = {one for one in shown if one is not None}
    return len(shown) == len(ours) and (told <= set(ours) if told else bool(text))


def _pictures(post: object) -> list[str | None]:
    """Return the ids of a post's pictures, as far as they are told."""
    attached = member(member(post, "attachments"), "data")
    first = attached[0] if isinstance(attached, list) and attached else None
    if first is None or member(first, "type") == "share":
        return []
    several = member(member(first, "subattachments"), "data")
    return [graph.id_of(member(one, "target")) for one in (several if isinstance(several, list) else [first])]
