"""A tenant's life: changed, suspended and resumed, deleted, restored, purged."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import boto3
import pytest

from functions.cron_purge_tenants.handler import handler as purge
from functions.ops_suspend.handler import handler as suspend
from socialflow.errors import Refusal
from socialflow.platform import registry as living
from socialflow.platform import work
from socialflow.platform.database import TenantGone, control, transaction
from socialflow.platform.ids import new_id
from socialflow.platform.tenancy import Tenant
from socialflow.publishing import ledger_repository as ledger
from socialflow.tenants import gateway, lifecycle
from tests.api import Client
from tests.conftest import Cloud
from tests.integration.conftest import Member
from tests.integration.tenants.conftest import Registry, at_once

Person = Callable[..., Client]
WHY = "The last invoice is open. Pay it at billing@socialflow.example."


def test_settings_are_read_with_what_stands_in_and_changed_one_by_one(member: Member, registry: Registry) -> None:
    admin, viewer = member("admin"), member("viewer")
    read = viewer.get("/v1/tenant")
    assert (read.status, read.json["name"], read.json["suspension"]) == (200, "Acme", None)
    assert read.json["settings"] == {
        "time_zone": "UTC",
        "approval": "optional",
        "brand_voice": "",
        "languages": ["en"],
        "banned_words": [],
        "ai_models": [],
        "ai_budget_usd": None,
        "support_access": "allowed",
    }
    asked = {"name": " Acme & Söhne ", "settings": {"time_zone": "Asia/Kolkata", "approval": "required"}}
    changed = admin.patch("/v1/tenant", asked, if_match=read.headers["etag"])
    assert (changed.status, changed.json["name"]) == (200, "Acme & Söhne")
    assert living.named("acme").settings == {"time_zone": "Asia/Kolkata", "approval": "required"}
    again = admin.patch("/v1/tenant", {"settings": {"languages": ["pt-br", "en", "PT-BR"]}}, if_match="*")
    assert again.json["settings"]["time_zone"] == "Asia/Kolkata", "what is not sent stays"
    assert again.json["settings"]["languages"] == ["pt-BR", "en"]
    assert member("owner", "contoso").get("/v1/tenant").json["settings"]["time_zone"] == "UTC"


def test_nobodys_change_is_lost(member: Member, registry: Registry) -> None:
    admin = member("admin")
    tag = admin.get("/v1/tenant").headers["etag"]
    assert admin.patch("/v1/tenant", {"name": "First"}, if_match=tag).status == 200
    late = admin.patch("/v1/tenant", {"name": "Second"}, if_match=tag)
    assert (late.status, late.json["current_version"]) == (412, 2)
    assert admin.patch("/v1/tenant", {"name": "Third"}).status == 428
    assert admin.get("/v1/tenant").json["name"] == "First"


@pytest.mark.parametrize(
    "settings",
    [
        {"surprise": True},
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "../../etc/passwd"},
        {"time_zone": "europe/berlin"},
        {"approval": "maybe"},
        {"brand_voice": "x" * 2_001},
        {"languages": []},
        {"languages": ["xx"]},
        {"languages": ["en_US"]},
        {"languages": "en"},
        {"languages": ["en"] * 21},
    ],
)
def test_a_setting_that_means_nothing_is_refused(member: Member, settings: dict[str, Any]) -> None:
    reply = member("admin").patch("/v1/tenant", {"settings": settings}, if_match="*")
    assert reply.status == 422
    assert reply.json["errors"][0]["pointer"].startswith("/settings/")
    assert living.named("acme").settings == {}


def test_only_who_may_changes_and_only_an_owner_deletes(member: Member, registry: Registry) -> None:
    for role in ("viewer", "editor"):
        assert member(role).patch("/v1/tenant", {"name": "X"}, if_match="*").status == 403
    for role in ("viewer", "editor", "admin"):
        assert member(role).delete("/v1/tenant?confirm=acme").status == 403
    assert member("owner", "contoso", tenant="acme").delete("/v1/tenant?confirm=acme").status == 403
    assert registry.column("SELECT DISTINCT status FROM control.tenants") == ["active"]


def test_a_suspended_tenant_says_why_reads_and_publishes_nothing(
    member: Member, acme: Tenant, contoso: Tenant, registry: Registry
) -> None:
    event = {"action": "suspend", "slug": "acme", "reason": WHY, "by": "nina"}
    assert suspend(event, None) == {"outcome": "suspended", "changed": True}
    assert suspend(event, None) == {"outcome": "suspended", "changed": False}
    told = member("viewer").get("/v1/tenant").json
    assert (told["status"], told["suspension"]["reason"]) == ("suspended", WHY)
    assert datetime.fromisoformat(told["suspension"]["since"]) <= datetime.now().astimezone()
    refused = member("admin").patch("/v1/tenant", {"name": "X"}, if_match="*")
    assert (refused.status, refused.code) == (403, "tenant-suspended")
    for tenant, stopped in ((living.named("acme"), True), (contoso, False)):
        with transaction(tenant) as tx:
            assert (ledger.switched_off(tx, "mastodon") is not None) is stopped
    assert registry.facts() == [("acme", "tenant.suspended")]


def test_a_resumed_tenant_goes_on_where_it_stopped(member: Member, acme: Tenant, registry: Registry) -> None:
    later = "INSERT INTO cell.work (tenant, kind, id, wake_at) VALUES (%s, 'publish', %s, now() + interval '1 hour')"
    for slug in ("acme", "contoso"):
        registry.owner.execute(later, (slug, new_id()))
    registry.owner.execute("INSERT INTO cell.switches (tenant, scope, reason) VALUES ('acme', 'mastodon', 'mine')")
    suspend({"action": "suspend", "slug": "acme", "reason": WHY, "by": "nina"}, None)
    assert suspend({"action": "resume", "slug": "acme", "by": "nina"}, None) == {"outcome": "resumed", "changed": True}
    assert suspend({"action": "resume", "slug": "acme", "by": "nina"}, None) == {"outcome": "resumed", "changed": False}
    assert registry.column("SELECT tenant FROM cell.work WHERE wake_at <= now()") == ["acme"]
    assert registry.column("SELECT scope FROM cell.switches") == ["mastodon"], "an operator's own switch stays"
    assert member("viewer").get("/v1/tenant").json["suspension"] is None
    assert member("admin").patch("/v1/tenant", {"name": "X"}, if_match="*").status == 200
    assert registry.facts() == [("acme", "tenant.suspended"), ("acme", "tenant.resumed")]


def test_what_cannot_be_suspended_is_refused_in_words(acme: Tenant) -> None:
    wish = {"action": "suspend", "slug": "acme", "reason": WHY, "by": "nina"}
    assert suspend({**wish, "slug": "nobody"}, None)["code"] == "unknown-tenant"
    assert suspend({**wish, "reason": " "}, None)["code"] == "unusable-setting"
    assert living.named("acme").active


def test_a_delete_must_be_meant(member: Member, registry: Registry) -> None:
    owner = member("owner")
    for confirm in ("", "?confirm=", "?confirm=contoso", "?confirm=ACME"):
        reply = owner.delete(f"/v1/tenant{confirm}")
        assert (reply.status, reply.code) == (422, "confirmation-missing")
    assert registry.column("SELECT DISTINCT status FROM control.tenants") == ["active"]


def test_a_deleted_tenant_is_nowhere_and_its_owner_brings_it_back(
    member: Member, acme: Tenant, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, editor = member("owner"), member("editor")
    due = "INSERT INTO cell.work (tenant, kind, id, wake_at, run) VALUES (%s, 'publish', %s, now(), 3)"
    for slug in ("acme", "contoso"):
        registry.owner.execute(due, (slug, new_id()))
    at_rest = "INSERT INTO cell.work (tenant, kind, id, wake_at, run) VALUES ('acme', 'publish', %s, NULL, 1)"
    registry.owner.execute(at_rest, (new_id(),))
    gone = owner.delete("/v1/tenant?confirm=acme")
    assert (gone.status, gone.json["slug"]) == (200, "acme")
    until = datetime.fromisoformat(gone.json["restorable_until"])
    assert timedelta(days=29) < until - datetime.now().astimezone() < timedelta(days=31)

    for client in (owner, editor):
        assert client.get("/v1/media").code == "not-a-member"
        assert client.get("/v1/tenants").json["items"] == []
        assert client.get("/v1/me").json["memberships"] == []
    assert registry.value("SELECT to_regnamespace('t_acme')") is None
    with pytest.raises(TenantGone), transaction(acme):
        pytest.fail("a request that was let in before finds nothing to enter")
    assert registry.column("SELECT run FROM cell.work WHERE tenant = 'acme' ORDER BY 1") == [1, 4], (
        "what is under way has no say"
    )
    started: list[work.Run] = []
    monkeypatch.setattr(work, "_start", lambda _machine, run: started.append(run))
    machines = {"ingest": "i", "publish": "p"}
    work.wake_everything()
    assert work.start_due(machines, room={"ingest": 9}) == 1
    assert [run.tenant for run in started] == ["contoso"]
    assert member("owner", "contoso").get("/v1/media").status == 200

    mine = owner.get("/v1/tenants?deleted=true").json["items"]
    assert [(one["slug"], one["restorable_until"]) for one in mine] == [("acme", gone.json["restorable_until"])]
    assert editor.get("/v1/tenants?deleted=true").json["items"] == []
    back = owner.post("/v1/tenants/acme/restore")
    assert (back.status, back.json["status"], back.json["id"]) == (200, "active", str(acme.id))
    assert owner.post("/v1/tenants/acme/restore").status == 200
    assert editor.get("/v1/media").json["items"] == []
    assert work.start_due(machines, room={"ingest": 9}) == 1
    assert [run.tenant for run in started] == ["contoso", "acme"]
    assert registry.value("SELECT count(*) FROM cell.work WHERE wake_at IS NULL") == 1, "what is at rest stays so"
    assert registry.facts() == [("acme", "tenant.deleted"), ("acme", "tenant.restored")]


def test_the_audit_names_the_person_behind_the_owners_function(member: Member, registry: Registry) -> None:
    owner = member("owner")
    assert owner.delete("/v1/tenant?confirm=acme", **{"x-request-id": "the-request"}).status == 200
    row = registry.owner.execute(
        "SELECT actor_kind, actor_id, request_id, address FROM control.audit_log"
        " WHERE action = 'tenant.update' ORDER BY at DESC LIMIT 1"
    ).fetchone()
    assert row == ("person", UUID(owner.get("/v1/me").json["id"]), "the-request", "192.0.2.1")


def test_only_a_former_owner_restores_and_a_deleted_slug_stays_taken(
    member: Member, person: Person, registry: Registry
) -> None:
    assert member("owner").delete("/v1/tenant?confirm=acme").status == 200
    for client in (member("admin"), member("owner", "contoso"), person("anna")):
        reply = client.post("/v1/tenants/acme/restore")
        assert (reply.status, reply.code) == (404, "not-restorable")
    nothing = member("owner").post("/v1/tenants/nothing/restore")
    assert (nothing.status, nothing.code) == (404, "not-restorable")
    assert person("anna").post("/v1/tenants", {"slug": "acme", "name": "Acme"}).code == "slug-taken"


def test_a_tenant_that_is_restored_gets_what_it_has_missed(member: Member, registry: Registry) -> None:
    assert member("owner").delete("/v1/tenant?confirm=acme").status == 200
    schema = registry.value("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'deleted_%%'")
    newest = registry.value(f"SELECT max(name) FROM {schema}.schema_migrations")
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 't_contoso'"
    registry.owner.execute(f"DELETE FROM {schema}.schema_migrations WHERE name = '{newest}'")
    assert member("owner").post("/v1/tenants/acme/restore").status == 503, "its tables are there already: refused whole"
    assert registry.value("SELECT to_regnamespace('t_acme')") is None
    registry.owner.execute(
        f"INSERT INTO {schema}.schema_migrations SELECT * FROM t_contoso.schema_migrations WHERE name = '{newest}'"
    )
    assert member("owner").post("/v1/tenants/acme/restore").status == 200
    assert registry.value(tables.replace("contoso", "acme")) == registry.value(tables)


def test_nothing_enters_a_deleted_tenants_schema(member: Member, registry: Registry, acme: Tenant) -> None:
    assert member("owner").delete("/v1/tenant?confirm=acme").status == 200
    hidden = registry.value("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'deleted_%%'")
    with control() as connection:
        allowed = connection.execute("SELECT has_schema_privilege(%s, 'USAGE')", (hidden,)).fetchone()
    assert allowed == (False,)


def test_deleting_and_restoring_at_once_ends_as_one_of_both(member: Member, acme: Tenant, registry: Registry) -> None:
    by = UUID(member("owner").get("/v1/me").json["id"])

    def tried(action: str, **what: str) -> str:
        try:
            return str(gateway.ask(action, by=by, **what)["outcome"])
        except Refusal as refusal:
            return refusal.code

    calls = [partial(tried, "delete", id=str(acme.id)), partial(tried, "restore", slug="acme")] * 5
    assert set(at_once(calls)) == {"done"}
    status = registry.value("SELECT status FROM control.tenants WHERE slug = 'acme'")
    is_there = registry.value("SELECT to_regnamespace('t_acme')") is not None
    assert is_there is (status == "active")


class Purge:
    """A tenant with objects, deleted so many days ago."""

    def __init__(self, cloud: Cloud, registry: Registry) -> None:
        self.s3 = boto3.client("s3")
        self.cloud, self.registry = cloud, registry

    def put(self, slug: str) -> None:
        """Write two versions of an object and a marker over another."""
        for key in ("a", "a", "b"):
            self.s3.put_object(Bucket=self.cloud.bucket, Key=f"tenants/{slug}/media/{key}", Body=b"x")
        self.s3.delete_object(Bucket=self.cloud.bucket, Key=f"tenants/{slug}/media/b")

    def versions(self, slug: str) -> int:
        """Count what is left, in every version."""
        found = self.s3.list_object_versions(Bucket=self.cloud.bucket, Prefix=f"tenants/{slug}/")
        return len(found.get("Versions", ())) + len(found.get("DeleteMarkers", ()))

    def age(self, slug: str, days: int) -> None:
        """Let days go by."""
        passed = "UPDATE control.tenants SET deleted_at = deleted_at - %s * interval '1 day' WHERE slug = %s"
        self.registry.owner.execute(passed, (days, slug))


@pytest.fixture
def north(person: Person, cloud: Cloud, registry: Registry) -> Purge:
    """A deleted tenant `north` beside a living `north_wind`, both with objects."""
    anna = person("anna")
    for slug in ("north", "north_wind"):
        assert anna.post("/v1/tenants", {"slug": slug, "name": slug.title()}).status == 201
    made = Purge(cloud, registry)
    for slug in ("north", "north_wind"):
        made.put(slug)
        registry.owner.execute("INSERT INTO cell.switches (tenant, scope, reason) VALUES (%s, 'tenant', 'x')", (slug,))
    assert person("anna", "north").delete("/v1/tenant?confirm=north").status == 200
    return made


def test_within_the_grace_nothing_is_purged(north: Purge, person: Person) -> None:
    north.age("north", 29)
    assert purge({}, None) == {"purged": [], "failed": []}
    assert person("anna").post("/v1/tenants/north/restore").status == 200
    assert north.versions("north") >= 4


def test_a_tenant_is_purged_by_its_row_and_not_by_a_list_of_before(north: Purge, registry: Registry) -> None:
    north.age("north", 30)
    (listed,) = lifecycle.to_purge(registry.owner)
    north.age("north", -2)
    assert lifecycle.purge(registry.owner, listed) is False
    assert registry.value("SELECT purged_at FROM control.tenants WHERE slug = 'north'") is None


def test_after_the_grace_nothing_is_left_but_the_slug(north: Purge, person: Person, registry: Registry) -> None:
    beside = north.versions("north_wind")
    north.age("north", 30)
    late = person("anna").post("/v1/tenants/north/restore")
    assert (late.status, late.code) == (404, "not-restorable")
    assert person("anna").get("/v1/tenants?deleted=true").json["items"] == []
    assert purge({}, None) == {"purged": ["north"], "failed": []}
    assert purge({}, None) == {"purged": [], "failed": []}
    assert (north.versions("north"), north.versions("north_wind")) == (0, beside)
    assert registry.column("SELECT rolname FROM pg_roles WHERE rolname LIKE 't_north%%'") == ["t_north_wind_rw"]
    assert registry.column("SELECT nspname FROM pg_namespace WHERE nspname ~ '^(t_north|deleted_)'") == ["t_north_wind"]
    assert registry.column("SELECT tenant FROM cell.switches") == ["north_wind"]
    left = registry.owner.execute(
        "SELECT name, settings, created_by, (SELECT count(*) FROM control.members m WHERE m.tenant_id = t.id)"
        " FROM control.tenants t WHERE slug = 'north'"
    ).fetchone()
    assert left == ("(purged)", {}, None, 0)
    for who in ("anna", "boris"):
        assert person(who).post("/v1/tenants", {"slug": "north", "name": "North"}).code == "slug-taken"
    assert person("anna", "north_wind").get("/v1/media").status == 200
    assert registry.facts()[-2:] == [("north", "tenant.deleted"), ("north", "tenant.purged")]


def test_a_tenant_that_cannot_be_purged_stops_no_other_and_is_tried_again(
    north: Purge, person: Person, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert person("anna", "north_wind").delete("/v1/tenant?confirm=north_wind").status == 200
    for slug, days in (("north", 40), ("north_wind", 31)):
        north.age(slug, days)
    real = gateway.delete_objects
    with monkeypatch.context() as patch:

        def failing(slug: str) -> int:
            if slug == "north":
                raise RuntimeError("the bucket does not answer")
            return real(slug)

        patch.setattr(gateway, "delete_objects", failing)
        assert purge({}, None) == {"purged": ["north_wind"], "failed": ["north"]}
    assert registry.value("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'deleted_%%'") == 1
    assert purge({}, None) == {"purged": ["north"], "failed": []}


def test_the_audit_names_who_asked_for_what_the_owner_of_tenants_does(member: Member, registry: Registry) -> None:
    acme = registry.value("SELECT id FROM control.tenants WHERE slug = 'acme'")
    assert member("owner").delete("/v1/tenant?confirm=acme", x_request_id="the-deletion").status == 200
    rows = registry.column(
        "SELECT concat_ws('|', action, actor_kind, actor_name, request_id, address) FROM control.audit_log"
        " WHERE chain = %s AND changes ->> 'status' IS NOT NULL",
        str(acme),
    )
    assert rows == ["tenant.update|person|Owner of acme|the-deletion|192.0.2.1"]
