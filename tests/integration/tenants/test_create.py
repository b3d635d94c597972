"""Making a tenant: once, whole, and for whoever asked first."""

import io
from collections import Counter
from collections.abc import Callable
from functools import partial
from uuid import UUID, uuid4

import pytest

from socialflow.errors import Refusal
from socialflow.platform import aws
from socialflow.platform import registry as living
from socialflow.platform.database import transaction
from socialflow.tenants import gateway, lifecycle
from tests.api import Client
from tests.conftest import Functions
from tests.integration.tenants.conftest import Registry, at_once

Person = Callable[..., Client]
NORTH = {"slug": "north_wind", "name": "North Wind"}


def test_whoever_makes_a_tenant_is_its_owner_and_can_work_in_it(person: Person, registry: Registry) -> None:
    anna = person("anna")
    made = anna.post("/v1/tenants", NORTH | {"settings": {"time_zone": "Europe/Berlin", "languages": ["de-at"]}})
    assert made.status == 201, made
    assert (made.json["slug"], made.json["status"], made.json["plan"]) == ("north_wind", "active", "free")
    assert made.json["settings"] == {
        "time_zone": "Europe/Berlin",
        "approval": "optional",
        "brand_voice": "",
        "languages": ["de-AT"],
        "banned_words": [],
        "ai_models": [],
        "ai_budget_usd": None,
        "support_access": "allowed",
    }
    mine = anna.get("/v1/tenants").json["items"]
    assert [(one["slug"], one["role"], one["status"]) for one in mine] == [("north_wind", "owner", "active")]
    inside = anna.with_headers(**{"x-tenant-id": "north_wind"})
    assert inside.get("/v1/media").json["items"] == []
    assert inside.post("/v1/media/uploads", {"file_name": "a.jpg", "size": 1, "type": "image/jpeg"}).status in (
        201,
        422,
    )
    with transaction(living.named("north_wind")) as tx:
        assert tx.value("SELECT current_user") == "t_north_wind_rw"
    assert registry.facts() == [("north_wind", "tenant.created")]


def test_the_same_again_is_the_same_tenant_and_another_wish_is_refused(person: Person, registry: Registry) -> None:
    anna, chosen = person("anna"), str(uuid4())
    first = anna.post("/v1/tenants", NORTH | {"id": chosen})
    again = anna.post("/v1/tenants", NORTH | {"id": chosen})
    assert (first.status, again.status, again.json) == (201, 200, first.json)
    assert first.json["id"] == chosen
    assert anna.post("/v1/tenants", NORTH | {"id": chosen, "name": "South Wind"}).code == "slug-taken"
    assert anna.post("/v1/tenants", NORTH | {"id": str(uuid4())}).code == "slug-taken"
    assert person("boris").post("/v1/tenants", NORTH | {"id": chosen}).code == "slug-taken"
    taken = person("boris").post("/v1/tenants", {"slug": "other", "name": "Other", "id": chosen})
    assert (taken.status, taken.code) == (409, "tenant-id-taken")
    assert person("boris").get("/v1/tenants").json["items"] == []
    assert registry.facts() == [("north_wind", "tenant.created")]


def test_a_slug_of_somebody_else_is_refused_and_nobody_joins_by_it(person: Person, registry: Registry) -> None:
    reply = person("anna").post("/v1/tenants", {"slug": "acme", "name": "Acme"})
    assert (reply.status, reply.code) == (409, "slug-taken")
    assert person("anna").get("/v1/tenants").json["items"] == []
    assert registry.value("SELECT name FROM control.tenants WHERE slug = 'acme'") == "Acme"


def wish(by: UUID, slug: str = "north_wind") -> str:
    """Ask for a tenant as the HTTP function does; return what came of it."""
    try:
        made = gateway.ask("create", by=by, slug=slug, name="North Wind", settings={})
    except Refusal as refusal:
        return refusal.code
    return "new" if made["is_new"] else "found"


def test_fifty_at_once_make_one_tenant_for_one_person(person: Person, registry: Registry) -> None:
    anna = UUID(person("anna").get("/v1/me").json["id"])
    assert Counter(at_once([partial(wish, anna)] * 50)) == {"new": 1, "found": 49}
    assert registry.value("SELECT count(*) FROM control.tenants WHERE slug = 'north_wind'") == 1
    assert registry.value("SELECT count(*) FROM pg_namespace WHERE nspname = 't_north_wind'") == 1
    assert registry.facts() == [("north_wind", "tenant.created")]


