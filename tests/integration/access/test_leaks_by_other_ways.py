"""Beside the routes: cursors, preconditions, keys of requests, signed links, and inputs of workflows.

Each test counts what it tries: an empty walk would find no leak either.
"""

import importlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from functions.task_write_export.handler import handler as write_export
from socialflow.accounts import service as accounts
from socialflow.accounts.model import Profile
from socialflow.identity import support_service
from socialflow.identity.support import Wanted
from socialflow.media import renditions
from socialflow.media.rendition_spec import Wish
from socialflow.platform import database, settings
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.ids import new_id
from socialflow.platform.tenancy import Tenant
from socialflow.publishing.planning import Written
from socialflow.publishing.series_repository import document_of
from tests.api import FUNCTIONS, Client, Issuer, Reply
from tests.conftest import Cloud
from tests.integration.access.conftest import MadeKey
from tests.integration.access.routes import ROUTES, Route
from tests.integration.access.twins import CANARY, check_clean, columns, copy, mark, of_contoso, shared_ids, told
from tests.integration.conftest import Member
from tests.integration.given import World
from tests.integration.given.media import photo_in_review
from tests.integration.given.publishing import scheduled_post

__all__ = ["shared_ids"]
TASKS = sorted(path.parent.name for path in FUNCTIONS.glob("task_*/handler.py"))
AS_OWNER = ("task_migrate_registry", "task_migrate_tenants")
LISTS = [route for route in ROUTES if route.method == "GET" and '"cursor"' in json.dumps(route.operation)]


@pytest.fixture
def world(acme: Tenant, contoso: Tenant, cloud: Cloud, issuer: Issuer, owner: psycopg.Connection) -> World:
    """What preparations may use."""
    return World(acme, contoso, cloud, issuer, owner)


@pytest.fixture
def crowded(world: World, made_key: MadeKey, member: Member) -> str:
    """Three of everything that is listed, in both tenants, contoso's under acme's ids and with the canary.

    Returns the id of a media item that has what is listed below one.
    """
    owner, acme = world.owner, world.acme
    photo = ""
    for number in range(3):
        photo = photo_in_review(world)["media_id"]
        scheduled_post(world)
        with transaction(acme) as tx:
            profile = Profile("mastodon", "https://none.invalid", f"more-{number}", f"@more-{number}@none.invalid")
            accounts.connect(tx, profile, b"-", by=new_id(), at=now())
        owner.execute(
            "INSERT INTO t_acme.series (id, state, rule, starts_local, zone, content, accounts, created_by)"
            " VALUES (%s, 'ended', 'FREQ=DAILY', now(), 'UTC', %s, ARRAY[%s]::uuid[], %s)",
            (new_id(), Jsonb(document_of(Written(f"Text {number}"))), new_id(), new_id()),
        )
    with transaction(acme) as tx:
        for ratio in ("4:5", "1:1", "1.91:1"):
            renditions.ask(tx, UUID(photo), Wish("instagram", ratio), by=new_id(), at=now())
    for number in range(3):
        said = member("editor").patch(f"/v1/media/{photo}/review", {"caption": f"Text {number}"}, if_match="*")
        assert said.status == 200, said
    copy(owner)
    mark(owner)
    for slug, tenant in (("acme", acme), ("contoso", world.contoso)):
        for number in range(3):
            made_key("media:read", slug=slug, name=f"{slug} {number}")
            asked = {"email": f"{slug}-{number}@new.test", "role": "viewer"}
            assert member("owner", slug).post("/v1/invitations", asked).status == 201
            owner.execute(
                "INSERT INTO cell.exports (id, tenant, state, error_code, requested_by, requested_at)"
                " VALUES (%s, %s, 'failed', 'none', %s, now())",
                (new_id(), slug, new_id()),
            )
            owner.execute(
                "WITH u AS (INSERT INTO control.users (id, issuer, subject, email) VALUES (%s, '', %s, '')"
                " RETURNING id) INSERT INTO control.members (tenant_id, user_id, role) SELECT %s, id, 'viewer' FROM u",
                (new_id(), f"{slug}-more-{number}", tenant.id),
            )
            wanted = Wanted(f"operator {number}", CANARY if slug == "contoso" else "A ticket")
            support_service.give(owner, tenant, wanted, at=now())
    return photo


