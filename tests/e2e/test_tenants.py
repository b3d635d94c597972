"""A tenant's whole life on the running stack: made, joined, worked in, exported, imported, migrated, ended.

The tests of this file are one story, in their order: each begins where the one before has ended.
"""

import json
from dataclasses import replace
from uuid import UUID

import httpx
import pytest

from infra_cdk.local.accounts import person
from infra_cdk.local.demo.client import Person
from tests.e2e.office import DAILY, Operator, call, checked_manifest, fetched_export, link_mailed_to
from tests.e2e.stack import LocalStack
from tests.e2e.steps import eventually, in_state, upload

pytestmark = pytest.mark.e2e
SLUG, COPY = "harbour_lights", "harbour_copy"
INVITED = "nina@harbour.test"


@pytest.fixture(scope="module")
def operator(stack: LocalStack) -> Operator:
    return Operator(stack)


@pytest.fixture(scope="module")
def owner(stack: LocalStack) -> Person:
    """Somebody of another company, who makes the tenant."""
    return stack.signed_in("owner@contoso.test", SLUG)


@pytest.fixture(scope="module")
def editor(stack: LocalStack) -> Person:
    """Somebody who is invited to it."""
    return stack.signed_in("viewer@acme.test", SLUG)


@pytest.fixture(scope="module")
def stranger(stack: LocalStack) -> Person:
    """Somebody who is not."""
    return stack.signed_in("owner@acme.test", SLUG)


def test_a_person_makes_a_tenant_once(owner: Person) -> None:
    wish = {"slug": SLUG, "name": "Harbour Lights", "settings": {"time_zone": "Europe/Berlin", "approval": "none"}}
    made, again = call(owner, "POST", "/tenants", wish), call(owner, "POST", "/tenants", wish)
    assert (made.status_code, again.status_code, again.json()["id"]) == (201, 200, made.json()["id"])
    assert call(owner, "POST", "/tenants", {**wish, "name": "Another"}).json()["code"] == "slug-taken"
    assert owner.get("/tenant")["settings"]["time_zone"] == "Europe/Berlin"


def test_somebody_joins_by_the_link_that_was_mailed(stack: LocalStack, owner: Person, editor: Person) -> None:
    assert call(editor, "GET", "/media").json()["code"] == "not-a-member"
    owner.post("/invitations", {"email": INVITED, "role": "editor"})
    token = link_mailed_to(stack, INVITED)
    joined = editor.post("/invitations/accept", {"token": token})
    assert (joined["slug"], joined["role"]) == (SLUG, "editor")
    assert editor.get("/media")["items"] == []
    late = call(stack.signed_in("admin@acme.test", SLUG), "POST", "/invitations/accept", {"token": token})
    assert late.json()["code"] == "invitation-closed"


def test_roles_hold(owner: Person, editor: Person, stranger: Person) -> None:
    tries = (("POST", "/invitations"), ("DELETE", f"/tenant?confirm={SLUG}"), ("POST", "/exports"), ("GET", "/audit"))
    for method, path in tries:
        for who, code in ((editor, "permission-denied"), (stranger, "not-a-member")):
            refused = call(who, method, path, {} if method == "POST" else None)
            assert (refused.status_code, refused.json()["code"]) == (403, code), (method, path, who.email)
    assert {each["role"] for each in owner.get("/members")["items"]} == {"owner", "editor"}


def test_a_key_does_what_its_scopes_say_until_it_is_revoked(stack: LocalStack, owner: Person) -> None:
    made = owner.post("/api-keys", {"name": "A machine", "scopes": ["media:read"]})
    machine = Person(stack.http, stack.addresses["api"], "a machine", made["key"], SLUG)
    assert machine.get("/media")["items"] == []
    assert call(machine, "POST", "/posts", {}).json()["code"] == "permission-denied"
    assert call(replace(machine, tenant="acme"), "GET", "/media").status_code == 403
    assert call(owner, "DELETE", f"/api-keys/{made['id']}").status_code == 204
    assert call(machine, "GET", "/media").status_code == 401


