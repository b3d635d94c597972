"""Accounts: verified before they are kept, sealed where they are kept, and never shown again."""

import json
from typing import Any

import pytest

from socialflow.accounts import gateway, service
from socialflow.accounts.model import Credentials
from socialflow.platform.crypto import CannotOpen
from socialflow.platform.database import transaction
from socialflow.platform.tenancy import Tenant
from tests.api import Reply
from tests.integration.conftest import Member
from tests.integration.publishing.conftest import Desk
from tests.mastodon import OTHER_TOKEN, TOKEN


def connect(desk: Desk, **changed: Any) -> Reply:
    body = {"network": "mastodon", "base_url": desk.mastodon.url, "access_token": TOKEN}
    return desk.admin.post("/v1/accounts", body | changed)


def credentials(desk: Desk, account_id: str) -> Credentials:
    with transaction(desk.tenant) as tx:
        found = service.credentials(tx, desk.value("SELECT id FROM t_acme.social_accounts WHERE id = %s", account_id))
    assert found is not None
    return found


def test_a_connected_account_says_whose_it_is_and_what_it_takes(desk: Desk) -> None:
    reply = connect(desk)
    assert reply.status == 201
    own = desk.mastodon.account()
    assert reply.json["remote_account"] == own["id"]
    assert reply.json["remote_name"] == f"@acme@{desk.mastodon.host}"
    assert reply.json["capabilities"]["idempotency_key"] is True
    assert reply.json["capabilities"]["max_characters"] == 500
    assert reply.headers["location"] == f"/v1/accounts/{reply.json['id']}"
    assert desk.facts(reply.json["id"]) == ["account.connected"]


@pytest.mark.parametrize(
    ("version", "keeps"),
    [
        ("4.5.0", True),
        ("4.4.1+glitch", True),
        ("2.7.2 (compatible; Pleroma 2.9.1)", True),
        ("2.7.2 (compatible; Akkoma 3.17.0)", True),
        ("3.5.3 (compatible; Pixelfed 0.12.3)", False),
        ("2.8.0 (compatible; Friendica 2024.12)", False),
        ("4.1.0 (compatible; Nextcloud Social 0.7)", False),
        ("0.20.0+git-15733cd", False),
        ("0.6.1", False),
        ("", False),
        (None, False),
        ({"a": 1}, False),
    ],
)
def test_a_server_is_believed_to_keep_keys_where_it_is_known_to(desk: Desk, version: object, keeps: bool) -> None:
    desk.mastodon.fault("GET", "/api/v2/instance", type="status", status=200, body={"version": version})
    assert connect(desk).json["capabilities"]["idempotency_key"] is keeps


def test_the_token_is_nowhere_but_sealed(desk: Desk) -> None:
    account = connect(desk)
    shown = [
        account.text,
        desk.editor.get("/v1/accounts").text,
        desk.editor.get(f"/v1/accounts/{account.json['id']}").text,
    ]
    stored = desk.owner.execute("SELECT a::text FROM t_acme.social_accounts a").fetchall()
    facts = desk.owner.execute("SELECT o::text FROM cell.outbox o").fetchall()
    assert TOKEN not in json.dumps([shown, stored, facts])
    assert gateway.token(desk.tenant, credentials(desk, account.json["id"])) == TOKEN


def test_a_sealed_token_opens_for_no_other_tenant_and_no_other_account(desk: Desk, contoso: Tenant) -> None:
    mine = credentials(desk, connect(desk).json["id"])
    other = credentials(desk, connect(desk, access_token=OTHER_TOKEN).json["id"])
    with pytest.raises(CannotOpen):
        gateway.token(contoso, mine)
    with pytest.raises(CannotOpen):
        gateway.token(desk.tenant, Credentials(other.account, mine.sealed))
    for broken in (
        b"",
        b"\x01",
        mine.sealed[:-1],
        mine.sealed[:-1] + bytes([mine.sealed[-1] ^ 1]),
        b"\x02" + mine.sealed,
    ):
        with pytest.raises(CannotOpen):
            gateway.token(desk.tenant, Credentials(mine.account, broken))


def test_the_same_account_again_gets_the_new_token(desk: Desk) -> None:
    first = connect(desk)
    again = connect(desk, capabilities={"idempotency_key": False})
    assert (again.status, again.json["id"]) == (200, first.json["id"])
    assert again.json["capabilities"]["idempotency_key"] is False
    assert len(desk.editor.get("/v1/accounts").json["items"]) == 1
    other = connect(desk, access_token=OTHER_TOKEN)
    assert (other.status, other.json["id"] == first.json["id"]) == (201, False)


