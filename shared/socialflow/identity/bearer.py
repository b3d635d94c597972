"""Credentials of ours: an API key reads `sf_<prefix>_<secret>`, one of our support's `sfs_<prefix>_<secret>`.

The prefix is public and finds the row; of the secret only the SHA-256 is kept. That is enough, and a slow hash would be
none the safer: the secret is 256 random bits, which nobody guesses.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass
from hmac import compare_digest
from typing import Literal, cast

Mark = Literal["sf", "sfs"]

_IS_OURS = re.compile(r"(?i:Bearer) +(sfs?)_")
_OURS = re.compile(r"(?i:Bearer) +sfs?_([0-9a-f]{16})_([0-9a-f]{64})")
_NOBODYS = bytes(32)


@dataclass(frozen=True)
class Minted:
    """A new credential: what is handed out once, and what is kept."""

    prefix: str
    secret: str
    mark: Mark = "sf"

    @property
    def text(self) -> str:
        """The credential as its holder sends it."""
        return f"{self.mark}_{self.prefix}_{self.secret}"

    @property
    def sha256(self) -> bytes:
        """What is kept of the secret."""
        return _digest(self.secret)


@dataclass(frozen=True)
class Presented:
    """A credential that came with a request; one that cannot be any has an empty prefix, which no row has."""

    prefix: str
    sha256: bytes
    mark: Mark = "sf"

    def proves(self, kept: bytes | None) -> bool:
        """Tell whether it is the one of a row; it takes as long where there is none."""
        same = compare_digest(self.sha256, kept or _NOBODYS)
        return same and kept is not None


def mint(mark: Mark = "sf") -> Minted:
    """Return a new credential: a public prefix of 64 bits and a secret of 256."""
    return Minted(secrets.token_hex(8), secrets.token_hex(32), mark)


def presented(authorization: str) -> Presented | None:
    """Return the credential of an `Authorization` header; None where that means to be something else, as a JWT does."""
    ours = _IS_OURS.match(authorization)
    if ours is None:
        return None
    mark, found = cast("Mark", ours[1]), _OURS.fullmatch(authorization)
    return Presented(found[1], _digest(found[2]), mark) if found else Presented("", _digest(""), mark)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
