"""Every route of the API's document, every role, every kind of caller: what is expected follows from the route alone.

Of a cell that is allowed only that is looked at: nobody is turned away. A cell that is refused has exactly one status
and code, whatever nonsense the body is, and leaves nothing written.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import psycopg
import pytest

from socialflow.identity import support_service
from socialflow.identity.api_keys import SCOPES
from socialflow.identity.bearer import mint
from socialflow.identity.model import permissions_of
from socialflow.identity.support import Wanted
from socialflow.platform.clock import now
from socialflow.platform.tenancy import Tenant
from tests.api import Client, Issuer, Reply, event
from tests.conftest import ISSUER, ROLES
from tests.integration.access.routes import ROUTES, Route, digest

HOUR = 3_600
NOBODY = (401, "token-missing")
EXPIRED = (401, "token-expired")
NO_TENANT = (400, "tenant-required")
STRANGER = (403, "not-a-member")
DENIED = (403, "permission-denied")
PEOPLE_ONLY = (403, "people-only")
GUARDS = {NOBODY[1], EXPIRED[1], NO_TENANT[1], STRANGER[1], DENIED[1], PEOPLE_ONLY[1], "token-invalid"}
KEY_STATES = ("expired", "revoked", "orphaned")
SUPPORT_STATES = ("expired", "ended")
LOOKS_ONLY = "GET /v1/media/{media_id}/download"
"""Originals are for members: by this route an operator gets the smaller pictures alone."""


@dataclass(frozen=True)
class People:
    """Whoever asks: people of both tenants by role, and keys by who made them and what they may."""

    tokens: dict[tuple[str, str], str]
    expired: dict[str, str]
    keys: dict[tuple[str, bool], str]
    broken: dict[str, str]
    support: dict[str, str]

    def client(self, authorization: str, tenant: str | None = "acme") -> Client:
        """Return a client with that `Authorization` and tenant."""
        headers = {"authorization": f"Bearer {authorization}", "content-type": "application/json", "if-match": "*"}
        return Client(headers | ({"x-tenant-id": tenant} if tenant else {}))


Cell = tuple[str, Client, tuple[int, str] | None]
"""Who it is, how they ask, and the refusal; None where they are let in."""


def _insert_key(
    owner: psycopg.Connection, tenant: Tenant, maker: object, scopes: list[str], state: str = "active"
) -> str:
    minted = mint()
    ends = {"expired": "now()"}.get(state, "now() + interval '1 d'")
    owner.execute(
        "INSERT INTO control.api_keys (id, tenant_id, prefix, secret_sha256, name, scopes, created_by, created_at,"
        f" expires_at, revoked_at) VALUES (%s, %s, %s, %s, 'A key', %s, %s, now() - interval '1 d', {ends}, %s)",
        (
            *(uuid4(), tenant.id, minted.prefix, minted.sha256, scopes),
            *(uuid4() if state == "orphaned" else maker, "2026-01-01T00:00Z" if state == "revoked" else None),
        ),
    )
    return minted.text


def _let_look(owner: psycopg.Connection, tenant: Tenant, state: str) -> str:
    grant, text = support_service.give(owner, tenant, Wanted("nina", "Ticket 4711"), at=now())
    change = {
        "expired": "created_at = created_at - interval '1 h', expires_at = now()",
        "ended": "ended_at = now(), ended_by = 'nina'",
    }
    if state in change:
        owner.execute(f"UPDATE control.support_grants SET {change[state]} WHERE id = %s", (grant.id,))
    return text


@pytest.fixture
def people(route: Route, acme: Tenant, contoso: Tenant, issuer: Issuer, owner: psycopg.Connection) -> People:
    """Four people in each tenant, and for each of acme's a key with what the route asks for, and one without."""
    ids, ends = {}, int(time.time()) + HOUR
    for slug, tenant in (("acme", acme), ("contoso", contoso)):
        for role in ROLES:
            who = (uuid4(), ISSUER, f"{slug}-{role}")
            found = owner.execute(
                "INSERT INTO control.users AS u (id, issuer, subject) VALUES (%s, %s, %s)"
                " ON CONFLICT (issuer, subject) DO UPDATE SET subject = u.subject RETURNING id",
                who,
            ).fetchone()
            assert found is not None
            ids[slug, role] = found[0]
            owner.execute(
                "INSERT INTO control.members (tenant_id, user_id, role) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                (tenant.id, found[0], role),
            )
    asks = route.permission or "media:read"
    keys = {}
    for role in ROLES:
        keys[role, True] = _insert_key(owner, acme, ids["acme", role], [asks])
        keys[role, False] = _insert_key(owner, acme, ids["acme", role], sorted(SCOPES - {asks}))
    everything = sorted(SCOPES)
    return People(
        {who: issuer.token("-".join(who), exp=ends) for who in ids},
        {role: issuer.token(f"acme-{role}", exp=1) for role in ROLES},
        keys,
        {state: _insert_key(owner, acme, ids["acme", "owner"], everything, state) for state in KEY_STATES},
        {state: _let_look(owner, acme, state) for state in (*SUPPORT_STATES, "active")},
    )


