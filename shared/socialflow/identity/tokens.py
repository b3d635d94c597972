"""Tokens: what a bearer JWT must be before we believe who it names."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import jwt

from socialflow.identity.model import ALGORITHM, Claims, TokenExpired, TokenInvalid, TokenMissing

LEEWAY = 10
"""Seconds by which clocks may differ."""

_MOST_CHARACTERS = 8192
_BEARER = re.compile(r"Bearer +([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)", re.IGNORECASE)
_MOST_SUBJECT = 255


class Keys(Protocol):
    """Where keys are found by their id."""

    def find(self, kid: str) -> jwt.PyJWK:
        """Return a key; raises `TokenInvalid`."""


@dataclass(frozen=True)
class Verifier:
    """Believes RS256 tokens of one issuer, within their time, made for us."""

    keys: Keys
    issuer: str
    audience: str = ""
    parties: Collection[str] = ()

    def verify(self, authorization: str) -> Claims:
        """Return whom an `Authorization` header names; raises `TokenMissing`, `TokenExpired` or `TokenInvalid`."""
        if not authorization:
            raise TokenMissing("Send the header Authorization: Bearer <token>.")
        bearer = _BEARER.fullmatch(authorization)
        if bearer is None or len(authorization) > _MOST_CHARACTERS:
            raise TokenInvalid("Send the header Authorization: Bearer <token>, with a signed JWT.")
        payload = self._decode(bearer[1])
        self._check_party(payload)
        if payload.get("sts") == "pending":
            raise TokenInvalid("The sign-in is not finished. Complete it with your issuer.")
        return _claims(self.issuer, payload)

    def _decode(self, token: str) -> Mapping[str, Any]:
        try:
            # `jwk`, `jku`, `x5u` and `x5c` of the header are never looked at: the key is the issuer's own, by its id.
            kid = jwt.get_unverified_header(token).get("kid")
            if not isinstance(kid, str):
                raise TokenInvalid("A token names the key that it is signed with.")
            return jwt.decode(
                token,
                self.keys.find(kid),  # bound to the algorithm too: the token's own word decides nothing
                algorithms=[ALGORITHM],
                issuer=self.issuer,
                audience=self.audience or None,
                leeway=LEEWAY,
                options={
                    "require": ["exp", "iss", "sub"],
                    "verify_aud": bool(self.audience),
                    "enforce_minimum_key_length": True,
                },
            )
        except jwt.ExpiredSignatureError:
            raise TokenExpired("Sign in again, or refresh your token.") from None
        except (jwt.PyJWTError, OverflowError, ValueError) as error:  # the last two: a time that is no number we know
            raise TokenInvalid("Sign in again: the token is not one that this API believes.") from error

    def _check_party(self, payload: Mapping[str, Any]) -> None:
        if self.parties and payload.get("azp") not in self.parties:
            raise TokenInvalid("The token was given to another application. Sign in with this one.")


def _claims(issuer: str, payload: Mapping[str, Any]) -> Claims:
    subject = payload["sub"]
    if not 1 <= len(subject) <= _MOST_SUBJECT or "\x00" in subject:
        raise TokenInvalid("The token's subject cannot be used.")
    return Claims(issuer, subject, _text(payload.get("email")), _text(payload.get("name")))


def _text(claim: object) -> str:
    return claim.replace("\x00", "").strip()[:_MOST_SUBJECT] if isinstance(claim, str) else ""
