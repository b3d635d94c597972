"""What was granted on X is renewed when it is used up, and given back when its account is disconnected."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from functions.cron_check_accounts.handler import handler as check_accounts
from socialflow.accounts import gateway as tokens
from socialflow.accounts import late, renewal
from socialflow.accounts import service as accounts
from socialflow.accounts.model import Account, Credentials
from socialflow.accounts.renewal import Disconnected
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.ids import new_id
from socialflow.publishing.networks.grants import Grant
from socialflow.publishing.networks.x import X
from tests.integration.publishing.x.conftest import Desked
from tests.wire import Fault

TOKEN, REVOKE, ME = "/2/oauth2/token", "/2/oauth2/revoke", "/2/users/me"


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stage that is registered with X."""
    known = {"x": {"client_id": "app", "client_secret": "secret"}}
    monkeypatch.setattr("socialflow.publishing.networks.apps._document", lambda _arn: known)


def connect(account: Account, token: str) -> X:
    return X(account.base_url, token)


def credentials(xdesk: Desked, account: str) -> Credentials:
    with transaction(xdesk.desk.tenant) as tx:
        found = accounts.credentials(tx, UUID(account))
    assert found is not None
    return found


def look(xdesk: Desked) -> dict[str, Any]:
    xdesk.desk.let_look_be_due()
    found: dict[str, Any] = check_accounts({}, None)
    return found


def sealed(xdesk: Desked) -> bytes:
    return bytes(xdesk.desk.value("SELECT secret FROM t_acme.social_accounts WHERE network = 'x'"))


def disconnected(xdesk: Desked, **more: Any) -> str:
    """Connect the account and disconnect it."""
    account = xdesk.account(**more)
    assert xdesk.desk.admin.delete(f"/v1/accounts/{account}").status == 204
    return account


def test_a_token_that_works_is_left_to_whoever_uses_it(xdesk: Desked) -> None:
    xdesk.account()
    assert look(xdesk) == {"looked_at": 1, "failed": []}
    assert (xdesk.server.wire.asked("GET", ME), xdesk.server.wire.asked("POST", TOKEN)) == (1, 0)


def test_a_token_that_is_used_up_is_renewed_once_and_nothing_else_is_asked(xdesk: Desked) -> None:
    account = xdesk.account(expires_in=-5)
    look(xdesk)
    kept = Grant.of(tokens.token(xdesk.desk.tenant, credentials(xdesk, account)))
    assert (kept.access, kept.refresh) == (xdesk.user.token, xdesk.user.refresh)
    assert (xdesk.server.wire.asked("GET", ME), xdesk.server.wire.asked("POST", TOKEN)) == (0, 1)
    found = xdesk.desk.editor.get(f"/v1/accounts/{account}").json
    assert (found["state"], found["ends_at"]) == ("connected", None)
    assert found["checked_at"] is not None


def test_a_grant_that_was_taken_back_there_lapses(xdesk: Desked) -> None:
    account = xdesk.account(expires_in=-5)
    xdesk.user.refresh = "taken-back"
    look(xdesk)
    look(xdesk)
    found = xdesk.desk.editor.get(f"/v1/accounts/{account}").json
    assert (found["state"], found["trouble"]["code"]) == ("lapsed", "invalid-credentials")
    assert found["reconnect"] == {"method": "POST", "href": "/v1/connections", "body": {"network": "x"}}


def test_a_stage_without_a_registration_blames_no_account(xdesk: Desked, monkeypatch: pytest.MonkeyPatch) -> None:
    account = xdesk.account(expires_in=-5)
    monkeypatch.setattr("socialflow.publishing.networks.apps._document", lambda _arn: {})
    look(xdesk)
    look(xdesk)
    assert xdesk.desk.editor.get(f"/v1/accounts/{account}").json["trouble"] is None


def test_what_is_disconnected_is_given_back_whole(xdesk: Desked) -> None:
    account = disconnected(xdesk)
    assert xdesk.desk.editor.get(f"/v1/accounts/{account}").status == 404
    assert xdesk.desk.try_post(accounts=[account]).code == "account-not-connected"
    fact = {"detail": {"tenant": "acme", "aggregate": {"type": "account", "id": account}}}
    assert check_accounts(fact, None) == {"looked_at": 1, "failed": []}
    assert (xdesk.user.token, xdesk.user.refresh) == ("", "")
    assert sealed(xdesk) == b""
    assert xdesk.server.wire.asked("POST", REVOKE) == 2