def cells(route: Route, people: People) -> Iterator[Cell]:
    """Yield the row of a route: everybody who might ask, and what they are to be told."""
    asks, client = route.permission, people.client
    for role in ROLES:
        own, theirs = people.tokens["acme", role], people.tokens["contoso", role]
        may = asks is None or asks in permissions_of(role)
        yield f"{role}", client(own), None if may else DENIED
        yield f"contoso's {role}", client(theirs), STRANGER if asks else None
        yield f"{role}, no tenant", client(own, None), NO_TENANT if asks else None
        yield f"{role}, expired", client(people.expired[role]), EXPIRED
        yield f"{role}, another's tenant", client(own, "contoso"), STRANGER if asks else None
    nobody = Client({"x-tenant-id": "acme", "content-type": "application/json"})
    yield "nobody", nobody, NOBODY
    yield from _keys(route, people)
    yield from _support(route, people)


def _keys(route: Route, people: People) -> Iterator[Cell]:
    asks, client = route.permission, people.client
    for state, text in people.broken.items():
        for tenant in (None, "acme", "contoso"):
            yield f"a key that is {state}, for {tenant}", client(text, tenant), (401, f"api-key-{state}")
    for role in ROLES:
        if asks is None:
            for tenant in (None, "acme"):
                yield f"{role}'s key", client(people.keys[role, True], tenant), PEOPLE_ONLY
            continue
        may = asks in permissions_of(role) and asks in SCOPES
        for tenant in (None, "acme"):
            yield f"{role}'s key with it", client(people.keys[role, True], tenant), None if may else DENIED
            yield f"{role}'s key without it", client(people.keys[role, False], tenant), DENIED
        yield f"{role}'s key, another's tenant", client(people.keys[role, True], "contoso"), STRANGER
        yield f"{role}'s key without it, another's tenant", client(people.keys[role, False], "x"), STRANGER


def _support(route: Route, people: People) -> Iterator[Cell]:
    """Yield our operators, but for those whose request is written down: see below."""
    for state in SUPPORT_STATES:
        for tenant in (None, "acme", "contoso"):
            client = people.client(people.support[state], tenant)
            yield f"an operator, {state}, for {tenant}", client, (401, f"support-{state}")
    stranger = STRANGER if route.permission else PEOPLE_ONLY
    yield "an operator, another's tenant", people.client(people.support["active"], "contoso"), stranger


def ask(client: Client, route: Route) -> Reply:
    """Send what no route could read, at an address where nothing is."""
    return client.send(event(route.method, route.path(), headers=client.headers, body="{" if route.body else None))


@pytest.mark.parametrize("route", [route for route in ROUTES if not route.public], ids=str)
def test_no_cell_of_the_matrix_is_wrong(route: Route, people: People, owner: psycopg.Connection) -> None:
    everything = ("control", "cell", "t_acme", "t_contoso")
    row = list(cells(route, people))
    for who, client, refusal in row:
        if refusal is None:
            reply = ask(client, route)
            assert reply.status != 401, (who, reply)
            assert reply.code not in GUARDS, (who, reply)
            assert reply.status != 403 or route.permission is None, (who, reply)
            assert reply.status < 500, (who, reply)
    before = digest(owner, *everything)
    for who, client, refusal in row:
        if refusal is not None:
            reply = ask(client, route)
            assert (reply.status, reply.code) == refusal, (who, reply)
    assert digest(owner, *everything) == before
    assert len(row) >= 8 * len(ROLES)


@pytest.mark.parametrize("route", [route for route in ROUTES if route.permission], ids=str)
def test_an_operator_looks_as_a_viewer_and_changes_nothing_but_the_audit(
    route: Route, people: People, owner: psycopg.Connection
) -> None:
    looking = {name: people.client(people.support["active"], name) for name in (None, "acme")}
    before = digest(owner, "cell", "t_acme", "t_contoso")
    replies = [ask(client, route) for client in looking.values()]
    assert digest(owner, "cell", "t_acme", "t_contoso") == before
    may = route.permission in permissions_of("viewer")
    for reply in replies:
        if not may:
            assert (reply.status, reply.code) == DENIED, reply
        elif str(route) == LOOKS_ONLY:
            assert (reply.status, reply.code) == (403, "support-only-looks"), reply
        else:
            assert reply.status not in (401, 403), reply
            assert reply.status < 500, reply
    noted = owner.execute("SELECT count(*) FROM control.audit_log WHERE changes ? 'last_request'").fetchone()
    assert noted == (len(replies),), "asked for, and written down"


@pytest.mark.parametrize("route", [route for route in ROUTES if route.public], ids=str)
def test_a_public_route_answers_everybody_alike(route: Route, people: People) -> None:
    replies = [ask(client, route) for _, client, _ in cells(route, people)]
    answers = {(reply.status, reply.code) for reply in replies}
    assert len(answers) == 1, answers
