"""The issuer's signing keys: fetched with limits, cached, and kept in use while the issuer is down."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import jwt

from socialflow.identity.model import ALGORITHM, IssuerUnreachable, TokenInvalid
from socialflow.platform.observability import logger

FRESH = 600.0
"""Seconds for which fetched keys are used without asking again."""
PAUSE = 30.0
"""Seconds between two fetches that an unknown key or a failure asks for: a stranger's tokens cannot make us a flood."""
STALE = 86_400.0
"""Seconds for which kept keys are believed while the issuer does not answer."""

_TIMEOUT = httpx.Timeout(3.0)
_DEADLINE = 5.0
_MOST_BYTES = 128 * 1024

Fetch = Callable[[], Mapping[str, Any]]


class KeysUnusable(ValueError):
    """What the issuer answered is not a document of keys."""


class SigningKeys:
    """The issuer's RSA keys by `kid`, shared by all requests of the sandbox."""

    def __init__(self, fetch: Fetch, clock: Callable[[], float] = time.monotonic) -> None:
        """Get the document by `fetch`; `clock` counts seconds."""
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._fetched: float | None = None
        self._tried: float | None = None
        self._failed = False

    def find(self, kid: str) -> jwt.PyJWK:
        """Return a key; raises `TokenInvalid` for an unknown one, `IssuerUnreachable` where there are none at all."""
        key = self._keys.get(kid)
        if key is None or not self._younger(self._fetched, FRESH):
            with self._lock:  # whoever waited here finds what the first one fetched
                self._refresh(kid)
                key = self._keys.get(kid)
            if key is None and self._failed:  # its issuer may well publish it by now: we could not ask
                raise IssuerUnreachable(
                    "The issuer's keys cannot be had. Nothing was changed; try again.", retry_after=5
                )
        if key is None:
            raise TokenInvalid("The token is signed with a key that its issuer does not publish. Sign in again.")
        return key

    def _refresh(self, kid: str) -> None:
        known = kid in self._keys
        if (known and self._younger(self._fetched, FRESH)) or self._younger(self._tried, PAUSE):
            self._require_keys()
            return
        self._tried = self._clock()
        try:
            self._keys = _usable(self._fetch())
            self._fetched = self._tried
            self._failed = False
        except (httpx.HTTPError, ValueError):
            self._failed = True
            logger.warning("The issuer's keys could not be fetched", exc_info=True)
        self._require_keys()

    def _require_keys(self) -> None:
        if not self._younger(self._fetched, STALE):
            raise IssuerUnreachable("The issuer's keys cannot be had. Nothing was changed; try again.", retry_after=5)

    def _younger(self, since: float | None, seconds: float) -> bool:
        return since is not None and self._clock() - since < seconds


def fetch(url: str) -> Mapping[str, Any]:
    """Return the document at the issuer's JWKS address; raises `httpx.HTTPError`, or `ValueError` for anything else."""
    began = time.monotonic()
    raw = bytearray()
    # No proxy or .netrc of the environment, no redirect: the address is the one that the deploy named.
    with (
        httpx.Client(timeout=_TIMEOUT, trust_env=False, follow_redirects=False) as client,
        client.stream("GET", url, headers={"Accept": "application/json"}) as response,
    ):
        if response.status_code != 200:
            raise KeysUnusable(f"The issuer's keys were answered with {response.status_code}")
        for chunk in response.iter_bytes():
            raw += chunk
            if len(raw) > _MOST_BYTES or time.monotonic() - began > _DEADLINE:
                raise KeysUnusable("The issuer's keys are too large or too slow")
    document = json.loads(raw)
    if not isinstance(document, dict):
        raise KeysUnusable("The issuer's keys are not a JSON object")
    return document


def _usable(document: Mapping[str, Any]) -> Mapping[str, jwt.PyJWK]:
    found = document.get("keys")
    if not isinstance(found, list):
        raise KeysUnusable("The issuer's document has no keys")
    keys = dict(pair for pair in map(_key, found) if pair)
    if not keys:  # an issuer in the middle of something: what is kept is better than nothing
        raise KeysUnusable("The issuer's document has no key that could have signed a token")
    return keys


def _key(jwk: object) -> tuple[str, jwt.PyJWK] | None:
    """Keep a public RSA key for signatures; of anything else the token could not be signed with RS256."""
    if not isinstance(jwk, dict) or jwk.get("kty") != "RSA" or jwk.get("use", "sig") != "sig":
        return None
    kid = jwk.get("kid")
    if not isinstance(kid, str) or not kid or jwk.get("alg", ALGORITHM) != ALGORITHM:
        return None
    try:
        return kid, jwt.PyJWK({name: jwk[name] for name in ("kty", "n", "e")}, algorithm=ALGORITHM)
    except (jwt.PyJWTError, KeyError, ValueError, TypeError):
        logger.warning("A key of the issuer cannot be read", kid=kid)
        return None
