"""A small OIDC issuer on loopback: it signs whoever of the demo accounts asks in, without a password.

It stands in for Clerk (or any other issuer): the API sees only its discovery document, its keys and its tokens.
"""

import base64
import hashlib
import json
import os
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from infra_cdk.local.accounts import Person, UnknownPerson, person
from infra_cdk.local.process import LocalError

LIFETIME_S = 3_600
AUTHORIZED_PARTY = "socialflow-local"


@dataclass(frozen=True)
class Issuer:
    """Its address, which is the `iss` of its tokens, and its key."""

    url: str
    key: rsa.RSAPrivateKey

    @property
    def jwk(self) -> dict[str, Any]:
        """The public key as the API fetches it; its `kid` is the key's thumbprint (RFC 7638)."""
        public = jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        members = {name: public[name] for name in ("e", "kty", "n")}
        digest = hashlib.sha256(json.dumps(members, separators=(",", ":"), sort_keys=True).encode()).digest()
        return members | {"alg": "RS256", "use": "sig", "kid": base64.urlsafe_b64encode(digest).rstrip(b"=").decode()}

    def token(self, who: Person, *, lifetime: int = LIFETIME_S) -> str:
        """A signed JWT for that person, valid for `lifetime` seconds; a negative one makes an expired token."""
        now = int(time.time())
        claims = {
            "iss": self.url,
            "sub": who.subject,
            "azp": AUTHORIZED_PARTY,
            "iat": now + min(lifetime, 0),
            "nbf": now + min(lifetime, 0),
            "exp": now + lifetime,
            "sid": f"sess_{uuid.uuid4().hex}",
            "email": who.email,
            "name": who.name,
        }
        return jwt.encode(claims, self.key, algorithm="RS256", headers={"kid": self.jwk["kid"]})


def load_key(path: Path) -> rsa.RSAPrivateKey:
    """The key kept in `path` (mode 0600), made on the first call, so that tokens stay valid across restarts."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
        pem = fresh.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        scratch = path.with_suffix(".new")
        with open(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:  # noqa: PTH123 — a Path cannot open with a mode
            file.write(pem)
        scratch.replace(path)
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except ValueError:
        key = None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise LocalError(f"{path} does not hold an RSA key: remove it and start again")
    return key


def build(issuer: Issuer) -> Starlette:
    """The issuer's HTTP side."""

    def discovery(_request: Request) -> JSONResponse:
        return JSONResponse(
            {
                "issuer": issuer.url,
                "jwks_uri": f"{issuer.url}/.well-known/jwks.json",
                "token_endpoint": f"{issuer.url}/token",
                "grant_types_supported": ["password"],
                "response_types_supported": ["token"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
            }
        )

    def keys(_request: Request) -> JSONResponse:
        return JSONResponse({"keys": [issuer.jwk]}, headers={"Cache-Control": "public, max-age=300"})

    async def token(request: Request) -> JSONResponse:
        form = await request.form()
        try:
            who = person(str(form.get("username", "")))
        except UnknownPerson as error:
            return JSONResponse({"error": "invalid_grant", "error_description": str(error)}, status_code=400)
        return JSONResponse(
            {"access_token": issuer.token(who), "token_type": "Bearer", "expires_in": LIFETIME_S},
            headers={"Cache-Control": "no-store"},
        )

    return Starlette(
        routes=[
            Route("/.well-known/openid-configuration", discovery),
            Route("/.well-known/jwks.json", keys),
            Route("/token", token, methods=["POST"]),
        ]
    )