def next_page(reply: Reply) -> str:
    """Return the cursor of the page that follows, from the body or from the header Link."""
    assert reply.status == 200, reply
    if "link" in reply.headers:
        return parse_qs(urlsplit(reply.headers["link"].split(">")[0]).query)["cursor"][0]
    assert reply.json["next_cursor"], f"Let `crowded` make three of what this lists: {reply}"
    return str(reply.json["next_cursor"])


VALUES = (
    "2020-01-01T00:00:00%2B00:00",
    "2020-01-01T00:00:00",
    "01890a5d-ac96-774b-bcce-b302099a8057",
    "true",
    "red",
    "instagram",
    "Europe/Berlin",
    "published",
    "1",
)


def page_of_one(route: Route, part: str) -> str:
    """Return the address of a list's first page, of one row, with what must be asked for."""
    must = {"from": now().date() - timedelta(days=1), "to": now().date() + timedelta(days=2)}
    asked = [each["name"] for each in route.operation["parameters"] if each.get("required") and each["in"] == "query"]
    return f"{route.path(part)}?limit=1" + "".join(f"&{name}={must[name]}" for name in asked)


def filters(route: Route, page: str, who: Client) -> list[str]:
    """Return one query for each filter of a list, with a value that it takes."""
    found = []
    for each in route.operation["parameters"]:
        name, schema = each.get("name"), json.dumps(each.get("schema"))
        if each.get("in") != "query" or each.get("required") or name in {"limit", "cursor", "format"}:
            continue
        enum = re.search(r'"enum": (\[.*?\])', schema)
        values = [*(json.loads(enum[1]) if enum else ()), *VALUES, "approved"]
        queries = [f"&{name}={value}" for value in values if value != each["schema"].get("default")]
        taken = next((query for query in queries if who.get(f"{page}{query}").status == 200), None)
        assert taken, f"Let VALUES have one that {name} of {route} takes"
        found.append(taken)
    return found


def test_a_cursor_opens_its_own_list_of_its_own_tenant_with_its_own_filters_and_nothing_else(
    crowded: str, member: Member, contoso: Tenant, owner: psycopg.Connection
) -> None:
    ours, theirs = member("owner"), member("owner", "contoso")
    assert len(LISTS) >= 10
    tried = 0
    for route in LISTS:
        page = page_of_one(route, crowded)
        cursor, own = (next_page(who.get(page)) for who in (theirs, ours))
        assert theirs.get(f"{page}&cursor={cursor}").status == 200, route
        assert ours.get(f"{page}&cursor={own}").status == 200, route
        narrower = filters(route, page, ours)
        addresses = [f"{page}&cursor={cursor}{more}" for more in ("", *narrower)]
        addresses += [f"{page}&cursor={own}{more}" for more in narrower]
        others = [page_of_one(other, crowded) for other in LISTS if other is not route]
        addresses += [f"{other}&cursor={one}" for other in others for one in (cursor, own)]
        before = of_contoso(owner)
        for address in addresses:
            reply = ours.get(address)
            tried += 1
            assert (reply.status, reply.code) == (400, "cursor-expired"), (address, reply)
            check_clean(told(reply), contoso, address)
        assert of_contoso(owner) == before
    assert tried >= 200


EDITED = {
    "/v1/media/{}/review": ("caption", "A harbour"),
    "/v1/posts/{}": ("text", "Good morning"),
    "/v1/tenant": ("name", "Another"),
}


