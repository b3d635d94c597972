"""TikTok, by its Content Posting API. Facts, read on 2026-11-27: https://developers.tiktok.com/doc, of which the pages
content-posting-api-reference-direct-post, …-photo-post, …-query-creator-info and …-get-video-status.

TikTok fetches the media from addresses whose host it has verified as the operator's. Asking it to is the one mutation;
its answer is a publish_id, and everything else happens afterwards. Some refusals come as 200 with an error's code.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from socialflow.platform import egress
from socialflow.platform.clock import now
from socialflow.publishing.content import Rendering
from socialflow.publishing.networks import evidence, oauth, wire
from socialflow.publishing.networks.granted import Granted
from socialflow.publishing.networks.grants import Grant
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

HOME = "https://open.tiktokapis.com"
SKEW = timedelta(seconds=60)
PUBLIC = "PUBLIC_TO_EVERYONE"
_PUBLISH_ID = re.compile(r"[A-Za-z0-9._~-]{1,100}")
_OPEN_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_RECONNECT = "Connect the account again, then retry."
_OPERATOR = "Who runs this stage settles it with TikTok."
_CODES: Mapping[str, tuple[str, str]] = {
    "access_token_invalid": ("invalid-credentials", _RECONNECT),
    "scope_not_authorized": ("permission-missing", "Connect the account again and allow what is asked for."),
    "scope_permission_missed": ("permission-missing", "Connect the account again and allow what is asked for."),
    "spam_risk_too_many_posts": ("quota-used-up", "The account's posts of 24 hours are used up: give it a later time."),
    "spam_risk_user_banned_from_posting": ("account-unavailable", "Settle it on TikTok, then retry."),
    "spam_risk": ("account-unavailable", "Settle it on TikTok, then retry."),
    "reached_active_user_cap": ("quota-used-up", _OPERATOR),
    "unaudited_client_can_only_post_to_private_accounts": (
        "permission-missing",
        f"Choose privacy_level SELF_ONLY for now. {_OPERATOR}",
    ),
    "url_ownership_unverified": ("permission-missing", f"The media's address is not verified there. {_OPERATOR}"),
    "privacy_level_option_mismatch": ("content-refused", "Choose another privacy_level, then retry."),
    "invalid_param": ("content-refused", "Change what TikTok does not like, then retry."),
    "invalid_params": ("content-refused", "Change what TikTok does not like, then retry."),
    "invalid_file_upload": ("content-refused", "Choose another medium."),
}
_STATUSES = {
    401: ("invalid-credentials", _RECONNECT),
    404: ("network-refused", "Try again later."),
    413: ("content-refused", "Choose a smaller medium."),
}
_FETCH = ("network-refused", "Retry: it could not fetch the media.")
_FAILURES: Mapping[str, tuple[str, str]] = {
    "video_pull_failed": _FETCH,
    "photo_pull_failed": _FETCH,
    "internal": ("network-refused", "Retry: that is its own trouble."),
    "auth_removed": ("invalid-credentials", _RECONNECT),
}
"""Why it has not published what it had taken, beside what it refuses at once (`_CODES`)."""


class TikTok(Granted):
    """One account, by what its owner has granted."""

    network = "tiktok"

    def revoke(self, *, seconds: float) -> Deletion:
        """Give back what was granted: TikTok takes it by a token that has not ended."""
        grant: Grant | Refused | Later = self._grant
        if self._grant.spent(now()):
            grant = self._next(seconds / 2)
        if isinstance(grant, Refused):
            return Gone("The permission was over.")
        return grant if isinstance(grant, Later) else oauth.revoke("tiktok", self._base_url, grant, seconds=seconds / 2)

    def identify(self, *, seconds: float) -> Identity | Refused | Later:
        """Say whose token it is."""
        with self._client(seconds) as client:
            told = _ask(client, "GET", "/v2/user/info/", params={"fields": "open_id,display_name"})
        if isinstance(told, Refused | Later):
            return told
        user = member(told, "user")
        account, name = member(user, "open_id"), member(user, "display_name")
        if not (isinstance(account, str) and _OPEN_ID.fullmatch(account)):
            return Refused("network-refused", "The server does not answer as TikTok does.")
        return Identity(account, str(name or account)[:200], {})

    def prepare(self, rendering: Rendering, uploads: Sequence[Upload], *, seconds: float) -> Preparation:
        """Ask what the account may do now, as TikTok wants it done before each post."""
        with self._client(seconds) as client:
            told = _ask(client, "POST", "/v2/post/publish/creator_info/query/", json={})
        if isinstance(told, Refused | Later):
            return told
        levels = [one for one in member(told, "privacy_level_options") or [] if isinstance(one, str)]
        level = str(rendering.options.get("privacy_level", PUBLIC))
        if level not in levels:
            words = f"The account may not post as {level} now. Choose privacy_level: {', '.join(levels) or 'none'}."
            return Refused("content-refused", words)
        most, length = member(told, "max_video_post_duration_sec"), uploads[0].seconds if uploads else None
        if type(most) is int and length is not None and length > most:
            return Refused("content-refused", f"The account may post {most} seconds of video. Choose a shorter one.")
        links = [upload.link for upload in uploads]
        return Prepared({"level": level, "links": links, "is_video": bool(uploads) and uploads[0].is_video})

    def publish(self, rendering: Rendering, prepared: Mapping[str, Any], key: str, *, seconds: float) -> Answer:
        """Ask TikTok to fetch the media and to post them."""
        info: dict[str, Any] = {"privacy_level": prepared["level"]}
        if prepared["is_video"]:
            path = "/v2/post/publish/video/init/"
            source: dict[str, Any] = {"source": "PULL_FROM_URL", "video_url": prepared["links"][0]}
            body: dict[str, Any] = {"post_info": {**info, "title": rendering.text}, "source_info": source}
        else:
            path = "/v2/post/publish/content/init/"
            source = {"source": "PULL_FROM_URL", "photo_cover_index": 0, "photo_images": list(prepared["links"])}
            body = {"post_info": {**info, "description": rendering.text}, "source_info": source}
            body |= {"post_mode": "DIRECT_POST", "media_type": "PHOTO"}
        with self._client(seconds) as client:
            response = wire.send_once(client, client.build_request("POST", path, json=body))
        return _outcome(response) if isinstance(response, httpx.Response) else response

    def find(self, search: Search, *, seconds: float) -> Sighting:
        """Ask for the post by its publish_id; without one look through the account's own videos."""
        publish_id = search.handle.get("publish_id")
        with self._client(seconds) as client:
            return _status(client, str(publish_id)) if publish_id else _listed(client, search)

    def delete(self, remote_id: str, *, seconds: float) -> Deletion:
        """Say that TikTok's API deletes no posts."""
        return Refused("not-possible", "TikTok lets nobody delete a post by its API: delete it in the app.")

    def _client(self, seconds: float) -> Any:
        return egress.client(self._base_url, seconds=seconds, headers={"Authorization": f"Bearer {self._grant.access}"})


