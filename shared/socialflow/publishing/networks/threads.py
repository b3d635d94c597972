"""Threads. Facts, read on 2026-11-27: https://developers.facebook.com/documentation/threads (posts, delete-posts,
overview, troubleshooting, retrieve-and-manage-replies).
"""

from socialflow.publishing.networks import graph
from socialflow.publishing.networks.containers import Containers, Kind
from socialflow.publishing.networks.port import Deletion, Identity, Later, Refused
from socialflow.publishing.networks.wire import member

HOME = "https://graph.threads.net"
_ROOT = "/v1.0"
_KIND = Kind(
    root=_ROOT,
    make="threads",
    publish="threads_publish",
    listed="threads",
    replied="replies",
    state="status",
    text="text",
    quota="threads_publishing_limit",
    video="VIDEO",
    image="IMAGE",
    renewing="th_refresh_token",
)


class Threads(Containers):
    """One account, by what its owner has granted."""

    kind = _KIND

    def identify(self, *, seconds: float) -> Identity | Refused | Later:
        """Say whose token it is."""
        with self._client(seconds) as opened:
            told = graph.ask(opened, "GET", f"{_ROOT}/me", params={"fields": "id,username"})
        if isinstance(told, Refused | Later):
            return told
        account, name = graph.id_of(told), member(told, "username")
        if account is None or not isinstance(name, str):
            return Refused("network-refused", "The server does not answer as Threads does.")
        return Identity(account, f"@{name[:50]}", {})

    def delete(self, remote_id: str, *, seconds: float) -> Deletion:
        """Delete a post; that takes a permission of its own."""
        if not graph.ID.fullmatch(remote_id):
            return Refused("content-refused", "That is no post on Threads.")
        with self._client(seconds) as opened:
            return graph.deleted(opened, f"{_ROOT}/{remote_id}")
