"""Where people sign in at every network: authorization codes with their checks, and whose tokens they become.

Each network's own addresses and names of fields; a code is taken once, and only from whom it was given for.
"""

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx

from tests.peers.serving import Asked, Route, Told, routed, serving
from tests.wire import Wire, wired

_IDS = count(5_000_001)


@dataclass
class Entrance:
    """The server's memory, and the wire before it."""

    wire: Wire
    url: str
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    """What each code was given for, until it is taken."""
    person: str = "4711"
    """Who signs in."""
    pages: tuple[str, ...] = ("Acme", "Acme Shop")
    tokens: set[str] = field(default_factory=set)

    @property
    def host(self) -> str:
        """host:port of the wire."""
        return self.url.removeprefix("http://")

    def consent(self, authorize_url: str) -> dict[str, str]:
        """Do what a person does in the browser who says yes; return what comes back to the application's page."""
        asked = dict(parse_qsl(urlsplit(authorize_url).query))
        assert asked["response_type"] == "code"
        assert asked["scope"]
        code = f"code-{next(_IDS)}"
        self.codes[code] = asked
        return {"code": code, "state": asked["state"]}

    def answer(self, asked: Asked) -> Told:
        """Act on a request."""
        routes: list[Route] = [
            (
                "POST",
                "/2/oauth2/token|/oauth/v2/accessToken|/v2/oauth/token/|/oauth/token|/oauth/access_token",
                self._take,
            ),
            ("POST", "/v[0-9.]+/oauth/access_token", self._take),
            ("GET", "/(?:v[0-9.]+/oauth/)?access_token", self._longer),
            ("POST", "/api/v1/apps", _register),
            ("GET", "/v[0-9.]+/me/accounts", self._pages),
            ("GET", "/rest/organizationAcls", lambda _: Told(200, {"elements": [{"organization": _ORGANISATION}]})),
            ("GET", "/rest/organizations/5", lambda _: Told(200, {"localizedName": "Acme Ltd"})),
            ("GET", ".*", self._who),
        ]
        return routed(routes, asked) or Told(404, {"error": "not_found"})

    def _take(self, asked: Asked) -> Told:
        form = asked.form
        given = self.codes.pop(form.get("code", ""), None)
        if given is None:
            return Told(400, {"error": "invalid_grant", "error_description": "The code is not known, or was taken."})
        client = form.get("client_id") or form.get("client_key") or ""
        basic = asked.headers.get("authorization", "")
        secret = form.get("client_secret") or base64.b64decode(basic.removeprefix("Basic ")).decode().partition(":")[2]
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        wanted = given.get("client_id") or given.get("client_key")
        ok = (
            form.get("grant_type") == "authorization_code"
            and client == wanted
            and secret == client.replace("app-", "secret-")
            and form.get("redirect_uri") == given["redirect_uri"]
            and given.get("code_challenge", challenge.rstrip(b"=").decode()) == challenge.rstrip(b"=").decode()
        )
        return Told(200, self._granted()) if ok else Told(400, {"error": "invalid_request"})

    def _longer(self, asked: Asked) -> Told:
        old = asked.query.get("access_token") or asked.query.get("fb_exchange_token") or ""
        if old not in self.tokens or "exchange_token" not in asked.query["grant_type"]:
            return Told(400, {"error": {"message": "Bad token", "code": 190}})
        return Told(200, self._granted(5_183_944))

    def _granted(self, life: int = 7_200) -> dict[str, Any]:
        token = f"token-{next(_IDS)}"
        self.tokens.add(token)
        granted: dict[str, Any] = {
            "access_token": token,
            "refresh_token": f"refresh-{token}",
            "expires_in": life,
            "scope": "all",
        }
        granted |= {"refresh_token_expires_in": 31_536_000}
        return {**granted, "token_type": "bearer", "open_id": self.person, "user_id": self.person}

    def _pages(self, asked: Asked) -> Told:
        if asked.token not in self.tokens:
            return Told(401, {"error": {"message": "Bad token", "code": 190}})
        pages = [{"id": str(number), "name": name, **self._granted()} for number, name in enumerate(self.pages, 100)]
        return Told(200, {"data": pages})

    def _who(self, asked: Asked) -> Told:
        """Say whose token it is, as each of the networks does."""
        if asked.token not in self.tokens:
            return Told(401, {"error": {"message": "Bad token", "code": 190}})
        who, name = self.person, "Acme"
        if asked.path == "/v25.0/me" and "name" in asked.query.get("fields", ""):  # a Page's token is the Page
            who = f"{self.person}{asked.token[-6:]}" if "user_id" not in asked.query["fields"] else who
        flat = {
            "id": who,
            "user_id": who,
            "username": "acme",
            "name": name,
            "sub": who,
            "acct": "acme",
            "url": self.url,
        }
        user = {"id": who, "username": "acme", "open_id": who, "display_name": name}
        more = {"data": {**user, "user": user}, "error": {"code": "ok", "message": ""}}
        return Told(200, flat if asked.path.startswith(("/v25.0", "/v1.0", "/v2/userinfo", "/api")) else flat | more)


_ORGANISATION = "urn:li:organization:5"


def _register(asked: Asked) -> Told:
    number = next(_IDS)
    body = asked.body
    assert body["redirect_uris"]
    return Told(
        200, {"id": "1", "client_id": f"app-{number}", "client_secret": f"secret-{number}", "name": "SocialFlow"}
    )


@contextmanager
def running() -> Iterator[Entrance]:
    """Start the stand-in and its wire; stop both at the end."""
    box: list[Entrance] = []

    def answer(asked: Asked) -> Told:
        return box[0].answer(asked)

    with (
        serving(answer) as address,
        httpx.Client(base_url=address, timeout=40) as client,
        wired(client) as (wire, url),
    ):
        box.append(Entrance(wire, url))
        yield box[0]
