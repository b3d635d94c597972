"""Accounts are looked at each day: who is let in no more is told so, once, and whoever connects again needs no luck."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from functions.cron_check_accounts.handler import handler as check_accounts
from socialflow.accounts import gateway as tokens
from socialflow.accounts import service as accounts
from socialflow.platform import database
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.tenancy import Tenant
from tests.integration.publishing.conftest import Desk
from tests.mastodon import OTHER_TOKEN
from tests.wire import Fault

ASKED = ("GET", "/api/v1/accounts/verify_credentials")


def look(desk: Desk) -> dict[str, Any]:
    """Let an hour of looking come, for all that are not yet to be looked at too."""
    desk.let_look_be_due()
    found: dict[str, Any] = check_accounts({}, None)
    return found


def shown(desk: Desk, account: str) -> dict[str, Any]:
    found: dict[str, Any] = desk.editor.get(f"/v1/accounts/{account}").json
    return found


def connected(desk: Desk) -> str:
    account = desk.account()
    desk.mastodon.wire.reset()
    return account


def test_an_account_that_was_just_verified_is_not_asked_again(desk: Desk) -> None:
    account = connected(desk)
    assert check_accounts({}, None) == {"looked_at": 0, "failed": []}
    assert desk.mastodon.wire.seen == []
    assert shown(desk, account)["checked_at"] is None


def test_an_account_that_works_stays_as_it_is_and_is_due_in_a_day(desk: Desk) -> None:
    account = connected(desk)
    assert look(desk) == {"looked_at": 1, "failed": []}
    found = shown(desk, account)
    assert (found["state"], found["trouble"], found["reconnect"], found["ends_at"]) == ("connected", None, None, None)
    assert found["checked_at"] is not None
    rest = desk.value("SELECT look_at - now() FROM t_acme.social_accounts")
    assert timedelta(hours=23) < rest < timedelta(hours=25)
    assert check_accounts({}, None)["looked_at"] == 0
    assert desk.mastodon.wire.asked(*ASKED) == 1
    assert desk.facts(account) == ["account.connected"]


def test_looking_leaves_no_audit_but_what_it_changes_does(desk: Desk) -> None:
    connected(desk)
    entries = "SELECT count(*) FROM t_acme.audit_log"
    before = desk.value(entries)
    look(desk)
    assert desk.value(entries) == before
    desk.mastodon.wire.fail(*ASKED, 401)
    look(desk)
    assert desk.value(entries) == before + 1


def test_who_is_refused_twice_has_lapsed_is_told_once_and_is_back_by_itself(desk: Desk) -> None:
    account = connected(desk)
    desk.mastodon.wire.fail(*ASKED, 401, times=3)
    look(desk)
    found = shown(desk, account)
    assert (found["state"], found["trouble"]["code"]) == ("connected", "invalid-credentials")
    rest = desk.value("SELECT look_at - now() FROM t_acme.social_accounts")
    assert rest < timedelta(hours=1, minutes=1)
    for _ in range(2):
        look(desk)
        assert shown(desk, account)["state"] == "lapsed"
    assert desk.facts(account) == ["account.connected", "account.disconnected"]
    fact = desk.value("SELECT data FROM cell.outbox WHERE type = 'account.disconnected'")
    assert fact == {"network": "mastodon", "by": None, "reason": "invalid-credentials"}
    assert [one["id"] for one in desk.editor.get("/v1/accounts").json["items"]] == [account]
    look(desk)
    assert (shown(desk, account)["state"], shown(desk, account)["trouble"]) == ("connected", None)
    assert desk.facts(account) == ["account.connected", "account.disconnected", "account.connected"]


def test_a_lapsed_account_says_how_it_is_connected_again_and_is_whole_afterwards(desk: Desk) -> None:
    account = connected(desk)
    desk.mastodon.wire.fail(*ASKED, 401, times=2)
    look(desk)
    look(desk)
    link = shown(desk, account)["reconnect"]
    assert link == {
        "method": "POST",
        "href": "/v1/connections",
        "body": {"network": "mastodon", "base_url": desk.mastodon.url},
    }
    assert desk.admin.post(link["href"], link["body"]).code != "not-found"
    used = "SELECT used FROM cell.usage WHERE tenant = 'acme' AND meter = 'accounts'"
    before = desk.value(used)
    assert desk.account() == account
    assert desk.value(used) == before
    found = shown(desk, account)
    assert (found["state"], found["trouble"], found["reconnect"]) == ("connected", None, None)


@pytest.mark.parametrize(
    "fault", ["answer lost", "question lost", "garbage", "bad gateway", "redirect", "limited", "down", 404, 500, 503]
)
def test_a_network_that_does_not_answer_says_nothing_of_an_account(desk: Desk, fault: Fault) -> None:
    account = connected(desk)
    desk.mastodon.wire.fail(*ASKED, fault, times=3)
    for _ in range(3):
        assert look(desk) == {"looked_at": 1, "failed": []}
    found = shown(desk, account)
    assert (found["state"], found["trouble"], found["checked_at"]) == ("connected", None, None)
    assert desk.value("SELECT look_at > now() + interval '50 min' FROM t_acme.social_accounts")
    assert desk.facts(account) == ["account.connected"]


def test_a_refusal_and_then_no_answer_is_not_refused_twice(desk: Desk) -> None:
    account = connected(desk)
    for fault in (401, "down"):
        desk.mastodon.wire.fail(*ASKED, fault)
        look(desk)
    assert shown(desk, account)["state"] == "connected"
    look(desk)
    assert shown(desk, account)["trouble"] is None


def test_a_token_that_is_anothers_is_not_this_accounts(desk: Desk) -> None:
    account = connected(desk)
    with transaction(desk.tenant) as tx:
        found = accounts.credentials(tx, UUID(account))
    assert found is not None
    sealed = tokens.seal(desk.tenant, found.account.profile, OTHER_TOKEN)
    desk.owner.execute("UPDATE t_acme.social_accounts SET secret = %s", (sealed,))
    look(desk)
    look(desk)
    assert shown(desk, account)["state"] == "lapsed"
    assert shown(desk, account)["trouble"]["code"] == "another-account"


def test_a_token_that_cannot_be_opened_is_told(desk: Desk) -> None:
    account = connected(desk)
    desk.owner.execute("UPDATE t_acme.social_accounts SET secret = secret || '\\x00'")
    look(desk)
    assert shown(desk, account)["trouble"]["code"] == "credentials-unreadable"
    assert desk.mastodon.wire.seen == []


def test_what_was_found_of_an_old_token_says_nothing_of_a_new_one(desk: Desk) -> None:
    account = connected(desk)
    desk.mastodon.wire.fail(*ASKED, 401, times=1)
    look(desk)

    def errand() -> None:
        desk.account()

    desk.mastodon.wire.reset()
    desk.mastodon.wire.fail(*ASKED, 401, times=1)
    desk.meanwhile(*ASKED, errand)
    look(desk)
    found = shown(desk, account)
    assert (found["state"], found["trouble"]) == ("connected", None)
    assert desk.facts(account) == ["account.connected", "account.connected"]


def test_an_account_that_is_disconnected_while_it_is_looked_at_stays_so(desk: Desk) -> None:
    account = connected(desk)
    desk.meanwhile(*ASKED, lambda: desk.admin.delete(f"/v1/accounts/{account}"))
    assert look(desk)["failed"] == []
    assert desk.editor.get(f"/v1/accounts/{account}").status == 404
    assert desk.value("SELECT state FROM t_acme.social_accounts") == "disconnected"
    assert desk.facts(account) == ["account.connected", "account.disconnected"]


def test_of_many_hours_at_once_one_looks(desk: Desk) -> None:
    connected(desk)
    desk.let_look_be_due()

    def run(_: int) -> int:
        try:
            return int(check_accounts({}, None)["looked_at"])
        finally:
            database.forget()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(run, range(8))) == 1
    assert desk.mastodon.wire.asked(*ASKED) == 1


def test_a_fact_of_an_account_that_is_not_due_asks_nobody(desk: Desk) -> None:
    account = connected(desk)
    for tenant in ("acme", "contoso", "nobody"):
        event = {"detail": {"tenant": tenant, "aggregate": {"type": "account", "id": account}}}
        assert check_accounts(event, None) == {"looked_at": 0, "failed": []}
    assert desk.mastodon.wire.seen == []


def test_a_tenant_that_fails_stops_no_other(desk: Desk, contoso: Tenant) -> None:
    account = connected(desk)
    desk.owner.execute("ALTER TABLE t_contoso.social_accounts RENAME COLUMN look_at TO looks_at")
    try:
        assert look(desk) == {"looked_at": 1, "failed": [contoso.slug]}
    finally:
        desk.owner.execute("ALTER TABLE t_contoso.social_accounts RENAME COLUMN looks_at TO look_at")
    assert shown(desk, account)["checked_at"] is not None


def test_many_accounts_are_all_looked_at_the_longest_due_first(desk: Desk) -> None:
    account = connected(desk)
    desk.owner.execute(
        "INSERT INTO t_acme.social_accounts (id, network, base_url, remote_account, remote_name, secret, connected_by,"
        " look_at) SELECT gen_random_uuid(), network, base_url, n::text, 'copy', secret, connected_by,"
        " now() - make_interval(days => n) FROM t_acme.social_accounts, generate_series(1, 12) n"
    )
    desk.owner.execute("UPDATE t_acme.social_accounts SET look_at = now() WHERE id = %s", (account,))
    assert check_accounts({}, None) == {"looked_at": 13, "failed": []}
    # Each copy's token is sealed for another account: it opens nothing, and the network is not asked with it.
    assert desk.mastodon.wire.asked(*ASKED) == 1
    assert desk.value("SELECT min(look_at) > %s FROM t_acme.social_accounts", now())


def test_no_token_is_logged(desk: Desk, capfd: pytest.CaptureFixture[str]) -> None:
    connected(desk)
    desk.mastodon.wire.fail(*ASKED, 401)
    look(desk)
    told = capfd.readouterr().out
    assert "mock_token" not in told


def refused_while_publishing(desk: Desk, account: str, status: int) -> str:
    """Have a post refused with a status when it goes out; return it."""
    post = str(desk.post(accounts=[account])["id"])
    run = desk.ready(post)
    desk.mastodon.wire.fail("POST", "/api/v1/statuses", status)
    desk.publish(post, run)
    return post


def follow(desk: Desk, account: str) -> dict[str, Any]:
    """Take the fact that the account was disconnected, as the bus brings it."""
    event = {"detail": {"tenant": "acme", "aggregate": {"type": "account", "id": account}}}
    found: dict[str, Any] = check_accounts(event, None)
    return found


def test_an_account_whose_token_a_post_is_refused_has_lapsed_at_once(desk: Desk) -> None:
    account = connected(desk)
    refused_while_publishing(desk, account, 401)
    refused_while_publishing(desk, account, 401)
    found = shown(desk, account)
    assert (found["state"], found["trouble"]["code"]) == ("lapsed", "invalid-credentials")
    assert found["reconnect"] is not None
    assert desk.facts(account) == ["account.connected", "account.disconnected"]
    desk.mastodon.wire.fail(*ASKED, 401)
    assert follow(desk, account)["looked_at"] == 1
    assert shown(desk, account)["state"] == "lapsed"
    assert desk.facts(account) == ["account.connected", "account.disconnected"]
    assert desk.account() == account
    assert shown(desk, account)["state"] == "connected"


def test_an_account_that_works_nevertheless_is_back_at_once(desk: Desk) -> None:
    account = connected(desk)
    refused_while_publishing(desk, account, 401)
    assert follow(desk, account)["looked_at"] == 1
    assert (shown(desk, account)["state"], shown(desk, account)["trouble"]) == ("connected", None)
    assert desk.facts(account) == ["account.connected", "account.disconnected", "account.connected"]


def test_a_token_that_is_refused_while_preparing_is_told_of_too(desk: Desk) -> None:
    account = connected(desk)
    post = desk.post(accounts=[account], at=desk.in_minutes(5), media=[{"id": desk.media()}])
    run = desk.start(post["id"])
    desk.open(post["id"], run)
    desk.mastodon.wire.fail("POST", "/api/v2/media", 401)
    desk.prepare(post["id"], run)
    assert shown(desk, account)["state"] == "lapsed"


@pytest.mark.parametrize("status", [403, 404, 422, 429, 500])
def test_a_refusal_of_the_post_says_nothing_of_its_account(desk: Desk, status: int) -> None:
    account = connected(desk)
    refused_while_publishing(desk, account, status)
    assert (shown(desk, account)["state"], shown(desk, account)["trouble"]) == ("connected", None)


def test_what_a_post_is_refused_with_an_old_token_says_nothing_of_a_new_one(desk: Desk) -> None:
    account = connected(desk)
    post = str(desk.post(accounts=[account])["id"])
    run = desk.ready(post)
    desk.mastodon.wire.fail("POST", "/api/v1/statuses", 401)
    desk.meanwhile("POST", "/api/v1/statuses", desk.account)
    desk.publish(post, run)
    assert shown(desk, account)["state"] == "connected"
