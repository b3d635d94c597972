"""Asking for exports and fetching them: who may, one at a time, and for how long."""

from datetime import timedelta
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

import pytest

from socialflow.exports.model import KEPT_FOR
from tests.integration.conftest import Member
from tests.integration.exports.conftest import Office

ROUTES = [("POST", "/v1/exports"), ("GET", "/v1/exports"), ("GET", "/v1/exports/0199c0de-0000-7000-8000-000000000001")]


@pytest.mark.parametrize("role", ["editor", "viewer"])
@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_only_those_who_manage_settings_may(member: Member, role: str, method: str, path: str) -> None:
    assert member(role).request(method, path).status == 403


def test_an_export_is_queued_and_its_work_is_due(office: Office) -> None:
    reply = office.client.post("/v1/exports")
    assert (reply.status, reply.json["state"], reply.json["percent"]) == (202, "queued", 0)
    assert reply.headers["location"] == f"/v1/exports/{reply.json['id']}"
    due = office.owner.execute("SELECT tenant, kind, id::text FROM cell.work WHERE wake_at <= now()").fetchall()
    assert due == [("acme", "export", reply.json["id"])]


def test_one_at_a_time_for_each_tenant_and_another_after_it(office: Office) -> None:
    first = office.ask()
    for _ in range(2):
        refused = office.client.post("/v1/exports")
        assert (refused.status, refused.json["code"]) == (409, "export-running")
        assert refused.json["export_id"] == str(first)
    office.ask(office.others)
    assert office.work(first, office.start(first)) == "written"
    assert office.ask() != first


def test_the_same_key_is_the_same_export(office: Office) -> None:
    first = office.client.post("/v1/exports", idempotency_key="one")
    again = office.client.post("/v1/exports", idempotency_key="one")
    assert again.json == first.json
    assert again.headers["idempotency-replayed"] == "true"


def test_a_suspended_tenant_takes_what_is_its_own(office: Office) -> None:
    office.owner.execute("UPDATE control.tenants SET status = 'suspended' WHERE slug = 'acme'")
    export_id = office.ask()
    assert office.work(export_id, office.start(export_id)) == "written"
    assert office.client.get(f"/v1/exports/{export_id}").json["url"]


def test_a_ready_export_has_a_link_of_minutes_that_is_signed_at_each_read(office: Office) -> None:
    archive = office.exported()
    shown = office.client.get(f"/v1/exports/{archive.export_id}").json
    assert (shown["state"], shown["stage"], shown["percent"]) == ("ready", "done", 100)
    assert shown["size"] == len(archive.body)
    link = urlsplit(shown["url"])
    assert link.path == f"/{archive.key}"
    query = parse_qs(link.query)
    assert int(query["X-Amz-Expires"][0]) <= 300
    assert query["versionId"]
    assert query["response-content-disposition"][0].startswith('attachment; filename="acme-')
    (listed,) = office.client.get("/v1/exports").json["items"]
    assert (listed["id"], listed["url"]) == (shown["id"], None)


def test_its_hashes_are_those_of_what_is_fetched(office: Office) -> None:
    archive = office.exported()
    shown = office.client.get(f"/v1/exports/{archive.export_id}").json
    assert shown["sha256"] == sha256(archive.body).hexdigest()
    assert shown["manifest_sha256"] == sha256(archive.file("manifest.json")).hexdigest()


def test_after_a_week_there_is_no_link(office: Office) -> None:
    archive = office.exported()
    kept = office.value("SELECT expires_at - finished_at FROM cell.exports")
    assert kept == KEPT_FOR == timedelta(days=7)
    office.owner.execute("UPDATE cell.exports SET expires_at = now()")
    shown = office.client.get(f"/v1/exports/{archive.export_id}").json
    assert (shown["state"], shown["url"]) == ("expired", None)


def test_a_tenant_sees_its_own_exports_alone(office: Office) -> None:
    export_id = office.ask()
    assert office.others.get(f"/v1/exports/{export_id}").status == 404
    assert office.others.get("/v1/exports").json["items"] == []


def test_pages_are_the_newest_first(office: Office) -> None:
    made = [str(office.exported().export_id) for _ in range(3)]
    page = office.client.get("/v1/exports?limit=2").json
    assert [each["id"] for each in page["items"]] == made[:0:-1]
    rest = office.client.get(f"/v1/exports?limit=2&cursor={page['next_cursor']}").json
    assert [each["id"] for each in rest["items"]] == made[:1]
    assert rest["next_cursor"] is None
