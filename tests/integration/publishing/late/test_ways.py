"""Late's key, its accounts, and the way that a network's posts take: chosen before the first attempt, never after."""

from uuid import UUID

import psycopg
import pytest

from socialflow.accounts import late
from socialflow.accounts import service as accounts
from socialflow.accounts.model import NotConnected, Profile, UnknownLateKey
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.ids import new_id
from socialflow.platform.tenancy import Tenant
from socialflow.publishing.networks.grants import Grant
from tests.integration.publishing.late.conftest import KEY, Desked
from tests.integration.publishing.places import granted
from tests.integration.publishing.x.conftest import x_server
from tests.peers.late import Late
from tests.peers.x import User, X

__all__ = ["x_server"]


@pytest.fixture
def both(ldesk: Desked, x_server: X) -> tuple[Desked, User, str]:
    """An account of X that is connected directly, and at Late too; return the desk, its user there, and its id."""
    x_server.wire.reset()
    user = x_server.user()
    ldesk.theirs.own_id = user.id
    profile = Profile("x", x_server.url, user.id, f"@{user.username}")
    account = granted(ldesk.desk, profile, Grant(user.token, user.refresh, now().timestamp() + 7200))
    assert ldesk.account() == account
    return ldesk, user, account


def _texts(user: User) -> list[str]:
    return [text for text, _ in user.said]


def test_a_key_is_verified_and_its_accounts_are_listed(ldesk: Desked, late_server: Late) -> None:
    late_server.account("mastodon", KEY)
    late_server.account("youtube", KEY)
    other = late_server.account("instagram", KEY)
    reply = ldesk.put()
    assert reply.status == 200
    assert {one["id"] for one in reply.json["accounts"]} == {ldesk.theirs.id, other.id}
    assert {one["account_id"] for one in reply.json["accounts"]} == {None}
    assert reply.json["webhook"]["path"].startswith("/v1/webhooks/late/")
    assert reply.json["webhook"]["secret"]
    again = ldesk.put(accounts=[other.id])
    assert again.json["webhook"] == {**reply.json["webhook"], "secret": None}
    read = ldesk.desk.admin.get("/v1/networks/late").json
    assert [one["id"] for one in read["accounts"]] == [other.id]
    renewed = ldesk.put(renew_webhook=True).json["webhook"]
    assert renewed["secret"] != reply.json["webhook"]["secret"]
    assert renewed["path"] != reply.json["webhook"]["path"]


@pytest.mark.parametrize("key", ["sk_nobody_here", "sk with blanks", "sk_\u00e4\u00f6\u00fc_12345", "sk_12345\n"])
def test_a_key_that_late_does_not_take_is_not_kept(ldesk: Desked, key: str) -> None:
    reply = ldesk.put(api_key=key)
    assert (reply.status, reply.json["code"]) == (422, "credentials-refused")
    assert key.strip() not in reply.text
    assert ldesk.desk.admin.get("/v1/networks/late").status == 404


def test_a_server_that_does_not_answer_is_told(ldesk: Desked) -> None:
    ldesk.server.wire.fail("GET", "/api/v1/accounts", "down")
    assert ldesk.put().json["code"] == "server-unusable"


def test_an_account_that_the_key_does_not_reach_is_refused(ldesk: Desked, late_server: Late) -> None:
    others = late_server.account("twitter", "sk_contoso_0123")
    reply = ldesk.put(accounts=[ldesk.theirs.id, others.id])
    assert (reply.status, reply.json["code"]) == (422, "not-reached")
    assert reply.json["errors"][0]["pointer"] == "/accounts/1"
    assert ldesk.desk.admin.get("/v1/accounts").json["items"] == []


def test_who_may_not_manage_settings_may_not_set_it(ldesk: Desked) -> None:
    assert ldesk.desk.editor.request("PUT", "/v1/networks/late", {"api_key": KEY}).status == 403
    assert ldesk.desk.editor.get("/v1/networks/late").status == 403
    assert ldesk.desk.editor.request("PUT", "/v1/networks/x/route", {"route": "late"}).status == 403
    assert ldesk.desk.editor.request("DELETE", "/v1/networks/late").status == 403