@pytest.mark.parametrize("template", EDITED)
def test_a_version_of_the_other_tenants_row_is_none_of_ones_own(
    template: str, shared_ids: list[str], member: Member, contoso: Tenant, owner: psycopg.Connection
) -> None:
    media, post, *_ = shared_ids
    path, (field, value) = template.format(media if "media" in template else post), EDITED[template]
    owner.execute("UPDATE t_contoso.reviews SET version = 41; UPDATE t_contoso.posts SET version = 41")
    owner.execute("UPDATE control.tenants SET version = 41 WHERE slug = 'contoso'")
    ours, theirs = member("owner"), member("owner", "contoso")
    etag, own = theirs.get(path).headers["etag"], ours.get(path).headers["etag"]
    assert (etag, own) == ('"41"', '"1"')
    before = of_contoso(owner)
    for headers in ({"if_match": etag}, {"if_match": etag, "idempotency_key": "k"}):
        refused = ours.patch(path, {field: value}, **headers)
        assert (refused.status, refused.json["current_version"]) == (412, 1)
        check_clean(told(refused), contoso, path)
    assert ours.get(path, if_none_match=etag).status == 200
    assert ours.patch(path, {field: value}, if_match=own).status == 200
    assert of_contoso(owner) == before


MADE = {
    "/v1/media/uploads": {"file_name": "a.jpg", "content_type": "image/jpeg", "size": 9},
    "/v1/posts": {"text": "Good evening", "media": [], "targets": [], "publish_at": None},
    "/v1/exports": None,
    "/v1/invitations": {"email": "nina@new.test", "role": "viewer"},
    "/v1/api-keys": {"name": "A machine", "scopes": ["media:read"]},
}


@pytest.mark.parametrize("path", MADE)
def test_one_key_of_one_person_is_two_requests_in_two_tenants(
    path: str, acme: Tenant, contoso: Tenant, member: Member, owner: psycopg.Connection
) -> None:
    """The same person, the same key, the same body: what was answered in the one is not told in the other."""
    owner.execute(
        "INSERT INTO control.members (tenant_id, user_id, role)"
        " SELECT %s, id, 'owner' FROM control.users WHERE subject = 'acme-owner'",
        (contoso.id,),
    )
    ours, theirs = member("owner"), member("owner", tenant="contoso")
    first = theirs.post(path, MADE[path], idempotency_key="one")
    assert first.status in (201, 202), first
    before = of_contoso(owner)
    reply = ours.post(path, MADE[path], idempotency_key="one")
    assert (reply.status, reply.headers.get("idempotency-replayed")) == (first.status, None)
    assert reply.json["id"] != first.json["id"]
    assert first.json["id"] not in told(ours.post(path, MADE[path], idempotency_key="one"))
    assert of_contoso(owner) == before


def links(text: str) -> list[str]:
    return [urlsplit(url).path for url in re.findall(r'https?://[^"\\]+', text) if "X-Amz-Signature" in url]


def test_every_link_that_is_signed_names_ones_own_object(
    shared_ids: list[str], member: Member, contoso: Tenant, owner: psycopg.Connection
) -> None:
    asked = member("owner").post("/v1/exports")
    owner.execute("UPDATE cell.work SET run = 1 WHERE kind = 'export'")
    given = {"v": 1, "tenant": "acme", "kind": "export", "id": asked.json["id"], "run": 1}
    assert write_export(given, None) == {"outcome": "written"}
    owner.execute(
        "INSERT INTO cell.exports SELECT (e).* FROM (SELECT jsonb_populate_record(x, jsonb_build_object("
        " 'id', gen_random_uuid(), 'tenant', 'contoso', 'object_key', %s::text)) AS e FROM cell.exports x) copied",
        (f"exports/contoso/{CANARY}.zip",),
    )
    found: list[str] = []
    for route in ROUTES:
        if route.method != "GET":
            continue
        for known in [*shared_ids, asked.json["id"]]:
            text = member("owner").get(route.path(known)).text
            check_clean(text, contoso, route)
            found += links(text)
    assert len([path for path in found if "/exports/acme/" in path]) == 1
    assert len([path for path in found if "/tenants/acme/" in path]) >= 10
    assert all("/tenants/acme/" in path or "/exports/acme/" in path for path in found)


