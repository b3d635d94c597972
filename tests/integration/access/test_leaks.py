"""Two tenants with the same ids: nothing of the other's is ever in an answer, and nothing of the other's is changed.

Every row of contoso's is a copy of one of acme's, under the same id, with its texts replaced by a canary. Then acme's
people and machines ask every route of the API's document for it, in paths, bodies, queries and preconditions.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from socialflow.identity import support_service
from socialflow.identity.api_keys import SCOPES
from socialflow.identity.support import Wanted
from socialflow.platform.clock import now
from socialflow.platform.database import Transaction, transaction
from socialflow.platform.tenancy import Tenant
from tests.api import Client, event
from tests.integration.access.conftest import MadeKey, holder
from tests.integration.access.routes import DOCUMENT, ROUTES, Route
from tests.integration.access.twins import CANARY, check_clean, of_contoso, shared_ids, tables, told
from tests.integration.conftest import Member

__all__ = ["shared_ids"]
LEAST = 500
CALLERS = ("owner", "editor", "key", "support")


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
            if route.takes_csv:
                rows = f"{{column}},text\n{known},Good evening\n{known},{CANARY[:6]}\n"
                for column in ("id", "accounts", "media"):
                    for asked in ("", "?dry_run=true"):
                        yield caller, path + asked, {"content-type": "text/csv"}, rows.format(column=column)
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
def callers(member: Member, made_key: MadeKey, acme: Tenant, owner: psycopg.Connection) -> dict[str, Client]:
    """Acme's people, a machine of acme's and an operator who may look into acme, by the names of `CALLERS`."""
    people = {role: member(role) for role in ("owner", "editor")}
    _, bearer = support_service.give(owner, acme, Wanted("nina", "Ticket 4711"), at=now())
    return {**people, "key": holder(made_key(*SCOPES)["key"]), "support": holder(bearer)}


# Reading changes nothing, so that every route that reads may be asked of one and the same world.
GROUPS = [[route for route in WALKED if route.method == "GET"], *([one] for one in WALKED if one.method != "GET")]


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: "every GET" if len(group) > 1 else str(group[0]))
def test_nothing_of_the_other_tenant_is_told_or_touched(
    group: list[Route], shared_ids: list[str], callers: dict[str, Client], owner: psycopg.Connection, contoso: Tenant
) -> None:
    before = of_contoso(owner)
    for route in group:
        for caller, target, headers, body in attempts(route, shared_ids):
            given = {**callers[caller].headers, "content-type": "application/json", **headers}
            reply = callers[caller].send(event(route.method, target, headers=given, body=body))
            assert reply.status != 500, (caller, target, reply)
            check_clean(told(reply), contoso, (caller, target, body, reply))
    assert of_contoso(owner) == before


def test_a_wrong_schema_in_a_statement_is_refused_by_the_tenants_role(
    acme: Tenant, contoso: Tenant, owner: psycopg.Connection
) -> None:
    for table in tables(owner):
        for query in (f"SELECT count(*) FROM {{s}}.{table}", f"DELETE FROM {{s}}.{table}"):
            with pytest.raises(InsufficientPrivilege), transaction(acme) as tx:
                Transaction(tx.connection, contoso).execute(query)  # acme's role, contoso's name
