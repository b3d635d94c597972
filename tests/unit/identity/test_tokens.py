"""Which tokens are believed. Each refusal is a token that differs from a good one in one thing."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.warnings import InsecureKeyLengthWarning

from socialflow.errors import Unauthenticated
from socialflow.identity.model import Claims, SessionPending, TokenExpired, TokenInvalid, TokenMissing
from socialflow.identity.tokens import LEEWAY, Verifier
from tests.api import Issuer, SigningKey

KEY = SigningKey()
ISSUER = Issuer("https://issuer.test", KEY)
NOW = int(time.time())
FUTURE = NOW + 3_600


class Published:
    """The issuer's keys, by id."""

    def __init__(self, *keys: SigningKey) -> None:
        self.keys = {key.kid: jwt.PyJWK(key.jwk(), algorithm="RS256") for key in keys}

    def find(self, kid: str) -> jwt.PyJWK:
        try:
            return self.keys[kid]
        except KeyError:
            raise TokenInvalid("unknown key") from None


def verifier(**settings: Any) -> Verifier:
    return Verifier(Published(KEY), ISSUER.name, **settings)


def bearer(token: str) -> str:
    return f"Bearer {token}"


def signed(header: Mapping[str, Any], payload: Mapping[str, Any], secret: bytes | None = None) -> str:
    """Put a token together by hand, as an attacker would."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, payload)]
    signature = hmac.new(secret, b".".join(parts), hashlib.sha256).digest() if secret else b"none"
    return b".".join((*parts, base64.urlsafe_b64encode(signature).rstrip(b"="))).decode()


def test_a_good_token_names_its_subject() -> None:
    token = ISSUER.token("someone", email="a@b.test", name="A", iat=NOW)
    at = datetime.fromtimestamp(NOW, UTC)
    assert verifier().verify(bearer(token)) == Claims(ISSUER.name, "someone", "a@b.test", "A", at)


def test_the_scheme_may_be_written_in_any_case() -> None:
    assert verifier().verify("bearer  " + ISSUER.token("someone")).subject == "someone"


def test_no_header_is_a_missing_token() -> None:
    with pytest.raises(TokenMissing):
        verifier().verify("")


@pytest.mark.parametrize(
    "header",
    ["Bearer", "Bearer ", "Bearer x", "Bearer a.b", "Bearer a.b.c.d", "Basic dTpw", "Bearer é.b.c", "Bearer \ud800.b.c",
     "Bearer a.b.c\n", "Bearer a.b.c d", "Bearer " + "a" * 9_000 + ".b.c", "Bearer a.b.c", "Bearer e30.e30.e30"],
)  # fmt: skip
def test_what_is_no_token_is_refused(header: str) -> None:
    with pytest.raises(TokenInvalid):
        verifier().verify(header)


@pytest.mark.parametrize(
    "claims",
    [{"iss": "https://evil.test"}, {"iss": None}, {"iss": ISSUER.name + "/"}, {"iss": [ISSUER.name]},
     {"exp": None}, {"exp": "soon"}, {"exp": float("inf")}, {"nbf": FUTURE}, {"iat": FUTURE},
     {"sub": None}, {"sub": ""}, {"sub": 7}, {"sub": "x" * 256}, {"sub": "a\x00b"}, {"sub": "a\ud800"}],
)  # fmt: skip
def test_a_claim_that_is_wrong_refuses_the_token(claims: dict[str, Any]) -> None:
    given = {"iat": NOW, **claims}
    payload = {"iss": ISSUER.name, "sub": "someone", "exp": FUTURE, **given}
    token = jwt.api_jws.encode(
        json.dumps({name: value for name, value in payload.items() if value is not None}).encode(),
        KEY.private,
        algorithm="RS256",
        headers={"kid": KEY.kid},
    )
    with pytest.raises(TokenInvalid):
        verifier().verify(bearer(token))


def test_an_expired_token_is_told_apart() -> None:
    with pytest.raises(TokenExpired):
        verifier().verify(bearer(ISSUER.token("someone", exp=NOW - LEEWAY - 1)))


def test_clocks_may_differ_a_little() -> None:
    now = int(time.time())
    token = ISSUER.token("someone", exp=now - LEEWAY + 5, nbf=now + LEEWAY - 5)
    assert verifier().verify(bearer(token)).subject == "someone"


def test_a_payload_that_was_changed_is_refused() -> None:
    head, _, signature = ISSUER.token("someone").split(".")
    other = ISSUER.token("somebody-else").split(".")[1]
    with pytest.raises(TokenInvalid):
        verifier().verify(bearer(f"{head}.{other}.{signature}"))


def test_another_key_under_the_same_id_is_refused() -> None:
    with pytest.raises(TokenInvalid):
        verifier().verify(bearer(Issuer(ISSUER.name, SigningKey(KEY.kid)).token("someone")))


def test_a_short_key_is_refused_even_when_the_issuer_publishes_it() -> None:
    weak = SigningKey("weak", rsa.generate_private_key(65537, 1024))  # noqa: S505 # that it is weak is the test
    with pytest.warns(InsecureKeyLengthWarning):
        token = Issuer(ISSUER.name, weak).token("someone")
    with pytest.raises(TokenInvalid):
        Verifier(Published(weak), ISSUER.name).verify(bearer(token))


@pytest.mark.parametrize("header", [{"alg": "none"}, {"alg": "None"}, {"alg": "HS256"}, {"alg": "RS512"}, {}])
def test_another_algorithm_is_refused(header: dict[str, str]) -> None:
    payload = {"iss": ISSUER.name, "sub": "someone", "exp": FUTURE}
    public = json.dumps(KEY.jwk()).encode()  # the confusion: a public key taken as a shared secret
    with pytest.raises(TokenInvalid):
        verifier().verify(bearer(signed({"typ": "JWT", "kid": KEY.kid, **header}, payload, secret=public)))


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256"])
def test_another_algorithm_with_the_right_key_is_refused(algorithm: str) -> None:
    payload = {"iss": ISSUER.name, "sub": "someone", "exp": FUTURE}
    with pytest.raises(TokenInvalid):
        verifier().verify(bearer(jwt.encode(payload, KEY.private, algorithm, {"kid": KEY.kid})))


@pytest.mark.parametrize("kid", [None, 1, "unknown", ["test-key"]])
def test_a_token_names_a_key_that_is_known(kid: object) -> None:
    header = {"alg": "RS256"} if kid is None else {"alg": "RS256", "kid": kid}
    payload = {"iss": ISSUER.name, "sub": "someone", "exp": FUTURE}
    with pytest.raises(TokenInvalid):
        verifier().verify(bearer(signed(header, payload)))


def test_a_key_that_the_token_brings_along_is_never_used() -> None:
    mine = SigningKey("mine")
    brought = {"jwk": mine.jwk(), "jku": "http://127.0.0.1:9/jwks", "x5u": "http://127.0.0.1:9/x5u", "kid": KEY.kid}
    with pytest.raises(TokenInvalid):
        verifier().verify(bearer(Issuer(ISSUER.name, mine).token("someone", headers=brought)))


def test_a_critical_extension_that_we_do_not_know_is_refused() -> None:
    token = ISSUER.token("someone", headers={"crit": ["exp-ms"], "exp-ms": 1})
    with pytest.raises(TokenInvalid):
        verifier().verify(bearer(token))


@pytest.mark.parametrize(("azp", "believed"), [("https://app.test", True), ("https://evil.test", False), (None, False)])
def test_the_party_is_checked_where_parties_are_set(azp: str | None, *, believed: bool) -> None:
    checked = verifier(parties=("https://app.test", "https://other.test"))
    token = bearer(ISSUER.token("someone", azp=azp))
    assert verifier().verify(token).subject == "someone"
    if believed:
        assert checked.verify(token).subject == "someone"
    else:
        with pytest.raises(TokenInvalid):
            checked.verify(token)


@pytest.mark.parametrize(("aud", "believed"), [("api", True), (["x", "api"], True), ("other", False), (None, False)])
def test_the_audience_is_checked_where_one_is_set(aud: object, *, believed: bool) -> None:
    token = bearer(ISSUER.token("someone", aud=aud))
    assert verifier().verify(token).subject == "someone"
    if believed:
        assert verifier(audience="api").verify(token).subject == "someone"
    else:
        with pytest.raises(Unauthenticated):
            verifier(audience="api").verify(token)


def test_names_that_are_no_text_are_left_out() -> None:
    token = ISSUER.token("someone", email={"a": 1}, name="A\x00" + "b" * 400)
    found = verifier().verify(bearer(token))
    assert (found.email, len(found.name), "\x00" in found.name) == ("", 255, False)


def test_a_text_that_cannot_be_kept_or_misleads_is_made_plain() -> None:
    token = ISSUER.token("someone", email="a@b.test\ud800", name="\u202egpj.exe\n  ")
    found = verifier().verify(bearer(token))
    assert (found.email, found.name) == ("a@b.test", "gpj.exe")


@pytest.mark.parametrize(("verified", "email"), [(True, "a@b.test"), (False, ""), (None, "a@b.test")])
def test_an_address_that_the_issuer_has_not_verified_is_nobodys(verified: object, email: str) -> None:
    token = ISSUER.token("someone", email="a@b.test", email_verified=verified)
    assert verifier().verify(bearer(token)).email == email


def test_a_token_without_a_time_of_issue_says_nothing_of_when() -> None:
    assert verifier().verify(bearer(ISSUER.token("someone", iat=None))).at is None
    assert verifier().verify(bearer(ISSUER.token("someone", iat=-(10**30)))).at == datetime.fromtimestamp(0, UTC)


# Clerk's session tokens as its documentation shows them: version 1 is flat, version 2 nests what an organization says.
CLERK = {"azp": "https://app.test", "sid": "sess_2", "sub": "user_2", "fva": [7, -1], "sts": "active"}
VERSION_1 = {
    **CLERK,
    "org_id": "org_1",
    "org_role": "org:admin",
    "org_slug": "acme",
    "org_permissions": ["org:team:manage"],
}
VERSION_2 = {
    **CLERK,
    "v": 2,
    "jti": "e9d2",
    "pla": "o:pro",
    "fea": "o:dashboard,o:teams",
    "o": {"id": "org_1", "rol": "admin", "slg": "acme", "per": "manage,read", "fpm": "3,2"},
}


@pytest.mark.parametrize("claims", [VERSION_1, VERSION_2], ids=["v1", "v2"])
def test_both_versions_of_clerks_claims_are_understood(claims: dict[str, Any]) -> None:
    token = Issuer(ISSUER.name, KEY).token("user_2", **{name: claims[name] for name in claims if name != "sub"})
    found = verifier(parties=("https://app.test",)).verify(bearer(token))
    assert (found.subject, found.organization) == ("user_2", "org_1")


@pytest.mark.parametrize(
    "claims",
    [{}, {"v": 2}, {"v": 2, "o": []}, {"v": 2, "o": "org_1"}, {"v": 2, "o": {"id": 7}}, {"v": 2, "org_id": "org_1"},
     {"org_id": {"id": "org_1"}}, {"o": {"id": "org_1"}}, {"v": [2], "o": {"id": "org_1"}}],
)  # fmt: skip
def test_an_organization_that_is_not_said_in_the_tokens_own_version_is_none(claims: dict[str, Any]) -> None:
    assert verifier().verify(bearer(ISSUER.token("someone", **claims))).organization == ""


def test_a_sign_in_that_lacks_a_step_is_told_what_to_do() -> None:
    with pytest.raises(SessionPending, match="Finish what the sign-in still asks for") as refused:
        verifier().verify(bearer(ISSUER.token("someone", v=2, sts="pending")))
    assert (refused.value.status, refused.value.code) == (401, "session-pending")


def test_a_pending_session_of_another_application_is_refused_for_that_first() -> None:
    with pytest.raises(TokenInvalid):
        verifier(parties=("https://app.test",)).verify(
            bearer(ISSUER.token("x", sts="pending", azp="https://evil.test"))
        )