@pytest.mark.parametrize("fault", ["answer lost", "question lost", "garbage", "bad gateway", "limited", "down", 500])
def test_what_could_not_be_given_back_is_given_back_in_the_next_hour(xdesk: Desked, fault: Fault) -> None:
    disconnected(xdesk)
    xdesk.server.wire.fail("POST", REVOKE, fault)
    assert check_accounts({}, None) == {"looked_at": 1, "failed": []}
    assert sealed(xdesk) != b""
    assert check_accounts({}, None)["looked_at"] == 0
    look(xdesk)
    assert (xdesk.user.token, xdesk.user.refresh, sealed(xdesk)) == ("", "", b"")


def test_after_three_days_the_token_is_thrown_away_anyway(xdesk: Desked) -> None:
    disconnected(xdesk)
    xdesk.server.wire.fail("POST", REVOKE, "down", times=2)
    look(xdesk)
    assert sealed(xdesk) != b""
    xdesk.desk.owner.execute("UPDATE t_acme.social_accounts SET revoke_until = now() - interval '1 s'")
    look(xdesk)
    assert sealed(xdesk) == b""
    assert look(xdesk)["looked_at"] == 0


def test_a_token_that_waits_to_be_given_back_is_used_for_nothing(xdesk: Desked) -> None:
    account = xdesk.account()
    post = xdesk.desk.post("Too late", accounts=[account])
    run = xdesk.desk.ready(post["id"])
    xdesk.desk.admin.delete(f"/v1/accounts/{account}")
    xdesk.desk.publish(post["id"], run)
    assert xdesk.desk.target(post["id"])["problem"]["code"] == "account-disconnected"
    assert xdesk.user.said == []
    with transaction(xdesk.desk.tenant) as tx:
        assert accounts.credentials(tx, UUID(account)) is None


def test_who_connects_again_while_the_old_is_given_back_keeps_the_new(xdesk: Desked) -> None:
    disconnected(xdesk)
    xdesk.server.wire.fail("POST", REVOKE, "down")
    xdesk.desk.meanwhile_at(xdesk.server.wire, "POST", REVOKE, xdesk.account)
    assert check_accounts({}, None)["failed"] == []
    assert xdesk.desk.value("SELECT (state, revoke_until)::text FROM t_acme.social_accounts") == "(connected,)"
    assert sealed(xdesk) != b""
    xdesk.desk.owner.execute("UPDATE t_acme.social_accounts SET look_at = now() - interval '9 days'")
    check_accounts({}, None)
    assert xdesk.user.token != ""
    assert xdesk.server.wire.asked("POST", REVOKE) == 1


def test_who_comes_back_by_way_of_late_brings_the_old_token_to_no_life(xdesk: Desked) -> None:
    account = xdesk.account()
    profile = credentials(xdesk, account).account.profile
    xdesk.desk.admin.delete(f"/v1/accounts/{account}")
    assert sealed(xdesk) != b""
    with transaction(xdesk.desk.tenant) as tx:
        assert str(late.link(tx, "late-1", profile, by=new_id(), at=now()).id) == account
    assert sealed(xdesk) == b""
    assert look(xdesk) == {"looked_at": 0, "failed": []}
    with transaction(xdesk.desk.tenant) as tx:
        assert accounts.credentials(tx, UUID(account), "direct") is None


def test_a_token_that_is_renewed_while_its_account_is_disconnected_is_given_back_too(xdesk: Desked) -> None:
    account = xdesk.account(expires_in=-5)
    spent = credentials(xdesk, account)
    looks: list[Callable[[], object]] = [
        lambda: xdesk.desk.admin.delete(f"/v1/accounts/{account}"),
        lambda: check_accounts({}, None),  # too early: somebody is renewing it
    ]
    xdesk.desk.meanwhile_at(xdesk.server.wire, "POST", TOKEN, lambda: [one() for one in looks])
    with pytest.raises(Disconnected):
        renewal.opened(xdesk.desk.tenant, spent, connect)
    assert xdesk.server.wire.asked("POST", REVOKE) == 0
    look(xdesk)
    assert (xdesk.user.token, xdesk.user.refresh, sealed(xdesk)) == ("", "", b"")


def test_no_token_that_is_given_back_is_shown_logged_or_audited(
    xdesk: Desked, capfd: pytest.CaptureFixture[str]
) -> None:
    known = {xdesk.user.token, xdesk.user.refresh}
    disconnected(xdesk)
    xdesk.server.wire.fail("POST", REVOKE, "garbage")
    look(xdesk)
    look(xdesk)
    rows = [
        xdesk.desk.owner.execute(f"SELECT * FROM {table}").fetchall()
        for table in ("t_acme.audit_log", "cell.outbox", "t_acme.social_accounts")
    ]
    told = capfd.readouterr().out + json.dumps(rows, default=str)
    assert not [secret for secret in known if secret in told]
