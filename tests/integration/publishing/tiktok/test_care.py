"""What was granted on TikTok: it ends a year after, and is given back by a token that has not ended."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from functions.cron_check_accounts.handler import handler as check_accounts
from socialflow.accounts.model import Profile
from socialflow.platform.clock import now
from socialflow.publishing.networks.grants import Grant
from tests.integration.publishing.places import granted
from tests.integration.publishing.tiktok.conftest import Stage

TOKEN, REVOKE = "/v2/oauth/token/", "/v2/oauth/revoke/"


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stage that is registered with TikTok."""
    known = {"tiktok": {"client_id": "app", "client_secret": "secret"}}
    monkeypatch.setattr("socialflow.publishing.networks.apps._document", lambda _arn: known)


def shown(stage: Stage, account: str) -> dict[str, Any]:
    found: dict[str, Any] = stage.desk.editor.get(f"/v1/accounts/{account}").json
    return found


def test_a_renewed_grant_says_when_it_ends_for_good(stage: Stage) -> None:
    account = stage.account(expires_in=-5)
    stage.desk.let_look_be_due()
    check_accounts({}, None)
    ends = datetime.fromisoformat(shown(stage, account)["ends_at"]) - now()
    assert timedelta(days=364) < ends < timedelta(days=366)
    assert shown(stage, account)["state"] == "connected"


def test_a_grant_that_ends_in_days_is_renewed_though_its_token_works(stage: Stage) -> None:
    at = now().timestamp()
    profile = Profile("tiktok", stage.server.url, stage.creator.open_id, "Acme")
    grant = Grant(stage.creator.token, stage.creator.refresh, at + 7200, refresh_ends_at=at + 3 * 86_400)
    account = granted(stage.desk, profile, grant)
    stage.server.wire.fail("POST", TOKEN, "down", times=9)
    stage.desk.let_look_be_due()
    check_accounts({}, None)
    assert shown(stage, account)["checked_at"] is None  # it could not be renewed now: nothing is known
    stage.server.wire.reset()
    stage.desk.let_look_be_due()
    check_accounts({}, None)
    assert shown(stage, account)["state"] == "connected"
    assert stage.server.wire.asked("POST", TOKEN) == 1  # TikTok has given a year more


@pytest.mark.parametrize(("expires_in", "renewals"), [(7200.0, 0), (-5.0, 1)])
def test_a_grant_is_given_back_by_a_token_that_has_not_ended(stage: Stage, expires_in: float, renewals: int) -> None:
    account = stage.account(expires_in=expires_in)
    assert stage.desk.admin.delete(f"/v1/accounts/{account}").status == 204
    assert check_accounts({}, None) == {"looked_at": 1, "failed": []}
    assert (stage.creator.token, stage.creator.refresh) == ("", "")
    assert stage.desk.value("SELECT secret FROM t_acme.social_accounts") == b""
    assert stage.server.wire.asked("POST", TOKEN) == renewals


def test_a_grant_that_is_over_is_given_back_already(stage: Stage) -> None:
    account = stage.account(expires_in=-5)
    stage.creator.refresh = "taken-back"
    stage.desk.admin.delete(f"/v1/accounts/{account}")
    check_accounts({}, None)
    assert stage.desk.value("SELECT secret FROM t_acme.social_accounts") == b""
    assert stage.server.wire.asked("POST", REVOKE) == 0