def test_fifty_people_at_once_make_one_tenant_for_one_of_them(person: Person, registry: Registry) -> None:
    people = [UUID(person(f"person{number}").get("/v1/me").json["id"]) for number in range(50)]
    told = at_once([partial(wish, one) for one in people])
    assert Counter(told) == {"new": 1, "slug-taken": 49}
    members = "SELECT user_id FROM control.members m JOIN control.tenants t ON t.id = m.tenant_id WHERE t.slug = %s"
    assert registry.column(members, "north_wind") == [people[told.index("new")]]


@pytest.mark.parametrize(
    "slug", ["control", "cell", "public", "api", "www", "admin", "pg_x", "sf_app", "socialflow_x", "t_rw", "deleted_01"]
)
def test_a_reserved_slug_is_refused_with_words(person: Person, slug: str) -> None:
    reply = person("anna").post("/v1/tenants", {"slug": slug, "name": "X"})
    assert (reply.status, reply.code) == (422, "unusable-slug"), reply
    assert reply.json["errors"] == [{"pointer": "/slug", "code": "reserved"}]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"slug": "ok"},
        {"slug": "Acme", "name": "X"},
        {"slug": "a", "name": "X"},
        {"slug": "1a", "name": "X"},
        {"slug": "a-b", "name": "X"},
        {"slug": 'a"; DROP SCHEMA t_acme CASCADE; --', "name": "X"},
        {"slug": "a" * 40, "name": "X"},
        {"slug": "ok\n", "name": "X"},
        {"slug": "\u043e" * 3, "name": "Cyrillic"},
        {"slug": "okay", "name": ""},
        {"slug": "okay", "name": "  "},
        {"slug": "okay", "name": "a\r\nBcc: x@y.test"},
        {"slug": "okay", "name": "a" * 201},
        {"slug": "okay", "name": "X", "plan": "enterprise"},
        {"slug": "okay", "name": "X", "id": "1"},
        {"slug": "okay", "name": "X", "settings": {"approval": "sometimes"}},
        {"slug": "okay", "name": "X", "settings": {"surprise": 1}},
    ],
)
def test_what_cannot_be_stored_is_refused_before_anything_is_made(
    person: Person, registry: Registry, body: dict[str, object]
) -> None:
    assert person("anna").post("/v1/tenants", body).status == 422
    assert registry.value("SELECT count(*) FROM control.tenants") == 2


def test_a_failure_in_the_middle_leaves_nothing_and_the_next_try_is_whole(person: Person, registry: Registry) -> None:
    in_the_way = "CREATE SCHEMA t_north_wind; CREATE TABLE t_north_wind.attempts ()"
    registry.owner.execute(in_the_way)  # the migrations stop half-way
    failed = person("anna").post("/v1/tenants", NORTH)
    assert (failed.status, failed.code) == (503, "tenant-work-failed")
    assert failed.headers["retry-after"]
    assert registry.value("SELECT count(*) FROM control.tenants WHERE slug = 'north_wind'") == 0
    assert registry.value("SELECT count(*) FROM pg_roles WHERE rolname = 't_north_wind_rw'") == 0
    assert registry.facts() == []
    registry.owner.execute("DROP SCHEMA t_north_wind CASCADE")
    assert person("anna").post("/v1/tenants", NORTH).status == 201


class Lost(Functions):
    """A function that does its work, and whose answer is lost."""

    def invoke(self, **call: object) -> dict[str, object]:
        super().invoke(**call)
        return {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": io.BytesIO(b"{}")}


def test_an_answer_that_is_lost_is_found_by_the_next_try(person: Person, registry: Registry) -> None:
    aws.use("lambda", Lost())
    try:
        assert person("anna").post("/v1/tenants", NORTH).code == "tenant-work-failed"
    finally:
        aws.use("lambda", Functions())
    assert person("anna").post("/v1/tenants", NORTH).status == 200
    assert registry.facts() == [("north_wind", "tenant.created")]


def test_one_person_makes_so_many_tenants_and_no_more(
    person: Person, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "MOST_TENANTS", 2)
    anna = UUID(person("anna").get("/v1/me").json["id"])
    told = at_once([partial(wish, anna, f"north{number}") for number in range(4)])
    assert Counter(told) == {"new": 2, "too-many-tenants": 2}
    assert person("boris").post("/v1/tenants", NORTH).status == 201


def test_nobody_makes_a_tenant_without_signing_in(registry: Registry) -> None:
    assert Client().post("/v1/tenants", NORTH).status == 401
    assert Client().get("/v1/tenants").status == 401
