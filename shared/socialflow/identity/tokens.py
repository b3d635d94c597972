"""Tokens: what a bearer JWT must be before we believe who it names."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import jwt

from socialflow.identity.model import (
    ALGORITHM,
    LONGEST_TEXT,
    Claims,
    SessionPending,
    TokenExpired,
    TokenInvalid,
    TokenMissing,
    plain,
)

LEEWAY = 10
"""Seconds by which clocks may differ."""

_MOST_CHARACTERS = 8192
_BEARER = re.compile(r"Bearer +([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)", re.IGNORECASE)


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
        """Return whom an `Authorization` header names.

        Raises `TokenMissing`, `TokenExpired`, `TokenInvalid`, or `SessionPending` for a sign-in that lacks a step.
        """
        if not authorization:
            raise TokenMissing("Send the header Authorization: Bearer <token>.")
        bearer = _BEARER.fullmatch(authorization)
        if bearer is None or len(authorization) > _MOST_CHARACTERS:
            raise TokenInvalid("Send the header Authorization: Bearer <token>, with a signed JWT.")
        payload = self._decode(bearer[1])
        self._check_party(payload)
        if payload.get("sts") == "pending":
            raise SessionPending(
                "Finish what the sign-in still asks for (to choose an organization, to set up a second factor), "
                "and use the token that you get then."
            )
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
    if not 1 <= len(subject) <= LONGEST_TEXT or not subject.isprintable():
        raise TokenInvalid("The token's subject cannot be used.")
    # An address that the issuer itself has not verified is anybody's.
    email = "" if payload.get("email_verified") is False else plain(payload.get("email"))
    return Claims(issuer, subject, email, plain(payload.get("name")), _at(payload), _organization(payload))


def _at(payload: Mapping[str, Any]) -> datetime | None:
    """Return when the token was issued; PyJWT has refused what is no number and what is yet to come."""
    return datetime.fromtimestamp(max(0, int(payload["iat"])), UTC) if "iat" in payload else None


def _organization(payload: Mapping[str, Any]) -> str:
    """Return the organization that a Clerk session is working in: of version 2 in `o`, of version 1 in `org_id`."""
    nested = payload.get("o")
    if payload.get("v") == 2:
        return plain(nested.get("id")) if isinstance(nested, dict) else ""
    return plain(payload.get("org_id"))
