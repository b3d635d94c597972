"""Making API keys: by whom, with what, how many; and that a secret is nowhere but with its holder."""

import io
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Barrier
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from socialflow.entitlements.model import LimitReached, limit
from socialflow.identity import api_key_service as service
from socialflow.identity.api_key_service import Wish
from socialflow.identity.api_keys import SCOPES, ApiKeyAlreadyMade
from socialflow.identity.model import PERMISSIONS, permissions_of
from socialflow.platform import database
from socialflow.platform.caller import Membership, User
from socialflow.platform.clock import now
from socialflow.platform.database import control
from socialflow.platform.idempotency import Claim
from socialflow.platform.observability import logger
from socialflow.platform.tenancy import Tenant
from tests.integration.access.conftest import MadeKey, holder
from tests.integration.conftest import Member

UPLOAD = {"file_name": "a.jpg", "content_type": "image/jpeg", "size": 10}
ZEROS = "0" * 64


@pytest.fixture
def every_log_line() -> Iterator[io.StringIO]:
    """What the functions write to their log, in the shape in which they do."""
    lines, log = io.StringIO(), logging.getLogger(logger.service)
    handler = logging.StreamHandler(lines)
    handler.setFormatter(logger.registered_formatter)
    log.addHandler(handler)
    yield lines
    log.removeHandler(handler)


def test_a_key_is_shown_once(made_key: MadeKey, member: Member) -> None:
    made = made_key("media:read", "ai:use", "ai:use", name="  Importer ")
    assert made["name"] == "Importer"
    assert made["scopes"] == made["permissions"] == ["ai:use", "media:read"]
    assert made["state"] == "active"
    assert made["created_by_name"] == "Owner of acme"
    shown = member("admin").get(f"/v1/api-keys/{made['id']}")
    assert shown.json == {name: value for name, value in made.items() if name != "key"}
    listed = member("admin").get("/v1/api-keys")
    assert listed.json["items"] == [shown.json]
    assert made["key"].removeprefix(f"sf_{made['prefix']}_") not in shown.text + listed.text


def test_the_secret_is_kept_nowhere(
    member: Member, owner: psycopg.Connection, acme: Tenant, every_log_line: io.StringIO
) -> None:
    asked = {"name": "One", "scopes": ["media:read", "media:write"]}
    key = member("owner").post("/v1/api-keys", asked, idempotency_key="k").json["key"]
    holder(key).get("/v1/media")
    holder(key).post("/v1/media/uploads", UPLOAD, idempotency_key="u")
    holder(key[:-1] + "x").get("/v1/media")
    holder(key).get("/v1/me")
    secret = key.rpartition("_")[2]
    for schema, table in owner.execute(
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('control', 'cell', 't_acme', 't_contoso')"
    ).fetchall():
        query = sql.SQL("SELECT count(*) FROM {} x WHERE x::text LIKE {}")
        found = owner.execute(query.format(sql.Identifier(schema, table), sql.Literal(f"%{secret}%"))).fetchone()
        assert found == (0,), (schema, table)
    logged = every_log_line.getvalue()
    assert logged.count("Answered") == 5
    assert secret[:-1] not in logged


@pytest.mark.parametrize("scope", sorted(PERMISSIONS - SCOPES))
def test_no_key_can_be_given_what_only_people_do(scope: str, member: Member) -> None:
    reply = member("owner").post("/v1/api-keys", {"name": "Mighty", "scopes": ["media:read", scope]})
    assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, "/scopes/1")
    assert member("owner").get("/v1/api-keys").json["items"] == []


def test_nobody_gives_what_they_do_not_have(member: Member) -> None:
    lacking = SCOPES - permissions_of("admin")
    assert lacking == {"billing:read"}
    reply = member("admin").post("/v1/api-keys", {"name": "Auditor", "scopes": ["media:read", "billing:read"]})
    assert (reply.status, reply.code) == (422, "scope-not-grantable")
    assert [(error["pointer"], error["code"]) for error in reply.json["errors"]] == [("/scopes/1", "not-yours")]
    for role in ("editor", "viewer"):
        reply = member(role).post("/v1/api-keys", {"name": "Mine", "scopes": ["media:read"]})
        assert reply.code == "permission-denied"
        assert member(role).get("/v1/api-keys").code == "permission-denied"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "", "scopes": ["media:read"]},
        {"name": "   ", "scopes": ["media:read"]},
        {"name": "a\nb", "scopes": ["media:read"]},
        {"name": "x" * 201, "scopes": ["media:read"]},
        {"name": "a", "scopes": []},
        {"name": "a", "scopes": ["*"]},
        {"name": "a", "scopes": "media:read"},
        {"name": "a", "scopes": [None]},
        {"name": "a", "scopes": ["media:read"] * 51},
        {"name": "a", "scopes": ["media:read"], "expires_in_days": 0},
        {"name": "a", "scopes": ["media:read"], "expires_in_days": -1},
        {"name": "a", "scopes": ["media:read"], "expires_in_days": 366},
        {"name": "a", "scopes": ["media:read"], "expires_in_days": 1.5},
        {"name": "a", "scopes": ["media:read"], "expires_in_days": "90"},
        {"name": "a", "scopes": ["media:read"], "expires_in_days": True},
        {"name": "a", "scopes": ["media:read"], "expires_in_days": None},
        {"name": "a", "scopes": ["media:read"], "created_by": str(uuid4())},
        {"name": "a", "scopes": ["media:read"], "key": f"sf_{'0' * 16}_{ZEROS}"},
    ],
)
def test_a_wish_that_makes_no_sense_makes_no_key(body: object, member: Member) -> None:
    assert member("owner").post("/v1/api-keys", body).status == 422
    assert member("owner").get("/v1/api-keys").json["items"] == []


