"""Standard Webhooks, as Svix signs for Clerk: an HMAC over id, time and the very bytes of the body."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass

WINDOW = 300
"""Seconds by which a message may be old or early. A repeat is signed anew, under the same id."""

_ID = re.compile(r"[\x21-\x2d\x2f-\x7e]{1,255}")  # without the dot, which parts what is signed
_TIME = re.compile(r"[0-9]{1,12}")
_SECRET = re.compile(r"whsec_([A-Za-z0-9+/]+)={0,2}")
_SHORTEST_KEY = 24
_MOST_SIGNATURES = 16


@dataclass(frozen=True)
class Sealed:
    """The headers of a message; `signatures` is a list, as a rotation has two keys sign."""

    id: str
    time: str
    signatures: str


def keys(text: str) -> tuple[bytes, ...]:
    """Return the signing keys of a secret: one, or several during a rotation, parted by blanks or commas.

    What is no key (the value that a deployment begins with) is left out: with none, nothing is believed.
    """
    found = (_key(part) for part in re.split(r"[\s,]+", text))
    return tuple(key for key in found if len(key) >= _SHORTEST_KEY)


def signed(keys: Sequence[bytes], raw: bytes, sealed: Sealed, *, now: float) -> bool:
    """Tell whether one of the signatures is one of the keys', over this message, within the window."""
    if not _ID.fullmatch(sealed.id) or not _TIME.fullmatch(sealed.time) or abs(now - int(sealed.time)) > WINDOW:
        return False
    content = f"{sealed.id}.{sealed.time}.".encode() + raw
    ours = [b"v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256)) for key in keys]
    given = sealed.signatures.split(" ", _MOST_SIGNATURES)[:_MOST_SIGNATURES]
    theirs = [each.encode("utf-8", "replace") for each in given]
    return any(hmac.compare_digest(mine, its) for mine in ours for its in theirs)


def _key(text: str) -> bytes:
    secret = _SECRET.fullmatch(text)
    try:
        return base64.b64decode(secret[1] + "=" * (-len(secret[1]) % 4), validate=True) if secret else b""
    except binascii.Error:
        return b""
