"""Two tenants with the same ids: nothing of the other's is ever in an answer, and nothing of the other's is changed.

Every row of contoso's is a copy of one of acme's, under the same id, with its texts replaced by a canary. Then acme's
people and machines ask every route of the API's document for it, in paths, bodies, queries and preconditions.
"""

import importlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.errors import InsufficientPrivilege

from socialflow.identity.api_keys import SCOPES
from socialflow.platform.database import Transaction, transaction
from socialflow.platform.tenancy import Tenant
from tests.api import FUNCTIONS, Client, Issuer, event
from tests.conftest import Cloud
from tests.integration.access.conftest import MadeKey, holder
from tests.integration.access.routes import DOCUMENT, ROUTES, Route, digest
from tests.integration.conftest import Member
from tests.integration.given import World
from tests.integration.given.media import photo_in_review
from tests.integration.given.publishing import scheduled_post

CANARY = "CANARY-of-contoso"
LEAST = 500
CALLERS = ("owner", "editor", "key")
TASKS = sorted(path.parent.name for path in FUNCTIONS.glob("task_*/handler.py"))


def attempts(route: Route, ids: list[str]) -> Iterator[tuple[str, str, dict[str, str], str | None]]:
    """Yield caller, address, headers and body of everything that is tried on a route."""
    plain = json.dumps(value_of(route.body, ids[0])) if route.body else None
    for caller in CALLERS:
        for known in ids:
            path = route.path(known)
            body = json.dumps(value_of(route.body, known)) if route.body else None
            yield caller, path, {}, body
            yield caller, path, {"if-match": '"1"', "idempotency-key": "the-same"}, body
            yield caller, f"{path}?id={known}&tenant=contoso&media_id={known}&limit=200", {}, body
        yield caller, route.path("contoso"), {"x-tenant": "contoso", "x-forwarded-host": "contoso.test"}, plain


def value_of(schema: Mapping[str, Any], known: str) -> Any:
    """Return something that a schema takes, with the known id wherever an id may stand."""
    if "$ref" in schema:
        return value_of(DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]], known)
    several = next((schema[name] for name in ("anyOf", "oneOf", "allOf") if name in schema), None)
    if several:
        return value_of(several[0], known)
    kind = schema.get("type")
    if kind == "object":
        return {name: value_of(each, known) for name, each in schema.get("properties", {}).items()}
    if kind == "array":
        return [value_of(schema.get("items", {}), known)]
    plain = {"integer": 1, "number": 1, "boolean": True, "null": None}
    return schema["enum"][0] if "enum" in schema else plain.get(str(kind), known)


@pytest.fixture
def shared_ids(acme: Tenant, contoso: Tenant, cloud: Cloud, issuer: Issuer, owner: psycopg.Connection) -> list[str]:
    """Fill acme, copy every row to contoso under the same ids, and put the canary into the copies."""
    world = World(acme, contoso, cloud, issuer, owner)
    known = {**photo_in_review(world), **scheduled_post(world)}
    _copy(owner)
    _mark(owner)
    return [known[name] for name in ("media_id", "post_id", "target_id", "account_id")]


def _tables(owner: psycopg.Connection) -> list[str]:
    rows = owner.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 't_acme' AND tablename NOT LIKE 'audit%'"
        " AND tablename <> 'schema_migrations'"
    )
    return [name for (name,) in rows.fetchall()]


def _columns(owner: psycopg.Connection, table: str, kinds: tuple[str, ...] = ()) -> list[str]:
    rows = owner.execute(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 't_acme'"
        " AND table_name = %s AND is_generated = 'NEVER' AND is_identity = 'NO'",
        (table,),
    ).fetchall()
    return [name for name, kind in rows if not kinds or kind in kinds]


def _copy(owner: psycopg.Connection) -> None:
    left = _tables(owner)
    for _ in range(len(left)):  # what refers to another comes after it
        for table in list(left):
            names = sql.SQL(", ").join(map(sql.Identifier, _columns(owner, table)))
            copy = sql.SQL("INSERT INTO t_contoso.{0} ({1}) SELECT {1} FROM t_acme.{0}")
            try:
                with owner.transaction():
                    owner.execute(copy.format(sql.Identifier(table), names))
            except psycopg.errors.ForeignKeyViolation:
                continue
            left.remove(table)
    assert left == []


def _mark(owner: psycopg.Connection) -> None:
    marked = 0
    for table in _tables(owner):
        for column in _columns(owner, table, ("text",)):
            mark = sql.SQL("UPDATE t_contoso.{} SET {} = %s").format(sql.Identifier(table), sql.Identifier(column))
            try:
                with owner.transaction():
                    marked += owner.execute(mark, (CANARY,)).rowcount
            except psycopg.errors.CheckViolation:  # a state, not a text
                continue
    assert marked >= 5


def _of_contoso(owner: psycopg.Connection) -> dict[str, object]:
    """All that is contoso's: its schema, and its rows of what is shared."""
    shared = {
        "work": "SELECT * FROM cell.work WHERE tenant = 'contoso' ORDER BY 1, 2, 3",
        "outbox": "SELECT * FROM cell.outbox WHERE tenant = 'contoso' ORDER BY 1",
        "tenant": "SELECT * FROM control.tenants WHERE slug = 'contoso'",
        "members": "SELECT m.* FROM control.members m JOIN control.tenants t ON t.id = tenant_id"
        " WHERE slug = 'contoso' ORDER BY 2",
    }
    return {**digest(owner, "t_contoso"), **{name: owner.execute(query).fetchall() for name, query in shared.items()}}