def test_a_disconnected_account_is_gone_with_its_token_and_can_come_back(desk: Desk) -> None:
    account = connect(desk).json["id"]
    assert desk.admin.delete(f"/v1/accounts/{account}").status == 204
    assert desk.editor.get("/v1/accounts").json["items"] == []
    assert desk.editor.get(f"/v1/accounts/{account}").code == "unknown-account"
    assert desk.admin.delete(f"/v1/accounts/{account}").status == 404
    assert desk.value("SELECT length(secret) FROM t_acme.social_accounts") == 0
    assert desk.try_post(accounts=[account]).code == "account-not-connected"
    assert connect(desk).json["id"] == account
    assert desk.try_post(accounts=[account]).status == 201
    assert desk.facts(account) == ["account.connected", "account.disconnected", "account.connected"]


def test_a_token_that_the_network_refuses_is_not_kept(desk: Desk) -> None:
    reply = connect(desk, access_token="wrong")
    assert (reply.status, reply.code) == (422, "credentials-refused")
    assert reply.json["errors"][0]["pointer"] == "/access_token"
    assert "wrong" not in reply.text
    assert desk.value("SELECT count(*) FROM t_acme.social_accounts") == 0


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("https://127.0.0.1", "server-unusable"),
        ("https://169.254.169.254", "server-unusable"),
        ("https://[::1]", "server-unusable"),
        ("https://localhost", "server-unusable"),
        ("https://no-such-host.invalid", "server-unusable"),
        ("http://mastodon.social", "unusable-host"),
        ("http://127.0.0.1:1", "unusable-host"),
        ("ftp://mastodon.social", "unusable-host"),
        ("mastodon.social", "unusable-host"),
        ("https://user:secret@mastodon.social", "unusable-host"),
        ("https://mastodon.social/path", "unusable-host"),
        ("https://mastodon.social?x=1", "unusable-host"),
        ("https://", "unusable-host"),
        ("https://mastodon.social:99999", "unusable-host"),
        ("https://exa mple.social", "unusable-host"),
    ],
)
def test_an_address_that_must_not_be_called_is_refused(desk: Desk, address: str, code: str) -> None:
    reply = connect(desk, base_url=address)
    assert (reply.status, reply.code) == (422, code), reply
    assert reply.json["errors"][0]["pointer"] == "/base_url"


def test_a_server_that_is_no_mastodon_is_refused(desk: Desk) -> None:
    verify = "/api/v1/accounts/verify_credentials"
    for effect in ({"type": "malformed"}, {"type": "status", "status": 404}, {"type": "status", "status": 503}):
        desk.mastodon.fault("GET", verify, **effect)
        reply = connect(desk)
        assert (reply.status, reply.code) == (422, "server-unusable"), reply


def test_an_older_server_is_asked_for_its_limits_in_the_older_way(desk: Desk) -> None:
    desk.mastodon.fault("GET", "/api/v2/instance", type="status", status=404)
    assert connect(desk).json["capabilities"]["max_characters"] == 500
    assert desk.mastodon.wire.asked("GET", "/api/v1/instance") == 1


def test_a_server_that_does_not_tell_its_limits_has_the_usual_ones(desk: Desk) -> None:
    for path in ("/api/v2/instance", "/api/v1/instance"):
        desk.mastodon.fault("GET", path, type="status", status=404)
    account = connect(desk).json
    assert account["capabilities"] == {"idempotency_key": False}
    assert desk.try_post("x" * 501, accounts=[account["id"]]).status == 422


def test_only_settings_may_be_managed_by_those_who_may(desk: Desk, member: Member) -> None:
    account = connect(desk).json["id"]
    for client in (desk.editor, member("viewer")):
        assert client.post("/v1/accounts", {}).status == 403
        assert client.delete(f"/v1/accounts/{account}").status == 403
        assert client.get("/v1/accounts").status == 200
    stranger = member("owner", "contoso")
    assert stranger.get("/v1/accounts").json["items"] == []
    assert stranger.delete(f"/v1/accounts/{account}").status == 404


def test_a_network_where_people_sign_in_says_how(desk: Desk) -> None:
    for name in ("x", "twitter"):
        reply = connect(desk, network=name)
        assert (reply.status, reply.code) == (422, "incomplete-login")
        assert "signing in there" in reply.json["detail"]


def test_networks_that_are_not_spoken_yet_are_named(desk: Desk) -> None:
    reply = connect(desk, network="myspace")
    assert (reply.status, reply.code) == (422, "unknown-network")
    assert "mastodon" in reply.json["detail"]
