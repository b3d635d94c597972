"""Two tenants with the same ids: every row of contoso's is a copy of one of acme's, its texts replaced by a canary."""

import json

import psycopg
import pytest
from psycopg import sql

from socialflow.platform.tenancy import Tenant
from tests.api import Issuer, Reply
from tests.conftest import Cloud
from tests.integration.access.routes import digest
from tests.integration.given import World
from tests.integration.given.media import photo_in_review
from tests.integration.given.publishing import scheduled_post

CANARY = "CANARY-of-contoso"


@pytest.fixture
def shared_ids(acme: Tenant, contoso: Tenant, cloud: Cloud, issuer: Issuer, owner: psycopg.Connection) -> list[str]:
    """Fill acme, copy every row to contoso under the same ids, and put the canary into the copies."""
    world = World(acme, contoso, cloud, issuer, owner)
    known = {**photo_in_review(world), **scheduled_post(world)}
    copy(owner)
    mark(owner)
    return [known[name] for name in ("media_id", "post_id", "target_id", "account_id")]


def tables(owner: psycopg.Connection) -> list[str]:
    rows = owner.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 't_acme' AND tablename NOT LIKE 'audit%'"
        " AND tablename <> 'schema_migrations'"
    )
    return [name for (name,) in rows.fetchall()]


def columns(owner: psycopg.Connection, table: str, kinds: tuple[str, ...] = ()) -> list[str]:
    rows = owner.execute(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 't_acme'"
        " AND table_name = %s AND is_generated = 'NEVER' AND is_identity = 'NO'",
        (table,),
    ).fetchall()
    return [name for name, kind in rows if not kinds or kind in kinds]


def copy(owner: psycopg.Connection) -> None:
    left = tables(owner)
    for _ in range(len(left)):  # what refers to another comes after it
        for table in list(left):
            names = sql.SQL(", ").join(map(sql.Identifier, columns(owner, table)))
            copy = sql.SQL("INSERT INTO t_contoso.{0} ({1}) SELECT {1} FROM t_acme.{0}")
            try:
                with owner.transaction():
                    owner.execute(copy.format(sql.Identifier(table), names))
            except psycopg.errors.ForeignKeyViolation:
                continue
            left.remove(table)
    assert left == []


def mark(owner: psycopg.Connection) -> None:
    marked = 0
    for table in tables(owner):
        for column in columns(owner, table, ("text",)):
            mark = sql.SQL("UPDATE t_contoso.{} SET {} = %s || {}")
            for ending in ("''", "gen_random_uuid()"):  # the second where each must be another
                names = sql.Identifier(table), sql.Identifier(column), sql.SQL(ending)
                try:
                    with owner.transaction():
                        marked += owner.execute(mark.format(*names), (CANARY,)).rowcount
                except psycopg.errors.UniqueViolation:
                    continue
                except psycopg.errors.CheckViolation:  # a state, not a text
                    pass
                break
    assert marked >= 5


def of_contoso(owner: psycopg.Connection) -> dict[str, object]:
    """All that is contoso's: its schema, and its rows of what is shared."""
    shared = {
        "work": "SELECT * FROM cell.work WHERE tenant = 'contoso' ORDER BY 1, 2, 3",
        "outbox": "SELECT * FROM cell.outbox WHERE tenant = 'contoso' ORDER BY 1",
        "tenant": "SELECT * FROM control.tenants WHERE slug = 'contoso'",
        "members": "SELECT m.* FROM control.members m JOIN control.tenants t ON t.id = tenant_id"
        " WHERE slug = 'contoso' ORDER BY 2",
        "invitations": "SELECT i.* FROM control.invitations i JOIN control.tenants t ON t.id = tenant_id"
        " WHERE slug = 'contoso' ORDER BY 1",
        "billing": "SELECT b.* FROM control.billing b JOIN control.tenants t ON t.id = tenant_id"
        " WHERE slug = 'contoso'",
        "exports": "SELECT * FROM cell.exports WHERE tenant = 'contoso' ORDER BY 1",
        "usage": "SELECT * FROM cell.usage WHERE tenant = 'contoso' ORDER BY 1, 2, 3",
        "answers": "SELECT * FROM cell.idempotency WHERE tenant = 'contoso' ORDER BY 1, 2, 3, 4",
    }
    return {**digest(owner, "t_contoso"), **{name: owner.execute(query).fetchall() for name, query in shared.items()}}


def check_clean(text: str, contoso: Tenant, where: object) -> None:
    for trace in (CANARY, "tenants/contoso", "exports/contoso/", str(contoso.id), "t_contoso"):
        assert trace not in text, (trace, where)


def told(reply: Reply) -> str:
    """Return all that an answer says."""
    return reply.text + json.dumps(dict(reply.headers))
