"""The local issuer, judged as the API judges it."""

import asyncio
import stat
import time
from pathlib import Path

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from infra_cdk.local.accounts import person
from infra_cdk.local.issuer import LIFETIME_S, Issuer, build, load_key
from infra_cdk.local.process import LocalError

URL = "http://127.0.0.1:1"


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return Issuer(URL, rsa.generate_private_key(public_exponent=65_537, key_size=2_048))


def test_a_token_says_who_and_for_how_long(issuer: Issuer) -> None:
    token = issuer.token(person("editor@acme.test"))

    header = jwt.get_unverified_header(token)
    claims = jwt.decode(token, jwt.PyJWK(issuer.jwk), algorithms=["RS256"], issuer=URL)
    assert (header["alg"], header["kid"]) == ("RS256", issuer.jwk["kid"])
    assert set(claims) == {"iss", "sub", "azp", "iat", "nbf", "exp", "sid", "email", "name"}
    assert (claims["sub"], claims["email"]) == (person("editor@acme.test").subject, "editor@acme.test")
    assert claims["exp"] - claims["iat"] == LIFETIME_S


def test_a_negative_lifetime_makes_an_expired_token(issuer: Issuer) -> None:
    claims = jwt.decode(issuer.token(person("owner@acme.test"), lifetime=-60), options={"verify_signature": False})

    assert claims["iat"] <= claims["exp"] < time.time()


def test_two_tokens_are_two_sessions(issuer: Issuer) -> None:
    sessions = {
        jwt.decode(issuer.token(person("owner@acme.test")), options={"verify_signature": False})["sid"]
        for _ in range(2)
    }
    assert len(sessions) == 2


def _ask(issuer: Issuer, method: str, url: str, **options: object) -> httpx.Response:
    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(build(issuer))) as http:
            return await http.request(method, url, **options)  # type: ignore[arg-type] # the client's own options

    return asyncio.run(ask())


def test_discovery_leads_to_the_key_that_signs(issuer: Issuer) -> None:
    found = _ask(issuer, "GET", f"{URL}/.well-known/openid-configuration").json()
    keys = _ask(issuer, "GET", found["jwks_uri"]).json()["keys"]
    answer = _ask(issuer, "POST", found["token_endpoint"], data={"username": "viewer@acme.test"}).json()

    assert found["issuer"] == URL
    assert "d" not in keys[0]  # the private half
    claims = jwt.decode(answer["access_token"], jwt.PyJWK(keys[0]), algorithms=["RS256"])
    assert claims["email"] == "viewer@acme.test"


def test_a_stranger_gets_no_token(issuer: Issuer) -> None:
    answer = _ask(issuer, "POST", f"{URL}/token", data={"username": "stranger@acme.test"})

    assert answer.status_code == 400
    assert "who exists" in answer.json()["error_description"]


def test_the_key_is_kept_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "issuer.pem"

    first, second = load_key(path), load_key(path)

    assert first.private_numbers() == second.private_numbers()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_torn_key_is_told_in_words(tmp_path: Path) -> None:
    path = tmp_path / "issuer.pem"
    path.write_text("-----BEGIN PRIV")

    with pytest.raises(LocalError, match="remove it and start again"):
        load_key(path)
