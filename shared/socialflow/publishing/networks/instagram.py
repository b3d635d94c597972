"""Instagram, by its own sign-in. Facts, read on 2026-11-27: https://developers.facebook.com/documentation/
instagram-platform/content-publishing and …/instagram-graph-api/reference.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from socialflow.publishing.content import Rendering
from socialflow.publishing.networks import comments, graph
from socialflow.publishing.networks.containers import Containers, Kind
from socialflow.publishing.networks.port import (
    Answer,
    Deletion,
    Identity,
    Later,
    Preparation,
    Prepared,
    Refused,
    Search,
    Sighting,
    Upload,
)
from socialflow.publishing.networks.wire import member

HOME = "https://graph.instagram.com"
_ROOT = f"/{graph.VERSION}"
_KIND = Kind(
    root=_ROOT,
    make="media",
    publish="media_publish",
    listed="media",
    replied="",
    state="status_code",
    text="caption",
    quota="content_publishing_limit",
    video="REELS",
    image=None,
    renewing="ig_refresh_token",
)


class Instagram(Containers):
    """One professional account, by what its owner has granted."""

    kind = _KIND

    def identify(self, *, seconds: float) -> Identity | Refused | Later:
        """Say whose token it is."""
        with self._client(seconds) as opened:
            told = graph.ask(opened, "GET", f"{_ROOT}/me", params={"fields": "user_id,username"})
        if isinstance(told, Refused | Later):
            return told
        rows = member(told, "data")
        row = rows[0] if isinstance(rows, list) and rows else told
        account, name = graph.id_of({"id": member(row, "user_id")}), member(row, "username")
        if account is None or not isinstance(name, str):
            return Refused("network-refused", "The server does not answer as Instagram does.")
        return Identity(account, f"@{name[:50]}", {})

    def prepare(self, rendering: Rendering, uploads: Sequence[Upload], *, seconds: float) -> Preparation:
        """Do as for any container; a comment needs nothing ahead."""
        return Prepared({}) if rendering.answers else super().prepare(rendering, uploads, seconds=seconds)

    def publish(self, rendering: Rendering, prepared: Mapping[str, Any], key: str, *, seconds: float) -> Answer:
        """Publish the container, or the comment."""
        if rendering.answers is None:
            return super().publish(rendering, prepared, key, seconds=seconds)
        with self._client(seconds) as opened:
            return comments.publish(opened, rendering.answers, rendering.text)

    def find(self, search: Search, *, seconds: float) -> Sighting:
        """Look at the account's own posts, or at the comments."""
        answers = search.rendering.answers
        if answers is None:
            return super().find(search, seconds=seconds)
        with self._client(seconds) as opened:
            return comments.find(opened, answers, search, "text")

    def delete(self, remote_id: str, *, seconds: float) -> Deletion:
        """Say that Instagram's API deletes no posts."""
        return Refused("not-possible", "Instagram lets nobody delete a post by its API: delete it in the app.")