def _check_clean(text: str, contoso: Tenant, where: object) -> None:
    for trace in (CANARY, "tenants/contoso", str(contoso.id), "t_contoso"):
        assert trace not in text, (trace, where)


WALKED = [route for route in ROUTES if not route.public]


def test_these_are_at_least_five_hundred_attempts() -> None:
    tried = sum(len(list(attempts(route, ["one", "two", "three", "four"]))) for route in WALKED)
    assert tried >= LEAST


def test_the_canary_is_there_for_whoever_may_see_it(shared_ids: list[str], member: Member) -> None:
    """Without this, all the rest would be found true of an empty tenant."""
    media, post, _target, account = shared_ids
    for path in (f"/v1/media/{media}", f"/v1/posts/{post}", f"/v1/accounts/{account}", f"/v1/media/{media}/captions"):
        theirs, own = member("owner", "contoso").get(path), member("owner").get(path)
        assert own.status == 200
        assert CANARY not in own.text
        assert "captions" in path or CANARY in theirs.text


@pytest.fixture
def callers(member: Member, made_key: MadeKey) -> dict[str, Client]:
    """Acme's people and a machine of acme's, by the names of `CALLERS`."""
    people = {role: member(role) for role in ("owner", "editor")}
    return {**people, "key": holder(made_key(*SCOPES)["key"])}


@pytest.mark.parametrize("route", WALKED, ids=str)
def test_nothing_of_the_other_tenant_is_told_or_touched(
    route: Route, shared_ids: list[str], callers: dict[str, Client], owner: psycopg.Connection, contoso: Tenant
) -> None:
    before = _of_contoso(owner)
    for caller, target, headers, body in attempts(route, shared_ids):
        given = {**callers[caller].headers, "content-type": "application/json", **headers}
        reply = callers[caller].send(event(route.method, target, headers=given, body=body))
        assert reply.status != 500, (caller, target, reply)
        _check_clean(reply.text + json.dumps(dict(reply.headers)), contoso, (caller, target, body, reply))
    assert _of_contoso(owner) == before


LISTS = [route for route in WALKED if route.method == "GET" and "cursor" in json.dumps(route.operation)]


@pytest.mark.parametrize("route", LISTS, ids=str)
def test_a_cursor_of_the_other_tenants_opens_nothing(
    route: Route, shared_ids: list[str], member: Member, owner: psycopg.Connection, contoso: Tenant
) -> None:
    for table in ("media_items", "social_accounts", "posts"):
        columns = _columns(owner, table)
        others = [sql.SQL("gen_random_uuid()") if name == "id" else sql.Identifier(name) for name in columns]
        twice = sql.SQL("INSERT INTO t_contoso.{} ({}) SELECT {} FROM t_contoso.{} ON CONFLICT DO NOTHING")
        names = sql.SQL(", ").join(map(sql.Identifier, columns))
        owner.execute(twice.format(sql.Identifier(table), names, sql.SQL(", ").join(others), sql.Identifier(table)))
    theirs = member("owner", "contoso").get(f"{route.path()}?limit=1")
    cursor = theirs.json.get("next_cursor") if theirs.status == 200 else None
    if cursor:
        assert CANARY in theirs.text or "items" in theirs.json
        reply = member("owner").get(f"{route.path()}?limit=1&cursor={cursor}")
        assert (reply.status, reply.code) == (400, "cursor-expired")


def test_a_link_to_download_is_to_ones_own_object(
    shared_ids: list[str], member: Member, owner: psycopg.Connection, contoso: Tenant
) -> None:
    reply = member("viewer").get(f"/v1/media/{shared_ids[0]}/download")
    assert reply.status in (200, 302, 307), reply
    assert "tenants/acme/" in reply.text + json.dumps(dict(reply.headers))
    _check_clean(reply.text + json.dumps(dict(reply.headers)), contoso, reply)


@pytest.mark.parametrize("task", TASKS)
def test_a_workflow_of_one_tenant_does_nothing_in_the_other(
    task: str, shared_ids: list[str], owner: psycopg.Connection, contoso: Tenant
) -> None:
    """The other tenant's rows under the same id, and under an id that only the other has."""
    handler = importlib.import_module(f"functions.{task}.handler").handler
    owner.execute("DELETE FROM cell.work WHERE tenant = 'acme'")
    before = _of_contoso(owner)
    for known in shared_ids:
        for kind in ("ingest", "publish"):
            given = {"v": 1, "tenant": "acme", "kind": kind, "id": known, "run": 1, "token": "t", "target": known}
            try:
                told = json.dumps(handler({**given, "target_id": known}, None), default=str)
            except Exception as error:  # noqa: BLE001 - whatever a task makes of nonsense: nothing leaks by it
                told = repr(error)
            _check_clean(told, contoso, (task, given))
    assert _of_contoso(owner) == before


def test_a_wrong_schema_in_a_statement_is_refused_by_the_tenants_role(
    acme: Tenant, contoso: Tenant, owner: psycopg.Connection
) -> None:
    for table in _tables(owner):
        for query in (f"SELECT count(*) FROM {{s}}.{table}", f"DELETE FROM {{s}}.{table}"):
            with pytest.raises(InsufficientPrivilege), transaction(acme) as tx:
                Transaction(tx.connection, contoso).execute(query)  # acme's role, contoso's name
