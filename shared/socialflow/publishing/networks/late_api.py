"""What Late (now Zernio) says and takes: its accounts, how a post stands there, its refusals, its room for media.

Facts, read on 2026-11-27: its OpenAPI description 1.0.4 of 2026-08-22 (github.com/zernio-dev/zernio-rust) and the
models of its own client, PyPI late-sdk 1.4.1385.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx

from socialflow.limits import NETWORKS, canonical
from socialflow.platform import egress
from socialflow.publishing.networks import wire
from socialflow.publishing.networks.port import Accepted, Failed, Later, Receipt, Refused, Upload
from socialflow.publishing.networks.wire import Body, member

REACHED = frozenset(NETWORKS) - {"mastodon"}
"""Networks that Late posts to and that we know the limits of."""
KEY = re.compile(r"[\x21-\x7e]{8,400}")
ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
OURS = "socialflow"
"""The member of a post's metadata that has our key."""
MOST_ACCOUNTS = 500
UNCLEAR = "outcome-unclear"
_REMOTE_ID = re.compile(r"[\x21-\x7e]{1,200}")
_STATUSES: Mapping[int, tuple[str, str]] = {
    400: ("content-refused", "Change the post, then retry."),
    401: ("invalid-credentials", "Give Late's key again (PUT /v1/networks/late), then retry."),
    402: ("account-unavailable", "Settle Late's bill there, then retry."),
    403: ("permission-missing", "Give a key of Late that may use the account, then retry."),
    404: ("network-refused", "Retry: it is prepared anew."),
    405: ("network-refused", "Check the address of Late with who runs this stage."),
    409: (
        "duplicate-content",
        "Look there: if it is this post, say so, else change it, or wait until a day has passed.",
    ),
    410: ("network-refused", "Check the address of Late with who runs this stage."),
    413: ("content-refused", "Make the post smaller, then retry."),
    415: ("content-refused", "Choose another medium, then retry."),
    422: ("content-refused", "Change the post, then retry."),
}
# Answered before anything is made.
_CODES: Mapping[str, tuple[str, str]] = {
    "ACCOUNT_DISCONNECTED": ("account-unavailable", "Connect the account again at Late, then retry."),
    "ACCOUNT_NOT_ENABLED_FOR_POSTING": ("account-unavailable", "Allow posting for the account at Late, then retry."),
    "PROFILE_OVER_LIMIT": ("account-unavailable", "Late's plan has no room for the account: change it, then retry."),
}
# `errorCategory` of a post's platform, where it says that the network has not taken it; after any other it may have.
_CATEGORIES: Mapping[str, tuple[str, str]] = {
    "auth_expired": ("invalid-credentials", "Connect the account again at Late, then retry."),
    "user_content": ("content-refused", "Change the post, then retry."),
    "user_abuse": ("quota-used-up", "The network finds that too much is posted: wait some hours, then retry."),
    "account_issue": ("account-unavailable", "Settle it with the network, then retry."),
    "platform_rejected": ("content-refused", "It is against the network's rules: change the post, then retry."),
    "platform_rate_limit": ("quota-used-up", "The network limits the account: wait some hours, then retry."),
    "quota_exhausted": ("quota-used-up", "Late's own room at the network is used up: retry later."),
}


# A draft that is told of earlier could still be on its way to be published: nothing is asked for it.
_ENDS = ("post.published", "post.failed", "post.partial", "post.platform.published", "post.platform.failed")


@dataclass(frozen=True)
class Draft:
    """Nothing has told Late to publish it."""


State = Draft | Accepted | Receipt | Failed | Refused
"""How a post stands; `Refused`: Late calls it failed, and the network may have it nevertheless."""


@dataclass(frozen=True)
class Reachable:
    """An account that is connected at Late. `remote_account`: the network's own id of it, where Late knows it."""

    id: str
    network: str
    name: str
    remote_account: str | None
    usable: bool


@dataclass(frozen=True)
class Told:
    """An event of Late's: one of our posts has come to its end there."""

    target_id: UUID
    post_id: str


def told_of(event: Mapping[str, Any]) -> Told | None:
    """Return the post of ours that an event says has come to its end; None for every other event."""
    post = event.get("post")
    post_id, key = member(post, "id"), key_of(post)
    if event.get("event") not in _ENDS or not isinstance(post_id, str) or not ID.fullmatch(post_id) or key is None:
        return None
    try:
        return Told(UUID(key[:36]), post_id)
    except ValueError:
        return None


def accounts(base_url: str, key: str, *, seconds: float) -> list[Reachable] | Refused | Later:
    """Verify a key, and return the accounts that it reaches on networks that are spoken here."""
    with client(base_url, key, seconds) as opened:
        answer = wire.ask(opened, opened.build_request("GET", "v1/accounts"), refusal)
    if not isinstance(answer, Body):
        return answer
    found = member(answer.value, "accounts")
    if not isinstance(found, list):
        return Refused("network-refused", "The server does not answer as Late does.")
    read = (_account(one) for one in found[:MOST_ACCOUNTS])
    return [one for one in read if one is not None]


