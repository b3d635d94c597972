"""Export, import, export: the same again, and nothing of it goes out by itself."""

import json
from typing import Any

import boto3
import psycopg
import pytest

from functions.cron_reconcile.handler import handler as cron_reconcile
from functions.ops_verify_audit.handler import handler as ops_verify_audit
from socialflow.exports import rows
from socialflow.platform.database import snapshot
from socialflow.platform.tenancy import Tenant
from tests.integration.exports.conftest import MEDIA, POSTS, Archive, Office

OWN = ("acme", "contoso")


@pytest.fixture
def first(furnished: Office) -> Archive:
    """Acme's archive."""
    return furnished.exported()


@pytest.fixture
def imported(furnished: Office, first: Archive) -> Archive:
    """Acme's archive, which contoso has taken in."""
    done = furnished.bring_in(first.key)
    assert done["outcome"] == "imported", done
    return first


def test_what_is_exported_again_has_the_same_manifest_byte_for_byte(office: Office, imported: Archive) -> None:
    second = office.exported(office.others, "contoso")
    assert second.manifest.lasting() == imported.manifest.lasting()
    ours, theirs = imported.manifest.of, second.manifest.of
    assert (ours.slug, theirs.slug) == OWN
    assert ours.export_id != theirs.export_id
    for name in imported.names():
        if name != "manifest.json":
            assert second.file(name) == imported.file(name), name
    assert second.names() == imported.names()


def test_every_table_is_in_the_archive_or_left_out_for_a_reason(
    first: Archive, owner: psycopg.Connection, acme: Tenant
) -> None:
    tables = {name for (name,) in owner.execute("SELECT tablename FROM pg_tables WHERE schemaname = 't_acme'")}
    exported = {name[5:-7] for name in first.names() if name.startswith("rows/")}
    assert exported | set(rows.LEFT_OUT) == tables
    assert not exported & set(rows.LEFT_OUT)
    assert first.manifest.left_out == rows.LEFT_OUT
    assert all(rows.LEFT_OUT.values())
    assert set(rows.FORMS) <= tables


def test_a_table_comes_after_those_it_refers_to(acme: Tenant) -> None:
    with snapshot(acme) as tx:
        order = [table.name for table in rows.tables(tx)]
    for before, after in (
        ("media_items", "derivatives"),
        ("caption_requests", "captions"),
        ("captions", "reviews"),
        ("social_accounts", "targets"),
        ("posts", "targets"),
        ("targets", "attempts"),
    ):
        assert order.index(before) < order.index(after)


def test_the_archive_holds_every_state_and_each_file_as_it_was_inspected(first: Archive) -> None:
    assert {row["state"] for row in first.rows("media_items")} == set(MEDIA)
    originals = [name for name in first.names() if name.endswith("/original.jpg")]
    assert len(originals) == len(MEDIA) - 2, "what is awaited has none, and what is deleted"
    for row in first.rows("derivatives"):
        assert first.file(f"objects/{row['object_key']}") == f"{row['variant']} of {row['media_id']}".encode()
    assert first.manifest.missing == []
    assert first.manifest.settings == {"approval": "required", "zone": "Europe/Berlin"}
    assert {person.role for person in first.manifest.of.members} == {"owner", "admin", "editor", "viewer"}


def test_no_secret_leaves_and_accounts_come_in_disconnected(office: Office, imported: Archive) -> None:
    assert b"sealed to acme" not in b"".join(imported.file(name) for name in imported.names())
    assert b"sealed to acme".hex().encode() not in imported.file("rows/social_accounts.ndjson")
    assert {row["state"] for row in imported.rows("social_accounts")} == {"disconnected"}
    found = office.owner.execute("SELECT DISTINCT state, secret FROM t_contoso.social_accounts").fetchall()
    assert found == [("disconnected", b"")]
    assert office.value("SELECT count(*) FROM t_acme.social_accounts WHERE state = 'connected'") == 3


def test_nothing_that_was_imported_goes_out_by_itself(office: Office, imported: Archive) -> None:
    assert office.value("SELECT count(*) FROM cell.work WHERE tenant = 'contoso' AND kind = 'publish'") == 0
    waiting = "state IN ('scheduled', 'preparing', 'prepared', 'attempting')"
    assert office.value(f"SELECT count(*) FROM t_contoso.targets WHERE {waiting} AND due_at IS NOT NULL") == 0
    states: dict[str, str] = dict(office.owner.execute("SELECT text, state FROM t_contoso.posts").fetchall())
    assert states == {state: state for state in POSTS} | {
        "awaiting_approval": "draft",
        "scheduled": "draft",
        "publishing": "unconfirmed",
    }
    drafts = "SELECT count(*) FROM t_contoso.posts WHERE state = 'draft' AND coalesce(due_at::text, due_zone) IS NULL"
    assert office.value(drafts + " AND approved_hash IS NULL AND due_local IS NULL") == 3
    found = office.owner.execute(
        "SELECT p.text, array_agg(t.state::text ORDER BY t.account_id) FROM t_contoso.targets t JOIN t_contoso.posts p"
        " ON p.id = t.post_id GROUP BY 1"
    ).fetchall()
    targets: dict[str, list[str]] = dict(found)
    assert targets["publishing"] == ["published", "cancelled", "unconfirmed"]
    assert targets["scheduled"] == ["scheduled", "failed"]
    assert office.value("SELECT count(*) FROM t_contoso.targets WHERE run <> 0 OR approved_hash IS NOT NULL") == 0


