"""Instagram, by its own sign-in. Facts, read on 2026-11-27: https://developers.facebook.com/documentation/
instagram-platform/content-publishing and …/instagram-graph-api/reference.
"""

from socialflow.publishing.networks import graph
from socialflow.publishing.networks.containers import Containers, Kind
from socialflow.publishing.networks.port import Deletion, Identity, Later, Refused
from socialflow.publishing.networks.wire import member

HOME = "https://graph.instagram.com"
_ROOT = f"/{graph.VERSION}"
_KIND = Kind(
    root=_ROOT,
    make="media",
    publish="media_publish",
    listed="media",
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

    def delete(self, remote_id: str, *, seconds: float) -> Deletion:
        """Say that Instagram's API deletes no posts."""
        return Refused("not-possible", "Instagram lets nobody delete a post by its API: delete it in the app.")