def test_a_photo_goes_in_and_its_link_opens_nothing_of_anybody_elses(
    stack: LocalStack, owner: Person, editor: Person
) -> None:
    media_id = upload(stack, editor)
    in_state(editor, f"/media/{media_id}", "in_review")
    owner.post(f"/media/{media_id}/review/approve", {"caption_version": 1})
    in_state(editor, f"/media/{media_id}", "approved")
    schedule_a_draft(editor, media_id)
    url = editor.get(f"/media/{media_id}/download")["url"]
    assert httpx.get(url).status_code == 200
    assert SLUG in url
    assert httpx.get(url.replace(SLUG, "acme")).status_code == 403


def schedule_a_draft(editor: Person, media_id: str) -> None:
    wish = {"text": "Good evening", "media": [{"id": media_id}], "targets": [], "publish_at": None}
    assert editor.post("/posts", wish)["state"] == "draft"


def test_an_export_comes_back_as_another_tenant_with_the_same_manifest(
    stack: LocalStack, operator: Operator, owner: Person
) -> None:
    first = fetched_export(operator, owner)
    operator.put("exports/brought.zip", first)
    who = person(owner.email)
    members = [{"issuer": stack.state.issuer().url, "subject": who.subject, "email": who.email, "name": who.name}]
    wish = {"slug": COPY, "name": "A copy", "plan": "pro", "members": [{**members[0], "role": "owner"}]}
    assert operator.invoke("ops_provision", wish)["outcome"] == "provisioned"
    wanted = {"slug": COPY, "key": "exports/brought.zip", "by": "nina"}
    done = operator.invoke("ops_import_tenant", wanted)
    assert done["outcome"] == "imported", done
    assert operator.invoke("ops_import_tenant", wanted)["outcome"] == "refused"

    copy = replace(owner, tenant=COPY)
    second = fetched_export(operator, copy)
    ours, theirs = checked_manifest(first), checked_manifest(second)
    assert theirs.lasting() == ours.lasting()
    assert (ours.of.slug, theirs.of.slug) == (SLUG, COPY)
    assert done["objects"] == len([name for name in ours.files if name.startswith("objects/")]) >= 5
    (photo,), (mine,) = copy.get("/media")["items"], owner.get("/media")["items"]
    seen = [
        httpx.get(who.get(f"/media/{item['id']}/download")["url"]).content
        for who, item in ((copy, photo), (owner, mine))
    ]
    assert seen[0] == seen[1] != b""
    assert copy.get("/posts")["items"][0]["text"] == "Good evening"


def test_the_audit_holds_and_names_its_people(operator: Operator, owner: Person) -> None:
    for event in ({"tenant": SLUG}, {"tenant": COPY}, {}):
        verdict = operator.invoke("ops_verify_audit", event)
        assert (verdict["outcome"], verdict["bad"]) == ("intact", []), event
    told = owner.get("/audit", limit=200)["items"]
    kinds = {each["actor"]["kind"] for each in told}
    assert {"person", "system"} <= kinds
    assert any(each["action"] == "api_key.create" for each in told)


def test_the_workflow_migrates_who_is_behind(stack: LocalStack, operator: Operator) -> None:
    newest = operator.sql("SELECT schema_version FROM control.tenants WHERE slug = %s", SLUG)
    operator.sql(
        "UPDATE control.tenants SET schema_version = '0001_create_media.sql:00000000' WHERE slug = ANY(%s)",
        [SLUG, COPY, "acme"],
    )
    assert {each["slug"] for each in operator.command("migrations")[1]["behind"]} == {SLUG, COPY, "acme"}
    states = stack.state.engine().client("stepfunctions")
    machine = next(
        each["stateMachineArn"]
        for each in states.list_state_machines()["stateMachines"]
        if each["name"].endswith("-migrate-tenants")
    )
    run = states.start_execution(stateMachineArn=machine, input=json.dumps({"v": 1}))["executionArn"]
    ended = eventually(lambda: states.describe_execution(executionArn=run), lambda seen: seen["status"] != "RUNNING")
    assert ended["status"] == "SUCCEEDED", ended
    report = json.loads(ended["output"])["report"]
    assert (report["outcome"], report["behind"], report["failed"]) == ("migrated", 0, 0)
    assert set(operator.sql("SELECT schema_version FROM control.tenants WHERE purged_at IS NULL")) == set(newest)
    assert operator.command("migrations") == (0, {"outcome": "found", "behind": []})