def _ask(client: httpx.Client, method: str, path: str, **more: Any) -> Any:
    """Return the data of what may be repeated freely, or `Refused` or `Later`."""
    answer = wire.ask(client, client.build_request(method, path, **more), _refusal)
    if not isinstance(answer, Body):
        return answer
    data = member(answer.value, "data")
    return (
        data if isinstance(data, dict) and _code(answer.value) == "ok" else Later("TikTok has answered with no data.")
    )


def _outcome(response: httpx.Response) -> Answer:
    value = wire.value_of(response)
    if response.status_code == 429 or _code(value) == "rate_limit_exceeded":
        return Later("TikTok limits the rate of posts.", wire.wait(response) or 60.0)
    refusal = _refusal(response)
    if refusal is not None:
        return refusal
    publish_id = member(member(value, "data"), "publish_id")
    if response.status_code == 200 and isinstance(publish_id, str) and _PUBLISH_ID.fullmatch(publish_id):
        return Accepted("TikTok has taken the post and fetches its media.", {"publish_id": publish_id})
    return Unknown(f"TikTok answered {response.status_code} and no publish_id with it.")


def _status(client: httpx.Client, publish_id: str) -> Sighting:
    """Return how a post stands that TikTok has taken."""
    told = _ask(client, "POST", "/v2/post/publish/status/fetch/", json={"publish_id": publish_id})
    if isinstance(told, Refused | Later):
        return told if isinstance(told, Later) else Later("The post's state cannot be read.")
    status, ids = member(told, "status"), member(told, "publicaly_available_post_id")
    if status == "PUBLISH_COMPLETE":
        # The post's own id comes after TikTok's moderation, which may take hours, and never for a private post.
        known = [str(one) for one in ids if isinstance(one, int | str)] if isinstance(ids, list) else []
        return Receipt(known[0] if known else publish_id, None, None, {"found": "state", "publish_id": publish_id})
    if status == "FAILED":
        why = str(member(told, "fail_reason") or "it does not say why")[:100]
        code, advice = _FAILURES.get(why) or _CODES.get(why) or ("content-refused", "Change the post, then retry.")
        return Failed(code, f"TikTok has not published it: {why}. {advice}")
    return Later("TikTok is still at work.")


def _listed(client: httpx.Client, search: Search) -> Sighting:
    query, body = {"fields": "id,title,video_description,create_time,share_url"}, {"max_count": 20}
    told = _ask(client, "POST", "/v2/video/list/", params=query, json=body)
    if isinstance(told, Refused):
        return NotSeen(0) if told.code == "permission-missing" else Later("The account's own posts cannot be read.")
    if isinstance(told, Later):
        return told
    videos = member(told, "videos")
    looked = [one for one in videos if isinstance(one, dict)] if isinstance(videos, list) else []
    for video in looked:
        made, at = video.get("id"), video.get("create_time")
        if not isinstance(made, str) or not _PUBLISH_ID.fullmatch(made) or made in search.taken:
            continue
        if type(at) is not int or not 0 < at < 1 << 34:
            continue
        said, text = str(video.get("video_description") or video.get("title") or ""), search.rendering.text
        if at >= (search.since - SKEW).timestamp() and text.strip() and evidence.same(said, text):
            link = wire.web(video.get("share_url"))
            return Receipt(made, link, datetime.fromtimestamp(at, UTC), {"found": "own posts"})
    return NotSeen(len(looked))


def _refusal(response: httpx.Response) -> Refused | None:
    value = wire.value_of(response)
    code = _code(value)
    if response.status_code >= 500 or code == "rate_limit_exceeded":
        return None
    known = _CODES.get(code)
    if known is None and not code:
        known = _STATUSES.get(response.status_code)
    if known is None:
        return None
    said = member(member(value, "error"), "message")
    words = wire.line(said).rstrip(". ") or code or f"HTTP {response.status_code}"
    return Refused(known[0], f"TikTok says: {words}. {known[1]}")


def _code(value: object) -> str:
    code = member(member(value, "error"), "code")
    return code if isinstance(code, str) else ""