def test_an_export_of_the_other_tenants_is_unknown(
    acme: Tenant, contoso: Tenant, member: Member, owner: psycopg.Connection
) -> None:
    theirs = member("owner", "contoso").post("/v1/exports").json["id"]
    before = of_contoso(owner)
    for address in (f"/v1/exports/{theirs}", f"/v1/exports/{theirs}?tenant=contoso", f"/v1/exports/{theirs.upper()}"):
        reply = member("owner").get(address)
        assert reply.status == 404
        check_clean(told(reply), contoso, address)
    assert member("owner").get("/v1/exports").json["items"] == []
    assert of_contoso(owner) == before


def inputs(shared: list[str], theirs: list[str], contoso: Tenant) -> Iterator[dict[str, Any]]:
    """Yield inputs of workflows that name acme and mean contoso, or name what only looks like contoso."""
    since = {"since": datetime.now(UTC).isoformat(), "passes": 0, "chunk": {"first": "acme", "last": "acme"}}
    for known in [*shared, *theirs]:
        for kind in ("ingest", "publish", "export"):
            for target in (known, theirs[0]):
                plain = {"v": 1, "tenant": "acme", "kind": kind, "id": known, "run": 1, "token": "t", **since}
                yield {**plain, "target_id": target, "tenants": ["acme"], "slug": "contoso", "schema": "t_contoso"}
    for slug in ("t_contoso", "CONTOSO", "contoso ", "acme', 'contoso", "acme.contoso", str(contoso.id), "", "%"):
        yield {"v": 1, "tenant": slug, "kind": "ingest", "id": shared[0], "run": 1, **since, "tenants": [slug]}


@contextmanager
def the_login_of(task: str, cloud: Cloud) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        if task in AS_OWNER:
            patch.setenv("SOCIALFLOW_DATABASE_SECRET", cloud.owner_secret)
            settings.forget()
            database.forget()
        yield
    settings.forget()
    database.forget()


def test_a_workflow_of_one_tenant_does_nothing_in_the_other(
    shared_ids: list[str], cloud: Cloud, owner: psycopg.Connection, contoso: Tenant
) -> None:
    """Every task, with the ids that both have, and with ids that only the other has."""
    theirs = only_theirs(owner)
    owner.execute("UPDATE cell.work SET run = 1, wake_at = now() + interval '1 h'")
    owner.execute("DELETE FROM cell.work WHERE tenant = 'acme'")
    before, tried = of_contoso(owner), 0
    for task in TASKS:
        handler = importlib.import_module(f"functions.{task}.handler").handler
        with the_login_of(task, cloud):
            for given in inputs(shared_ids, theirs, contoso):
                tried += 1
                check_clean(told_by(handler, given), contoso, (task, given))
        assert of_contoso(owner) == before, task
    assert tried >= 500


def only_theirs(owner: psycopg.Connection) -> list[str]:
    """Give contoso a media item, a post and an export that acme has not; return their ids."""
    found = []
    for table in ("media_items", "posts"):
        names = columns(owner, table)
        own = {"id": sql.SQL("gen_random_uuid()"), "slot": sql.SQL("NULL")}  # a time of a slot is one post's
        others = [own.get(name, sql.Identifier(name)) for name in names]
        again = sql.SQL("INSERT INTO t_contoso.{0} ({1}) SELECT {2} FROM t_contoso.{0} LIMIT 1 RETURNING id").format(
            sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, names)), sql.SQL(", ").join(others)
        )
        row = owner.execute(again).fetchone()
        assert row is not None
        found.append(str(row[0]))
    export = new_id()
    owner.execute(
        "INSERT INTO cell.exports (id, tenant, requested_by, requested_at) VALUES (%s, 'contoso', %s, now())",
        (export, new_id()),
    )
    for kind, subject in zip(("ingest", "publish", "export"), [*found, str(export)], strict=True):
        owner.execute("INSERT INTO cell.work (tenant, kind, id) VALUES ('contoso', %s, %s)", (kind, subject))
    return [*found, str(export)]


def told_by(handler: Any, given: Mapping[str, Any]) -> str:
    """Return what a task makes of an input; whatever it makes of nonsense, nothing may leak by it."""
    try:
        return json.dumps(handler(dict(given), None), default=str)
    except Exception as error:  # noqa: BLE001 - see above
        return repr(error).replace(repr(given["tenant"]), "")
