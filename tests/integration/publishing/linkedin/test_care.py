"""LinkedIn renews for few: an account of sixty days says ahead that it ends, once, and how it goes on."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from functions.cron_check_accounts.handler import handler as check_accounts
from socialflow.accounts.model import Profile
from socialflow.platform.clock import now
from socialflow.publishing.networks.grants import Grant
from tests.integration.publishing.linkedin.conftest import Office
from tests.integration.publishing.places import granted

DAY = 86_400.0


def account(office: Office, *, days: float) -> str:
    """Connect an account whose token nobody renews."""
    profile = Profile("linkedin", office.server.url, office.member.urn, "Acme Ltd")
    return granted(office.desk, profile, Grant(office.member.token, None, now().timestamp() + days * DAY))


def look(office: Office) -> None:
    office.desk.let_look_be_due()
    assert check_accounts({}, None) == {"looked_at": 1, "failed": []}


def shown(office: Office, account_id: str) -> dict[str, Any]:
    found: dict[str, Any] = office.desk.editor.get(f"/v1/accounts/{account_id}").json
    return found


def test_an_account_that_ends_later_only_says_when(office: Office) -> None:
    account_id = account(office, days=50)
    look(office)
    found = shown(office, account_id)
    assert (found["state"], found["reconnect"]) == ("connected", None)
    assert timedelta(days=49) < datetime.fromisoformat(found["ends_at"]) - now() < timedelta(days=51)


def test_an_account_that_ends_in_days_is_told_once_and_goes_on_until_then(office: Office) -> None:
    account_id = account(office, days=5)
    look(office)
    look(office)
    found = shown(office, account_id)
    assert (found["state"], found["trouble"]) == ("expiring", None)
    assert found["reconnect"] == {"method": "POST", "href": "/v1/connections", "body": {"network": "linkedin"}}
    assert office.desk.facts(account_id) == ["account.connected", "account.expiring"]
    fact = office.desk.value("SELECT data FROM cell.outbox WHERE type = 'account.expiring'")
    assert fact["ends_at"] == found["ends_at"].replace("Z", "+00:00")
    post = office.desk.post("Still there", accounts=[account_id])
    office.desk.publish(post["id"], office.desk.ready(post["id"]))
    assert office.desk.target(post["id"])["state"] == "published"


def test_an_account_that_can_be_renewed_no_longer_is_told_though_it_was_renewed(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A partner's permission lasts a year, whatever is renewed meanwhile."""
    known = {"linkedin": {"client_id": "app", "client_secret": "secret"}}
    monkeypatch.setattr("socialflow.publishing.networks.apps._document", lambda _arn: known)
    monkeypatch.setattr(office.server, "lasts", int(5 * DAY))
    account_id = office.account(expires_in=-5)
    look(office)
    look(office)
    found = shown(office, account_id)
    assert (found["state"], found["trouble"]) == ("expiring", None)
    assert timedelta(days=4) < datetime.fromisoformat(found["ends_at"]) - now() < timedelta(days=6)
    assert office.desk.facts(account_id) == ["account.connected", "account.expiring"]


def test_an_account_that_has_ended_lapses_and_is_whole_once_it_is_connected_again(office: Office) -> None:
    account_id = account(office, days=-1)
    look(office)
    look(office)
    assert shown(office, account_id)["state"] == "lapsed"
    assert account(office, days=60) == account_id
    assert (shown(office, account_id)["state"], shown(office, account_id)["ends_at"]) == ("connected", None)
    look(office)
    assert shown(office, account_id)["state"] == "connected"


def test_what_linkedin_takes_not_back_is_thrown_away_at_once(office: Office) -> None:
    account_id = account(office, days=50)
    assert office.desk.admin.delete(f"/v1/accounts/{account_id}").status == 204
    assert office.desk.value("SELECT secret FROM t_acme.social_accounts") == b""
    assert check_accounts({}, None) == {"looked_at": 0, "failed": []}
