"""API keys: how they read, what proves them, and what none is ever given."""

import pytest

from socialflow.identity.api_keys import SCOPES, ScopeNotGrantable, checked_scopes
from socialflow.identity.bearer import Presented, mint, presented
from socialflow.identity.model import PERMISSIONS

NEVER = {"posts:approve", "team:invite", "team:manage", "billing:manage", "settings:manage"}


def test_of_every_permission_it_is_said_whether_a_key_may_have_it() -> None:
    assert SCOPES | NEVER == PERMISSIONS
    assert not SCOPES & NEVER


def test_a_minted_key_is_read_back_and_proved() -> None:
    minted = mint()
    for scheme in ("Bearer", "bearer", "BEARER "):
        found = presented(f"{scheme} {minted.text}")
        assert found == Presented(minted.prefix, minted.sha256)
        assert found.proves(minted.sha256)
        assert not found.proves(mint().sha256)


def test_two_keys_are_never_alike_and_have_256_secret_bits() -> None:
    many = [mint() for _ in range(200)]
    assert len({key.prefix for key in many}) == len({key.secret for key in many}) == 200
    assert {len(bytes.fromhex(key.secret)) for key in many} == {32}


def test_nothing_proves_a_row_that_is_not_there() -> None:
    for digest in (bytes(32), mint().sha256):
        assert not Presented("0" * 16, digest).proves(None)


@pytest.mark.parametrize(
    "header", ["", "Bearer eyJ.e30.c2ln", "Basic sf_x", "sf_x", "Bearer", "Bearer SF_x", "Bearersf_x"]
)
def test_what_does_not_mean_to_be_a_key_is_left_to_others(header: str) -> None:
    assert presented(header) is None


def test_a_scope_needs_both_to_be_for_keys_and_to_be_ones_own() -> None:
    own = {"media:read", "settings:manage"}
    assert checked_scopes(["media:read", "media:read"], own) == ["media:read"]
    with pytest.raises(ScopeNotGrantable) as refused:
        checked_scopes(["settings:manage", "media:read", "ai:use"], own)
    assert [(error.pointer, error.code) for error in refused.value.errors] == [
        ("/scopes/0", "not-for-keys"),
        ("/scopes/2", "not-yours"),
    ]
    with pytest.raises(ScopeNotGrantable):
        checked_scopes([], own)
