"""The issuer's keys: asked for rarely, by one at a time, and kept while the issuer is down."""

import threading
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from socialflow.identity import gateway
from socialflow.identity.gateway import FRESH, PAUSE, STALE, SigningKeys
from socialflow.identity.model import IssuerUnreachable, TokenInvalid
from tests.api import SigningKey

FIRST, SECOND = SigningKey("first"), SigningKey("second")


class FakeIssuer:
    """Answers with its keys, counts, and can be down."""

    def __init__(self, *keys: Mapping[str, Any]) -> None:
        self.document: Mapping[str, Any] = {"keys": list(keys)}
        self.asked = 0
        self.down: Exception | None = None
        self.time = 1_000.0

    def fetch(self) -> Mapping[str, Any]:
        self.asked += 1
        if self.down:
            raise self.down
        return self.document

    def keys(self) -> SigningKeys:
        return SigningKeys(self.fetch, clock=lambda: self.time)


def test_keys_are_asked_for_once_while_they_are_fresh() -> None:
    issuer = FakeIssuer(FIRST.jwk())
    keys = issuer.keys()
    for _ in range(3):
        assert keys.find("first").key_type == "RSA"
    issuer.time += FRESH - 1
    keys.find("first")
    assert issuer.asked == 1
    issuer.time += 2
    keys.find("first")
    assert issuer.asked == 2


