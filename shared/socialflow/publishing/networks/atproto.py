"""The AT Protocol as far as publishing goes: sessions, what a server's answers mean, keys of records, blobs.

Facts: https://atproto.com/specs and the lexicons com.atproto.server and com.atproto.repo.
"""

import base64
import binascii
import hashlib
import json
import re
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

import httpx

from socialflow.publishing.networks import wire
from socialflow.publishing.networks.port import Refused, Upload

DID = re.compile(r"did:[a-z]+:[A-Za-z0-9._:%-]{1,240}")
USED_UP = 0.75
"""A session is renewed when so much of its life is over."""
USUAL_LIFE = 600.0
"""Seconds that a token is trusted for that does not tell how long it lives."""
_MICROSECONDS = 1 << 53
_ALPHABET = "234567abcdefghijklmnopqrstuvwxyz"

_SESSION_OVER = "The session is over. Connect the account again with an app password, then retry."
_UNAVAILABLE = "Bluesky has taken the account down, or its owner has deactivated it. Settle it there, then retry."
# By name where a server names its errors; each is answered before anything is made.
_NAMED = {
    "ExpiredToken": ("invalid-credentials", _SESSION_OVER),
    "InvalidToken": ("invalid-credentials", _SESSION_OVER),
    "AuthMissing": ("invalid-credentials", _SESSION_OVER),
    "MissingJwt": ("invalid-credentials", _SESSION_OVER),
    "BadJwtAudience": ("invalid-credentials", _SESSION_OVER),
    "AccountTakedown": ("account-unavailable", _UNAVAILABLE),
    "AccountSuspended": ("account-unavailable", _UNAVAILABLE),
    "AccountDeactivated": ("account-unavailable", _UNAVAILABLE),
    "AccountNotFound": ("account-unavailable", "The account is not at this server any more. Connect it where it is."),
    "BlobNotFound": ("media-expired", "The server has thrown the pictures away meanwhile. Retry: they are sent again."),
}
_REFUSALS = {
    400: "content-refused",
    401: "invalid-credentials",
    403: "invalid-credentials",
    404: "network-refused",
    405: "network-refused",
    411: "network-refused",
    413: "content-refused",
    414: "network-refused",
    415: "content-refused",
    422: "content-refused",
    431: "network-refused",
    451: "content-refused",
    501: "network-refused",
}
# The server says that another address would take it: this one has not.
_MOVED = (301, 307, 308)


@dataclass(frozen=True)
class Session:
    """What an account's token is there: two tokens of the server, and when by our clock the first is to be renewed."""

    did: str
    access: str
    refresh: str
    renew_at: float

    def document(self) -> str:
        """Return it as the one token that is sealed."""
        return json.dumps(asdict(self))

    @classmethod
    def of(cls, token: str) -> Self:
        """Read what `document` gave."""
        return cls(**json.loads(token))

    def spent(self, at: datetime) -> bool:
        """Tell whether it has to be renewed before it is used."""
        return at.timestamp() >= self.renew_at


def session(answer: object, at: datetime) -> Session | None:
    """Return the session that a server has answered; None where the answer is none."""
    did, access, refresh = (wire.member(answer, name) for name in ("did", "accessJwt", "refreshJwt"))
    if not (isinstance(did, str) and DID.fullmatch(did) and isinstance(access, str) and isinstance(refresh, str)):
        return None
    if not (access.isascii() and refresh.isascii() and access and refresh):
        return None
    return Session(did, access, refresh, at.timestamp() + _life(access) * USED_UP)


def _life(token: str) -> float:
    """Return the seconds that a token lives: by its own two moments, whatever the server's clock says it is."""
    try:
        body = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        life = float(claims["exp"]) - float(claims["iat"])
    except (IndexError, KeyError, TypeError, ValueError, OverflowError, RecursionError, binascii.Error):
        return USUAL_LIFE
    return life if 0 < life < 31_536_000 else USUAL_LIFE


def error(response: httpx.Response) -> str:
    """Return the name of an answer's error; empty where it names none."""
    name = wire.member(wire.value_of(response), "error")
    return name if isinstance(name, str) else ""


def refusal(response: httpx.Response) -> Refused | None:
    """Return why a server does not take something, where it says so clearly and before anything is made."""
    if response.status_code in _MOVED:
        return Refused("network-refused", "The server has moved to another address: connect the account there.")
    if response.status_code not in _REFUSALS:
        return None
    known = _NAMED.get(error(response))
    if known is not None:
        return Refused(*known)
    said = wire.member(wire.value_of(response), "message")
    words = wire.line(said).rstrip(".") or f"HTTP {response.status_code}"
    return Refused(_REFUSALS[response.status_code], f"The server says: {words}.")


def record_key(key: str) -> str:
    """Return the key of the record that an attempt makes: the same for the same target and content, a valid TID.

    Its time is the target's, to the millisecond; the twenty bits below are the key's own. Should two ever meet, the
    server refuses the second (`swapRecord`), and nothing is overwritten.
    """
    digest = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")
    microseconds = ((UUID(key[:36]).int >> 80) * 1000 + digest % 1000) % _MICROSECONDS
    number = microseconds << 10 | (digest >> 16) & 0x3FF
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(60, -1, -5))


def cid(upload: Upload) -> str:
    """Return the CID of a blob: version 1, raw, SHA-256."""
    digest = hashlib.sha256()
    for piece in upload.pieces(1024 * 1024):
        digest.update(piece)
    multihash = b"\x01\x55\x12\x20" + digest.digest()
    return "b" + base64.b32encode(multihash).decode().rstrip("=").lower()


def blob(answer: object, upload: Upload) -> dict[str, Any] | None:
    """Return the reference to an uploaded blob; None where the server did not get it whole."""
    told, name = wire.member(answer, "blob"), cid(upload)
    if wire.member(wire.member(told, "ref"), "$link") != name:
        return None
    kept, kind = wire.member(told, "mimeType"), upload.content_type.partition("/")[0]
    return {
        "$type": "blob",
        "ref": {"$link": name},
        "mimeType": kept if isinstance(kept, str) and kept.startswith(f"{kind}/") else upload.content_type,
        "size": upload.size,
    }