def test_receipts_stay_and_an_attempt_under_way_is_unconfirmed(office: Office, imported: Archive) -> None:
    receipts = "SELECT remote_id FROM t_{}.targets WHERE state = 'published' ORDER BY 1"
    assert office.owner.execute(receipts.format("contoso")).fetchall() == (
        office.owner.execute(receipts.format("acme")).fetchall()
    )
    assert office.value("SELECT count(*) FROM t_acme.attempts WHERE outcome IS NULL") == 1
    assert office.value("SELECT count(*) FROM t_contoso.attempts WHERE outcome IS NULL") == 0


def test_files_lie_in_the_new_tenants_own_place_and_nothing_of_the_old_one_is_touched(
    office: Office, imported: Archive
) -> None:
    objects = office.owner.execute(
        "SELECT object_key, object_version, sha256 FROM t_contoso.media_items"
        " WHERE state NOT IN ('awaiting_upload', 'deleted')"
        " UNION ALL SELECT object_key, object_version, sha256 FROM t_contoso.derivatives"
    ).fetchall()
    s3: Any = boto3.client("s3")
    for key, version, _ in objects:
        assert key.startswith("tenants/contoso/media/")
        assert s3.head_object(Bucket="media", Key=key, VersionId=version)["ContentType"] == "image/jpeg"
    assert len(objects) == len(MEDIA) - 2 + 8
    assert office.value("SELECT count(*) FROM t_acme.media_items WHERE object_key NOT LIKE 'tenants/acme/%%'") == 0


def test_what_was_processed_or_in_review_goes_on_and_is_counted(office: Office, imported: Archive) -> None:
    due = office.owner.execute("SELECT kind, id FROM cell.work WHERE tenant = 'contoso' ORDER BY id").fetchall()
    unfinished = "SELECT 'ingest', id FROM t_contoso.media_items WHERE state IN ('processing', 'in_review') ORDER BY id"
    assert due == office.owner.execute(unfinished).fetchall()
    assert len(due) == 2
    counted = "SELECT used FROM cell.usage WHERE tenant = 'contoso' AND meter = 'storage_bytes' AND period = 'standing'"
    arrived = (
        "SELECT sum(declared_size) FROM t_acme.media_items WHERE state NOT IN ('awaiting_upload', 'refused', 'deleted')"
    )
    assert office.value(counted) == office.value(arrived) > 0
    assert office.value("SELECT settings FROM control.tenants WHERE slug = 'contoso'") == imported.manifest.settings


def test_a_file_that_the_bucket_has_no_more_is_named_and_the_rest_comes(furnished: Office) -> None:
    key, version = furnished.owner.execute(
        "SELECT object_key, object_version FROM t_acme.media_items WHERE state = 'expired'"
    ).fetchone() or ("", "")
    boto3.client("s3").delete_object(Bucket="media", Key=key, VersionId=version)
    thumb, its = furnished.owner.execute(
        "SELECT object_key, object_version FROM t_acme.derivatives WHERE variant = 'thumb' LIMIT 1"
    ).fetchone() or ("", "")
    boto3.client("s3").delete_object(Bucket="media", Key=thumb, VersionId=its)
    first = furnished.exported()
    gone = sorted(each.removeprefix("tenants/acme/") for each in (key, thumb))
    assert first.manifest.missing == gone
    assert furnished.bring_in(first.key)["outcome"] == "imported"
    second = furnished.exported(furnished.others, "contoso")
    assert second.manifest.lasting() == first.manifest.lasting()


def test_the_audit_comes_along_its_chain_holds_and_goes_on(office: Office, imported: Archive) -> None:
    assert len(imported.rows("audit_log")) > 20
    verdict = ops_verify_audit({"tenant": "contoso"}, None)
    assert (verdict["outcome"], verdict["bad"]) == ("intact", []), verdict
    length = office.value("SELECT count(*) FROM t_contoso.audit_log")
    assert length == len(imported.rows("audit_log")), "what is imported happened before"
    office.owner.execute("UPDATE t_contoso.posts SET text = 'changed here' WHERE state = 'published'")
    assert office.value("SELECT count(*) FROM t_contoso.audit_log") == length + 1
    assert ops_verify_audit({"tenant": "contoso"}, None)["outcome"] == "intact"


def test_an_empty_tenant_is_exported_and_imported_too(office: Office) -> None:
    first = office.exported()
    assert office.bring_in(first.key) == {"outcome": "imported", "rows": 0, "objects": 0}


def test_rows_are_of_one_moment(furnished: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """A medium that comes while tables are being written is in none of them."""
    written = rows.lines
    seen = len(furnished.owner.execute("SELECT FROM t_acme.posts").fetchall())

    def lines(tx: Any, table: Any) -> Any:
        furnished.owner.execute("DELETE FROM t_acme.posts WHERE state = 'draft'")
        return written(tx, table)

    monkeypatch.setattr(rows, "lines", lines)
    assert len(furnished.exported().rows("posts")) == seen


def test_the_reconciler_starts_an_export(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    states = boto3.client("stepfunctions")
    role = "arn:aws:iam::123456789012:role/states"
    passing = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})
    states.create_state_machine(name=office.cloud.export.rpartition(":")[2], definition=passing, roleArn=role)
    export_id = office.ask()
    assert cron_reconcile({}, None) == {"started": 1}
    (execution,) = states.list_executions(stateMachineArn=office.cloud.export)["executions"]
    assert execution["name"] == f"export-{export_id}-1"