def test_many_at_once_ask_the_issuer_once() -> None:
    issuer = FakeIssuer(FIRST.jwk())
    gate, asked, keys = threading.Event(), threading.Event(), issuer.keys()

    def slow() -> Mapping[str, Any]:
        asked.set()
        assert gate.wait(10)
        return issuer.fetch()

    keys = SigningKeys(slow, clock=lambda: issuer.time)
    found: list[str | None] = []
    threads = [threading.Thread(target=lambda: found.append(keys.find("first").key_type)) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert asked.wait(10)
    gate.set()
    for thread in threads:
        thread.join(10)
    assert (found, issuer.asked) == (["RSA"] * 8, 1)


def test_a_new_key_is_found_by_one_refetch() -> None:
    issuer = FakeIssuer(FIRST.jwk())
    keys = issuer.keys()
    keys.find("first")
    issuer.document = {"keys": [FIRST.jwk(), SECOND.jwk()]}
    issuer.time += PAUSE + 1
    assert keys.find("second").key_type == "RSA"
    assert issuer.asked == 2


def test_unknown_keys_do_not_make_a_flood() -> None:
    issuer = FakeIssuer(FIRST.jwk())
    keys = issuer.keys()
    keys.find("first")
    issuer.time += PAUSE + 1
    for number in range(20):
        with pytest.raises(TokenInvalid):
            keys.find(f"unknown-{number}")
    assert issuer.asked == 2


def test_a_key_that_the_issuer_withdraws_is_no_longer_believed() -> None:
    issuer = FakeIssuer(FIRST.jwk(), SECOND.jwk())
    keys = issuer.keys()
    keys.find("first")
    issuer.document = {"keys": [SECOND.jwk()]}
    issuer.time += FRESH + 1
    with pytest.raises(TokenInvalid):
        keys.find("first")


@pytest.mark.parametrize("failure", [httpx.ConnectError("refused"), gateway.KeysUnusable("not keys")])
def test_kept_keys_are_used_while_the_issuer_is_down_and_not_for_ever(failure: Exception) -> None:
    issuer = FakeIssuer(FIRST.jwk())
    keys = issuer.keys()
    keys.find("first")
    issuer.down = failure
    issuer.time += FRESH + 1
    for _ in range(5):
        keys.find("first")
    assert issuer.asked == 2  # the pause holds for failures too
    issuer.time += STALE
    with pytest.raises(IssuerUnreachable):
        keys.find("first")


def test_without_any_keys_sign_in_is_unavailable_and_the_issuer_is_not_hammered() -> None:
    issuer = FakeIssuer(FIRST.jwk())
    issuer.down = httpx.ReadTimeout("slow")
    keys = issuer.keys()
    for _ in range(5):
        with pytest.raises(IssuerUnreachable):
            keys.find("first")
    assert issuer.asked == 1
    issuer.down = None
    issuer.time += PAUSE + 1
    assert keys.find("first").key_type == "RSA"


def test_only_public_rsa_keys_for_signatures_are_kept() -> None:
    good = FIRST.jwk()
    odd = [
        {"kty": "oct", "kid": "shared", "k": "c2VjcmV0"},
        {**good, "kid": "for-encryption", "use": "enc"},
        {**good, "kid": "another-algorithm", "alg": "RS512"},
        {**good, "kid": 7},
        {"kty": "RSA", "kid": "no-modulus", "e": "AQAB"},
        {"kty": "RSA", "kid": "garbled", "n": "!", "e": 3},
        "not-an-object",
    ]
    keys = FakeIssuer(*odd, good).keys()  # type: ignore[arg-type] # one is not a mapping, on purpose
    assert keys.find("first").key_type == "RSA"
    for kid in ("shared", "for-encryption", "another-algorithm", "no-modulus", "garbled"):
        with pytest.raises(TokenInvalid):
            keys.find(kid)


def test_a_key_is_withdrawn_and_another_put_in_its_place_without_a_restart() -> None:
    issuer = FakeIssuer(FIRST.jwk())
    keys = issuer.keys()
    keys.find("first")
    issuer.document = {"keys": [SECOND.jwk()]}
    issuer.time += PAUSE + 1
    assert keys.find("second").key_type == "RSA"
    with pytest.raises(TokenInvalid):
        keys.find("first")  # at once, and not when its time is over: it is the new document that counts
    assert issuer.asked == 2


def test_a_new_key_under_the_same_id_is_taken_when_the_old_is_no_longer_fresh() -> None:
    issuer = FakeIssuer(FIRST.jwk())
    keys = issuer.keys()
    before = keys.find("first").key.public_numbers()
    issuer.document = {"keys": [SigningKey("first").jwk()]}
    issuer.time += FRESH + 1
    assert keys.find("first").key.public_numbers() != before


def test_a_key_that_is_new_during_an_outage_is_not_called_wrong() -> None:
    issuer = FakeIssuer(FIRST.jwk())
    keys = issuer.keys()
    keys.find("first")
    issuer.down = httpx.ConnectTimeout("away")
    issuer.time += PAUSE + 1
    for _ in range(3):
        with pytest.raises(IssuerUnreachable) as refused:
            keys.find("second")
        assert refused.value.retry_after
    assert keys.find("first").key_type == "RSA"  # whoever has signed in before goes on
    issuer.down = None
    issuer.document = {"keys": [FIRST.jwk(), SECOND.jwk()]}
    issuer.time += PAUSE + 1
    assert keys.find("second").key_type == "RSA"
    with pytest.raises(TokenInvalid):
        keys.find("third")  # the outage is over, and so is its excuse


@pytest.mark.parametrize("document", [{"keys": []}, {"keys": [{"kty": "EC", "kid": "curve"}]}, {"keys": None}, {}])
def test_a_document_without_keys_does_not_throw_away_those_that_are_kept(document: Mapping[str, Any]) -> None:
    issuer = FakeIssuer(FIRST.jwk())
    keys = issuer.keys()
    keys.find("first")
    issuer.document = document
    issuer.time += FRESH + 1
    assert keys.find("first").key_type == "RSA"
    assert issuer.asked == 2


def test_a_flood_of_unknown_keys_from_many_threads_asks_once_in_a_pause() -> None:
    issuer = FakeIssuer(FIRST.jwk())
    keys = issuer.keys()
    keys.find("first")
    refused: list[str] = []
    for round_number in range(1, 4):
        issuer.time += PAUSE + 1
        start = threading.Barrier(16)

        def guess(number: int, start: threading.Barrier = start) -> None:
            start.wait(10)
            with pytest.raises(TokenInvalid):
                keys.find(f"unknown-{number}")
            refused.append("")

        threads = [threading.Thread(target=guess, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert issuer.asked == 1 + round_number
    assert len(refused) == 48


def test_who_holds_a_fresh_key_does_not_wait_for_a_fetch() -> None:
    issuer = FakeIssuer(FIRST.jwk())
    gate, asked = threading.Event(), threading.Event()

    def slow() -> Mapping[str, Any]:
        if issuer.asked:
            asked.set()
            assert gate.wait(10)
        return issuer.fetch()

    keys = SigningKeys(slow, clock=lambda: issuer.time)
    keys.find("first")
    issuer.time += PAUSE + 1

    def guess() -> None:
        with pytest.raises(TokenInvalid):
            keys.find("unknown")

    thread = threading.Thread(target=guess)
    thread.start()
    assert asked.wait(10)
    assert keys.find("first").key_type == "RSA"  # while the other is still being fetched for
    gate.set()
    thread.join(10)