@pytest.mark.parametrize(("asked", "days"), [({}, 90), ({"expires_in_days": 1}, 1), ({"expires_in_days": 365}, 365)])
def test_a_key_lasts_as_long_as_was_asked(asked: dict[str, int], days: int, member: Member) -> None:
    made = member("owner").post("/v1/api-keys", {"name": "a", "scopes": ["media:read"], **asked}).json
    lasts = datetime.fromisoformat(made["expires_at"]) - datetime.fromisoformat(made["created_at"])
    assert lasts == timedelta(days=days)


def test_a_repeat_makes_no_second_key_and_shows_no_secret(member: Member) -> None:
    asked = {"name": "One", "scopes": ["media:read"]}
    first = member("owner").post("/v1/api-keys", asked, idempotency_key="k")
    again = member("owner").post("/v1/api-keys", asked, idempotency_key="k")
    assert (again.status, again.code, again.json["id"]) == (409, "api-key-already-made", first.json["id"])
    assert first.json["key"].rpartition("_")[2] not in again.text
    other = member("owner").post("/v1/api-keys", asked | {"name": "Two"}, idempotency_key="k")
    assert (other.status, other.code) == (422, "idempotency-key-reused")
    assert len(member("owner").get("/v1/api-keys").json["items"]) == 1
    assert member("admin").post("/v1/api-keys", asked, idempotency_key="k").status == 201, "another's key is theirs"
    assert member("owner", "contoso").post("/v1/api-keys", asked, idempotency_key="k").status == 201


def test_parallel_repeats_make_one_key(acme: Tenant) -> None:
    maker = Membership(User(uuid4(), "", "Somebody"), acme, "owner", permissions_of("owner"))
    wish = Wish("One", ("media:read",), claim=Claim("somebody", "POST /v1/api-keys", "k", b"asked"))

    def make(_: int) -> str:
        try:
            with control() as connection:
                return service.create(connection, maker, wish, at=now())[1][:3]
        except ApiKeyAlreadyMade as refusal:
            return refusal.code
        finally:
            database.forget()

    with ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(make, range(8))) == ["api-key-already-made"] * 7 + ["sf_"]


def test_a_plan_includes_so_many_keys_that_work(made_key: MadeKey, owner: psycopg.Connection, member: Member) -> None:
    owner.execute("UPDATE control.tenants SET plan = 'pro'")
    most = limit("pro", "api")
    assert most is not None
    made = [made_key("media:read") for _ in range(most)]
    body = {"name": "One more", "scopes": ["media:read"]}
    refused = member("owner").post("/v1/api-keys", body)
    assert (refused.status, refused.code) == (402, "limit-reached")
    assert (refused.json["meter"], refused.json["used"], refused.json["limit"]) == ("api", most, most)
    assert "Revoke a key" in refused.json["detail"]
    assert member("owner", "contoso").post("/v1/api-keys", body).status == 201
    member("owner").delete(f"/v1/api-keys/{made[0]['id']}")
    assert member("owner").post("/v1/api-keys", body).status == 201
    owner.execute("UPDATE control.api_keys SET created_at = created_at - interval '91 d', expires_at = now()")
    assert member("owner").post("/v1/api-keys", body).status == 201


def test_parallel_makers_get_no_more_keys_than_the_plan_includes(acme: Tenant) -> None:
    begin = Barrier(16)

    def make(n: int) -> str:
        maker = Membership(User(uuid4(), "", "Somebody"), replace(acme, plan="pro"), "owner", permissions_of("owner"))
        begin.wait()
        try:
            with control() as connection:
                return service.create(connection, maker, Wish(f"Key {n}", ("media:read",)), at=now())[1][:3]
        except LimitReached as refusal:
            return refusal.code
        finally:
            database.forget()

    with ThreadPoolExecutor(16) as threads:
        assert sorted(threads.map(make, range(16))) == ["limit-reached"] * 11 + ["sf_"] * 5


def test_keys_are_listed_page_by_page(made_key: MadeKey, member: Member) -> None:
    made = [made_key("media:read", name=f"Key {n}")["id"] for n in range(5)]
    made_key("media:read", slug="contoso")
    seen, cursor = [], ""
    while True:
        page = member("admin").get(f"/v1/api-keys?limit=2{cursor}").json
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == made[::-1]
