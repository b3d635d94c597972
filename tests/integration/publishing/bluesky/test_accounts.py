"""Accounts on Bluesky: connected by an app password that is not kept, renewed by one for all who need it."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from functions.cron_check_accounts.handler import handler as check_accounts
from socialflow.accounts import gateway as tokens
from socialflow.accounts import service as accounts
from socialflow.accounts.model import Account, Credentials
from socialflow.accounts.renewal import Disconnected, NotRenewed, opened
from socialflow.platform import database
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.publishing.networks.atproto import Session
from socialflow.publishing.networks.bluesky import Bluesky
from socialflow.publishing.networks.port import Gone, Identity, Later, Refused
from tests.integration.publishing.bluesky.conftest import PUT, REFRESH, Sky
from tests.wire import Fault

WORKERS = 32
CREATE = "/xrpc/com.atproto.server.createSession"
DELETE = "/xrpc/com.atproto.server.deleteSession"


def connect(account: Account, token: str) -> Bluesky:
    return Bluesky(account.base_url, token)


def credentials(sky: Sky) -> Credentials:
    account_id = sky.desk.value("SELECT id FROM t_acme.social_accounts WHERE network = 'bluesky'")
    with transaction(sky.desk.tenant) as tx:
        found = accounts.credentials(tx, account_id)
    assert found is not None
    return found


def spend(sky: Sky) -> Credentials:
    """Let the session be used up by our clock."""
    found = credentials(sky)
    session = json.loads(tokens.token(sky.desk.tenant, found)) | {"renew_at": 0.0}
    sealed = tokens.seal(sky.desk.tenant, found.account.profile, json.dumps(session))
    sky.desk.owner.execute("UPDATE t_acme.social_accounts SET secret = %s WHERE id = %s", (sealed, found.account.id))
    return credentials(sky)


def test_an_account_says_whose_it_is(sky: Sky) -> None:
    reply = sky.connect(handle=f" @{sky.owner.handle.upper()} ")
    assert reply.status == 201, reply
    assert (reply.json["remote_account"], reply.json["remote_name"]) == (sky.owner.did, f"@{sky.owner.handle}")
    assert reply.json["capabilities"] == {"record_key": True}
    assert sky.connect().status == 200


def test_neither_password_nor_tokens_are_anywhere_but_sealed(sky: Sky) -> None:
    reply = sky.connect()
    session = Session.of(tokens.token(sky.desk.tenant, credentials(sky)))
    rows = [
        sky.desk.owner.execute(f"SELECT a::text FROM {table} a").fetchall()
        for table in ("t_acme.social_accounts", "cell.outbox", "t_acme.audit_log")
    ]
    told = json.dumps([reply.text, sky.desk.editor.get("/v1/accounts").text, rows])
    for secret in (sky.owner.app_password, session.access, session.refresh):
        assert secret not in told
    assert sky.owner.app_password not in tokens.token(sky.desk.tenant, credentials(sky))


@pytest.mark.parametrize(
    ("changed", "pointer", "word"),
    [
        ({"app_password": "aaaa-bbbb-cccc-dddd"}, "/app_password", "does not take this app password"),
        ({"app_password": "the-account's-own"}, "/app_password", "no app password"),
        ({"handle": "nobody.test"}, "/handle", "Nobody has the handle"),
        ({"handle": "../../admin"}, "/handle", "no handle"),
        ({"handle": "acme"}, "/handle", "no handle"),
        ({"handle": None}, "/handle", "send handle and app_password"),
        ({"app_password": None}, "/app_password", "send handle and app_password"),
        ({"access_token": "a-token"}, "/access_token", "send handle and app_password"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(sky: Sky, changed: dict[str, Any], pointer: str, word: str) -> None:
    reply = sky.connect(**changed)
    assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, pointer), reply
    assert word in reply.json["detail"]
    assert sky.desk.value("SELECT count(*) FROM t_acme.social_accounts") == 0


def test_the_accounts_own_password_never_leaves(sky: Sky) -> None:
    sky.connect(app_password="the-account's-own")
    assert sky.pds.wire.asked("POST", CREATE) == 0


def test_an_account_that_may_not_post_is_not_connected(sky: Sky) -> None:
    sky.pds.deactivate(sky.owner)
    reply = sky.connect()
    assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, "/handle"), reply
    assert "deactivated" in reply.json["detail"]
    sky.pds.take_down(sky.owner)
    reply = sky.connect()
    assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, "/handle"), reply


@pytest.mark.parametrize("fault", ["down", "garbage", "bad gateway", "limited", "question lost", "redirect"])
def test_a_server_that_does_not_answer_is_said_to(sky: Sky, fault: Fault) -> None:
    sky.pds.wire.fail("POST", CREATE, fault)
    reply = sky.connect()
    assert (reply.status, reply.code) == (422, "server-unusable"), reply


def test_a_mastodon_is_no_bluesky(sky: Sky) -> None:
    reply = sky.connect(base_url=sky.desk.mastodon.url)
    assert (reply.status, reply.code) == (422, "server-unusable"), reply


def test_of_many_who_need_it_one_renews(sky: Sky) -> None:
    sky.account()
    spent = spend(sky)
    together = threading.Barrier(WORKERS)

    def work(_: int) -> str:
        try:
            together.wait(timeout=30)
            gateway = opened(sky.desk.tenant, spent, connect)
            assert isinstance(gateway.identify(seconds=8.0), Identity)
            return tokens.token(sky.desk.tenant, credentials(sky))
        finally:
            database.forget()

    with ThreadPoolExecutor(WORKERS) as pool:
        held = list(pool.map(work, range(WORKERS)))
    assert sky.pds.wire.asked("POST", REFRESH) == 1
    assert len(set(held)) == 1


def test_a_post_whose_session_is_over_is_published_with_the_next(sky: Sky) -> None:
    post = sky.desk.post("Refreshed", accounts=[sky.account()])
    run = sky.desk.ready(post["id"])
    before = spend(sky).sealed
    assert sky.desk.publish(post["id"], run)["outcome"] == "done"
    assert sky.texts() == ["Refreshed"]
    assert sky.pds.wire.asked("POST", REFRESH) == 1
    assert sky.sealed() != before


def test_what_was_connected_again_meanwhile_stays(sky: Sky) -> None:
    sky.account()
    spent = spend(sky)
    sky.desk.meanwhile_at(sky.pds.wire, "POST", REFRESH, sky.connect)
    gateway = opened(sky.desk.tenant, spent, connect)
    assert isinstance(gateway.identify(seconds=8.0), Identity)
    kept = Session.of(tokens.token(sky.desk.tenant, credentials(sky)))
    assert sky.pds.wire.asked("POST", REFRESH) == 1
    assert not kept.spent(now())
    assert gateway._session == kept


def test_an_account_that_is_disconnected_meanwhile_is_not_connected_again(sky: Sky) -> None:
    account = sky.account()
    spent = spend(sky)
    sky.desk.meanwhile_at(sky.pds.wire, "POST", REFRESH, lambda: sky.desk.admin.delete(f"/v1/accounts/{account}"))
    with pytest.raises(Disconnected):
        opened(sky.desk.tenant, spent, connect)
    # What the server has given meanwhile is what is given back.
    given = Session.of(kept_token(sky, spent))
    sky.desk.let_look_be_due()
    check_accounts({}, None)
    assert sky.sealed() == b""
    assert sky.pds.wire.asked("POST", DELETE) == 1
    assert isinstance(Bluesky(sky.pds.url, given.document()).renew(seconds=8.0), Refused)


def kept_token(sky: Sky, spent: Credentials) -> str:
    """Return the token as it is kept, also of an account that is connected no more."""
    return tokens.token(sky.desk.tenant, Credentials(spent.account, sky.sealed()))


def test_a_session_ends_with_its_account(sky: Sky) -> None:
    account = sky.account()
    session = tokens.token(sky.desk.tenant, credentials(sky))
    assert sky.desk.admin.delete(f"/v1/accounts/{account}").status == 204
    fact = {"detail": {"tenant": "acme", "aggregate": {"type": "account", "id": account}}}
    assert check_accounts(fact, None) == {"looked_at": 1, "failed": []}
    assert sky.sealed() == b""
    assert isinstance(Bluesky(sky.pds.url, session).renew(seconds=8.0), Refused)
    assert check_accounts(fact, None) == {"looked_at": 0, "failed": []}
    assert sky.pds.wire.asked("POST", DELETE) == 1


def test_a_session_that_is_over_is_given_back_already(sky: Sky) -> None:
    account = sky.account()
    session = Bluesky(sky.pds.url, tokens.token(sky.desk.tenant, credentials(sky)))
    assert isinstance(session.revoke(seconds=8.0), Gone)
    sky.desk.admin.delete(f"/v1/accounts/{account}")
    check_accounts({}, None)
    assert sky.sealed() == b""


def test_a_session_that_nobody_uses_is_kept_alive_by_looking(sky: Sky) -> None:
    account = sky.account()
    spend(sky)
    sky.desk.let_look_be_due()
    assert check_accounts({}, None) == {"looked_at": 1, "failed": []}
    assert not Session.of(tokens.token(sky.desk.tenant, credentials(sky))).spent(now())
    assert sky.pds.wire.asked("POST", REFRESH) == 1
    assert sky.desk.editor.get(f"/v1/accounts/{account}").json["checked_at"] is not None


def test_a_session_that_cannot_be_renewed_fails_the_target_in_words(sky: Sky) -> None:
    post = sky.desk.post("Revoked", accounts=[sky.account()])
    run = sky.desk.ready(post["id"])
    spent = spend(sky)
    session = json.loads(tokens.token(sky.desk.tenant, spent)) | {"refresh": "e30.e30.s"}
    sealed = tokens.seal(sky.desk.tenant, spent.account.profile, json.dumps(session))
    sky.desk.owner.execute("UPDATE t_acme.social_accounts SET secret = %s WHERE id = %s", (sealed, spent.account.id))
    assert sky.desk.publish(post["id"], run)["outcome"] == "done"
    problem = sky.desk.target(post["id"])["problem"]
    assert (problem["code"], sky.texts()) == ("invalid-credentials", [])
    assert "Connect the account again" in problem["detail"]


def test_a_server_that_cannot_renew_now_is_not_asked_by_everybody(sky: Sky) -> None:
    post = sky.desk.post("Patience", accounts=[sky.account()])
    run = sky.desk.ready(post["id"])
    spent = spend(sky)
    sky.pds.wire.fail("POST", REFRESH, "down")
    with pytest.raises(NotRenewed) as told:
        opened(sky.desk.tenant, spent, connect)
    assert isinstance(told.value.answer, Later)
    lease = sky.desk.value("SELECT renewing_until - now() FROM t_acme.social_accounts WHERE network = 'bluesky'")
    assert lease > timedelta(seconds=5)
    sky.desk.owner.execute("UPDATE t_acme.social_accounts SET renewing_until = now()")
    assert sky.desk.publish(post["id"], run)["outcome"] == "done"
    assert (sky.texts(), sky.pds.wire.asked("POST", REFRESH)) == (["Patience"], 2)


def test_while_a_session_cannot_be_renewed_nothing_is_sent_and_it_is_tried_again(sky: Sky) -> None:
    post = sky.desk.post("Later", accounts=[sky.account()])
    run = sky.desk.ready(post["id"])
    spend(sky)
    sky.pds.wire.fail("POST", REFRESH, "limited")
    assert sky.desk.publish(post["id"], run)["outcome"] == "wait"
    assert sky.pds.wire.asked("POST", PUT) == 0
    sky.desk.let_pause_pass(post["id"])
    sky.desk.owner.execute("UPDATE t_acme.social_accounts SET renewing_until = now()")
    assert sky.desk.publish(post["id"], run)["outcome"] == "done"
    assert sky.texts() == ["Later"]


def test_another_accounts_session_is_not_taken(sky: Sky) -> None:
    """A server that answers a renewal with somebody else's session is not believed."""
    sky.account()
    session = Session.of(tokens.token(sky.desk.tenant, credentials(sky)))
    stranger = Session("did:plc:stranger", session.access, session.refresh, 0.0)
    answer = Bluesky(sky.pds.url, stranger.document()).renew(seconds=8.0)
    assert isinstance(answer, Refused | Later)