def test_the_operators_command_line_finds_stops_and_lets_go_on(
    operator: Operator, owner: Person, editor: Person
) -> None:
    status, told = operator.command("find", SLUG)
    assert (status, told["tenants"][0]["slug"], told["tenants"][0]["status"]) == (0, SLUG, "active")
    post = owner.get("/posts")["items"][0]["id"]
    status, told = operator.command("post", SLUG, post)
    assert (status, told["post"]["state"]) == (0, "draft")
    status, told = operator.command("post", COPY, str(UUID(int=0)))
    assert (status, told["outcome"]) == (1, "refused")
    assert operator.command("suspend", SLUG, "--reason", "An invoice is open.")[0] == 0
    refused = call(editor, "POST", "/posts", {"text": "x", "media": [], "targets": [], "publish_at": None})
    assert (refused.status_code, refused.json()["code"]) == (403, "tenant-suspended")
    assert owner.get("/tenant")["suspension"]["reason"] == "An invoice is open."
    assert operator.command("resume", SLUG)[0] == 0
    assert editor.post("/posts", {"text": "x", "media": [], "targets": [], "publish_at": None})["state"] == "draft"
    assert operator.command("suspend", "no_such_tenant", "--reason", "x")[0] == 1


def test_a_deleted_tenant_is_restored_and_a_purged_one_is_gone(
    operator: Operator, owner: Person, editor: Person
) -> None:
    end = f"/tenant?confirm={SLUG}"
    ended = call(owner, "DELETE", end)
    assert ended.status_code == 200, ended.text
    assert call(editor, "GET", "/media").json()["code"] == "not-a-member"
    assert operator.invoke("cron_purge_tenants", DAILY) == {"purged": [], "failed": []}
    assert owner.post(f"/tenants/{SLUG}/restore")["status"] == "active"
    assert len(editor.get("/media")["items"]) == 1

    beside = operator.versions(f"tenants/{COPY}/")
    assert len(operator.versions(f"tenants/{SLUG}/")) >= 5
    assert call(owner, "DELETE", end).status_code == 200
    operator.sql("UPDATE control.tenants SET deleted_at = deleted_at - interval '31 days' WHERE slug = %s", SLUG)
    assert call(owner, "POST", f"/tenants/{SLUG}/restore", {}).json()["code"] == "not-restorable"
    assert operator.invoke("cron_purge_tenants", DAILY) == {"purged": [SLUG], "failed": []}
    assert operator.versions(f"tenants/{SLUG}/") == []
    assert operator.versions(f"tenants/{COPY}/") == beside != []
    schemas = operator.sql("SELECT nspname FROM pg_namespace WHERE nspname ~ '^(t_harbour|deleted_)'")
    roles = operator.sql("SELECT rolname FROM pg_roles WHERE rolname LIKE 't_harbour%%'")
    assert (schemas, roles) == ([(f"t_{COPY}",)], [(f"t_{COPY}_rw",)])
    wish = {"slug": SLUG, "name": "Harbour Lights"}
    assert call(owner, "POST", "/tenants", wish).json()["code"] == "slug-taken"
    assert len(replace(owner, tenant=COPY).get("/media")["items"]) == 1
    assert operator.invoke("ops_verify_audit", {})["outcome"] == "intact"