def _account(found: object) -> Reachable | None:
    account_id, platform = id_of(found), member(found, "platform")
    network = canonical(platform) if isinstance(platform, str) else ""
    if account_id is None or network not in REACHED:
        return None
    named = (member(found, name) for name in ("username", "displayName"))
    name = next((one for one in named if isinstance(one, str) and one), account_id)
    own = member(found, "platformUserId")
    is_id = isinstance(own, str) and _REMOTE_ID.fullmatch(own) is not None
    dead = member(found, "needsReconnection") is True or member(found, "enabled") is False
    usable = member(found, "isActive") is True and not dead
    return Reachable(account_id, network, wire.line(name, 100), str(own) if is_id else None, usable)


def client(base_url: str, key: str, seconds: float) -> Any:
    """Open a client that acts under a key."""
    headers = {"Authorization": f"Bearer {key}", "Accept": "application/json"}
    return egress.client(base_url.rstrip("/") + "/", seconds=seconds, headers=headers)


def platform(network: str) -> str:
    """Return Late's own name of a network."""
    return "twitter" if network == "x" else network


def id_of(found: object) -> str | None:
    """Return an id of Late's; None where it is none."""
    value = member(found, "_id")
    return value if isinstance(value, str) and ID.fullmatch(value) else None


def key_of(post: object) -> str | None:
    """Return the key that we gave a post; None for a post of somebody else."""
    value = member(member(post, "metadata"), OURS)
    return value if isinstance(value, str) else None


def state_of(post: object, account: str) -> State | None:
    """Say how a post stands on the one account that it is for; None where that cannot be read."""
    post_id, part = id_of(post), _part(post, account)
    if post_id is None or part is None:
        return None
    status, whole = member(part, "status"), member(post, "status")
    if status == "published":
        return _receipt(post_id, post, part)
    if whole == "draft":
        return Draft()
    if "failed" in (status, whole):
        return _failure(part)
    if "cancelled" in (status, whole):
        return Failed("network-refused", "It was taken back at Late. Retry, if it is to go out.")
    return Accepted("Late is still at work.", {"post_id": post_id})


def _part(post: object, account: str) -> Any:
    parts = member(post, "platforms")
    for part in parts if isinstance(parts, list) else []:
        named = member(part, "accountId")
        if account in (named, member(named, "_id")):
            return part
    return None


def _receipt(post_id: str, post: object, part: object) -> Receipt:
    own, url = member(part, "platformPostId"), member(part, "platformPostUrl")
    is_id = isinstance(own, str) and _REMOTE_ID.fullmatch(own) is not None
    moment = wire.moment(member(part, "publishedAt") or member(post, "publishedAt"))
    return Receipt(str(own) if is_id else post_id, wire.web(url), moment, {"late_post": post_id})


def _failure(part: object) -> Failed | Refused:
    said = member(part, "errorMessage")
    words = wire.line(said).rstrip(".") or "no more of it"
    known = _CATEGORIES.get(str(member(part, "errorCategory")))
    if known is None:
        return Refused(UNCLEAR, f"Late says that it failed: {words}. The network may have it nevertheless.")
    return Failed(known[0], f"Late says: {words}. {known[1]}")


def refusal(response: httpx.Response) -> Refused | None:
    """Return the refusal that an answer is, with Late's own words."""
    if response.status_code not in _STATUSES:
        return None
    value = wire.value_of(response)
    code, advice = _CODES.get(str(member(value, "code"))) or _STATUSES[response.status_code]
    said = member(value, "error")
    words = wire.line(said).rstrip(".") or f"HTTP {response.status_code}"
    return Refused(code, f"Late says: {words}. {advice}")


def duplicate_of(response: httpx.Response) -> str | None:
    """Return the post that has the same content already, of a 409."""
    value = wire.value_of(response)
    found = member(member(value, "details"), "existingPostId") or member(value, "existingPostId")
    return found if isinstance(found, str) and ID.fullmatch(found) else None


def uploaded(opened: httpx.Client, upload: Upload, number: int, deadline: float) -> str | Refused | Later:
    """Bring a medium to Late's store, at the address that it signs for it; return where it is then."""
    name = f"{number}.{upload.content_type.rpartition('/')[2].replace('quicktime', 'mov')}"
    asked = {"filename": name, "contentType": upload.content_type, "size": upload.size}
    answer = wire.ask(opened, opened.build_request("POST", "v1/media/presign", json=asked), refusal)
    if not isinstance(answer, Body):
        return answer
    into, public = member(answer.value, "uploadUrl"), member(answer.value, "publicUrl")
    if not (_is_address(into) and _is_address(public)):
        return Later("Late has answered with no address for a medium.")
    refused = _put(str(into), upload, deadline)
    return str(public) if refused is None else refused


def _put(address: str, upload: Upload, deadline: float) -> Refused | Later | None:
    """Put a medium where Late has signed for it: a server of its own, which is not told the key."""
    headers = {"Content-Type": upload.content_type, "Content-Length": str(upload.size)}
    with egress.client("", seconds=max(1.0, deadline - time.monotonic())) as store, upload.opened() as content:
        try:
            response = egress.send(store, store.build_request("PUT", address, content=content, headers=headers))
        except egress.HostRefused as error:
            return wire.not_called(error)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Later(f"Late's store did not answer ({type(error).__name__}).")
    return None if response.status_code < 300 else Later(f"Late's store answered {response.status_code}.")


def _is_address(value: object) -> bool:
    if not (isinstance(value, str) and len(value) <= 4_000 and value.isascii() and value.isprintable()):
        return False
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in ("https", "http") and bool(parts.hostname) and not parts.username