def test_a_key_leaves_by_no_door(ldesk: Desked, owner: psycopg.Connection) -> None:
    secret = ldesk.put(accounts=[ldesk.theirs.id]).json["webhook"]["secret"]
    told = str(ldesk.desk.admin.get("/v1/networks/late").json) + str(ldesk.desk.admin.get("/v1/accounts").json)
    kept = str(owner.execute("SELECT * FROM t_acme.late_keys").fetchall())
    audited = str(owner.execute("SELECT changes::text FROM t_acme.audit_log").fetchall())
    for text in (told, kept, audited):
        assert KEY not in text
        assert secret not in text


def test_the_key_is_another_tenants_nothing(ldesk: Desked, contoso: Tenant) -> None:
    account = ldesk.account()
    with transaction(contoso) as tx:
        with pytest.raises(UnknownLateKey):
            late.key(tx)
        with pytest.raises(NotConnected):
            late.choose(tx, "x", "late", by=new_id(), at=now())
        assert accounts.credentials(tx, UUID(account)) is None


def test_without_the_key_its_accounts_are_not_connected(ldesk: Desked) -> None:
    account = ldesk.account()
    assert ldesk.choose("x", "late").status == 200
    assert ldesk.desk.admin.request("DELETE", "/v1/networks/late").status == 204
    assert ldesk.desk.admin.get(f"/v1/accounts/{account}").status == 404
    assert ldesk.desk.admin.request("DELETE", "/v1/networks/late").status == 404
    listed = {one["network"]: one["route"] for one in ldesk.desk.admin.get("/v1/networks").json["items"]}
    assert set(listed.values()) == {"direct"}
    assert ldesk.account() == account


def test_an_account_that_a_new_key_does_not_reach_is_not_connected(ldesk: Desked, late_server: Late) -> None:
    account = ldesk.account()
    late_server.account("bluesky", "sk_acme_other")
    assert ldesk.put(api_key="sk_acme_other").status == 200
    assert ldesk.desk.admin.get(f"/v1/accounts/{account}").status == 404


def test_the_way_is_chosen_and_shown(both: tuple[Desked, User, str]) -> None:
    ldesk, _, _ = both
    reply = ldesk.choose("twitter", "late")
    assert (reply.status, reply.json) == (200, {"network": "x", "route": "late", "routes": ["direct", "late"]})
    listed = {one["network"]: one for one in ldesk.desk.editor.get("/v1/networks").json["items"]}
    assert listed["x"]["route"] == "late"
    assert listed["mastodon"] == {"network": "mastodon", "route": "direct", "routes": ["direct"]}
    assert ldesk.choose("mastodon", "late").status == 422
    assert ldesk.choose("myspace", "late").status == 422
    assert ldesk.choose("x", "by pigeon").status == 422
    author = ldesk.desk.value(
        "SELECT count(*) FROM t_acme.audit_log WHERE action LIKE 'route.%%' AND actor_id IS NOT NULL"
    )
    assert author == 1


def test_a_post_goes_the_way_that_is_chosen(both: tuple[Desked, User, str]) -> None:
    ldesk, user, account = both
    for route, text in (("direct", "Directly"), ("late", "By Late"), ("direct", "Directly again")):
        ldesk.choose("x", route)
        post = ldesk.desk.post(text, accounts=[account])
        ldesk.desk.publish(post["id"], ldesk.desk.ready(post["id"]))
        assert ldesk.desk.target(post["id"])["state"] == "published"
    assert (_texts(user), ldesk.said()) == (["Directly", "Directly again"], ["By Late"])


