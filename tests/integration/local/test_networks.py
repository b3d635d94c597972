"""acme's account on the Bluesky server of the stack: made once, whatever a start is broken off by."""

import stat
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from infra_cdk.local.networks import HANDLE, METHODS, bluesky_login
from infra_cdk.local.process import LocalError
from infra_cdk.local.state import State, read_json, write_json
from tests.pds import stub


@pytest.fixture
def server() -> Iterator[str]:
    """A server that knows nobody yet."""
    with stub.running("an-admins-password") as url:
        yield url


def _signs_in(server: str, login: dict[str, str]) -> str:
    body = {"identifier": login["handle"], "password": login["app_password"]}
    did: str = httpx.post(f"{server}{METHODS}createSession", json=body).raise_for_status().json()["did"]
    return did


def test_the_account_is_made_once_and_its_app_password_is_kept(tmp_path: Path, server: str) -> None:
    state = State.at(tmp_path)

    login = bluesky_login(state, server)

    assert (login["network"], login["base_url"], login["handle"]) == ("bluesky", server, HANDLE)
    assert _signs_in(server, login)
    assert bluesky_login(State.at(tmp_path), server) == login
    assert stat.S_IMODE((tmp_path / "bluesky" / "account.json").stat().st_mode) == 0o600


def test_a_start_that_was_broken_off_goes_on_with_the_account_that_it_made(tmp_path: Path, server: str) -> None:
    state, path = State.at(tmp_path), tmp_path / "bluesky" / "account.json"
    before = _signs_in(server, bluesky_login(state, server))
    kept = read_json(path)
    write_json(path, {"handle": kept["handle"], "password": kept["password"]})

    login = bluesky_login(state, server)

    assert _signs_in(server, login) == before
    assert read_json(path)["password"] == kept["password"]


def test_a_server_that_is_gone_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="does not answer"):
        bluesky_login(State.at(tmp_path), "http://127.0.0.1:9")


def test_a_server_that_refuses_is_told_with_what_it_said(tmp_path: Path, server: str) -> None:
    with pytest.raises(LocalError, match=r"refuses .*createSession \(501\): .*Method Not Implemented"):
        bluesky_login(State.at(tmp_path), f"{server}/elsewhere")