@pytest.mark.parametrize(("first", "second"), [("direct", "late"), ("late", "direct")])
def test_what_was_not_attempted_is_prepared_anew(both: tuple[Desked, User, str], first: str, second: str) -> None:
    ldesk, user, account = both
    desk = ldesk.desk
    ldesk.choose("x", first)
    post = desk.post("Switched", accounts=[account])
    run = desk.ready(post["id"])
    assert ldesk.choose("x", second).status == 200
    assert desk.target(post["id"])["state"] == "scheduled"
    assert desk.value("SELECT prepared_hash FROM t_acme.targets") is None
    assert desk.value("SELECT wake_at <= now() FROM cell.work WHERE id = %s", post["id"]) is True
    assert desk.publish(post["id"], run)["outcome"] == "left"
    assert desk.publish(post["id"], desk.ready(post["id"]))["outcome"] == "done"
    out = (_texts(user), ldesk.said())
    assert out == (([], ["Switched"]) if second == "late" else (["Switched"], []))


@pytest.mark.parametrize(("first", "second"), [("direct", "late"), ("late", "direct")])
def test_what_was_attempted_keeps_its_way(both: tuple[Desked, User, str], x_server: X, first: str, second: str) -> None:
    ldesk, user, account = both
    desk = ldesk.desk
    ldesk.choose("x", first)
    post = desk.post("Kept", accounts=[account])
    run = desk.ready(post["id"])
    x_server.wire.fail("POST", "/2/tweets", 429)
    ldesk.server.wire.fail("PUT", "/api/v1/posts/", 429)
    assert desk.publish(post["id"], run)["outcome"] == "wait"
    ldesk.choose("x", second)
    assert desk.target(post["id"])["state"] == "prepared"
    desk.let_pause_pass(post["id"])
    assert desk.publish(post["id"], run)["outcome"] == "done"
    assert (_texts(user), ldesk.said()) == ((["Kept"], []) if first == "direct" else ([], ["Kept"]))


@pytest.mark.parametrize(("first", "second"), [("direct", "late"), ("late", "direct")])
def test_evidence_is_asked_for_where_it_was_sent(
    both: tuple[Desked, User, str], x_server: X, first: str, second: str
) -> None:
    ldesk, user, account = both
    desk = ldesk.desk
    ldesk.choose("x", first)
    post = desk.post("Evidence", accounts=[account])
    run = desk.ready(post["id"])
    x_server.wire.fail("POST", "/2/tweets", "answer lost")
    ldesk.server.wire.fail("PUT", "/api/v1/posts/", "answer lost")
    assert desk.publish(post["id"], run)["outcome"] == "unconfirmed"
    ldesk.choose("x", second)
    assert desk.confirm(post["id"], run)["outcome"] == "done"
    assert desk.target(post["id"])["state"] == "published"
    assert len(_texts(user)) + len(ldesk.said()) == 1


def test_a_switch_while_it_is_prepared_publishes_nothing_the_old_way(both: tuple[Desked, User, str]) -> None:
    ldesk, user, account = both
    desk = ldesk.desk
    ldesk.choose("x", "late")
    post = desk.post("Meanwhile", accounts=[account])
    run = desk.start(post["id"])
    desk.open(post["id"], run)
    desk.meanwhile_at(ldesk.server.wire, "POST", "/api/v1/posts", lambda: ldesk.choose("x", "direct"))
    assert desk.prepare(post["id"], run)["outcome"] == "left"
    assert desk.publish(post["id"], desk.ready(post["id"]))["outcome"] == "done"
    assert (_texts(user), ldesk.said()) == (["Meanwhile"], [])


def test_what_was_prepared_for_the_other_way_is_not_claimed(both: tuple[Desked, User, str]) -> None:
    ldesk, user, account = both
    desk = ldesk.desk
    post = desk.post("Not noticed", accounts=[account])
    run = desk.ready(post["id"])
    desk.owner.execute("INSERT INTO t_acme.routes VALUES ('x', 'late', gen_random_uuid(), now())")
    assert desk.publish(post["id"], run)["outcome"] == "left"
    assert desk.target(post["id"])["state"] == "scheduled"
    assert desk.publish(post["id"], desk.ready(post["id"]))["outcome"] == "done"
    assert (_texts(user), ldesk.said()) == ([], ["Not noticed"])


def test_an_account_of_one_way_takes_that(ldesk: Desked) -> None:
    ldesk.choose("x", "direct")
    assert ldesk.publish("By Late nevertheless")["state"] == "published"
    assert ldesk.said() == ["By Late nevertheless"]
