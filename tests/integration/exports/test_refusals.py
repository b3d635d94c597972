"""Archives that were changed, are of another kind or would do harm: refused in words, and nothing is written."""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from socialflow.exports import gateway, importing, reading, rows
from tests.integration.exports.conftest import Archive, Office

FOREIGN = "objects/media/0199c0de-0000-7000-8000-000000000001/original.jpg"


_made: list[Archive] = []


@pytest.fixture
def archive(office: Office) -> Archive:
    """Acme's archive: made once, as all that happens to it here happens to copies."""
    if not _made:
        office.furnish()
        _made.append(office.exported())
    return _made[0]


@pytest.fixture
def refused(office: Office) -> Callable[..., dict[str, Any]]:
    """Import what is to be refused; nothing of it may be there."""

    def bring_in(key: str, code: str = "unusable-archive", *, slug: str = "contoso") -> dict[str, Any]:
        before = office.counts("contoso")
        settings = office.value("SELECT settings FROM control.tenants WHERE slug = 'contoso'")
        answer = office.bring_in(key, slug)
        assert (answer["outcome"], answer.get("code")) == ("refused", code), answer
        assert answer["detail"].endswith((".", "!"))
        assert office.counts("contoso") == before
        assert office.value("SELECT settings FROM control.tenants WHERE slug = 'contoso'") == settings
        return answer

    return bring_in


Refused = Callable[..., dict[str, Any]]


def _objects(office: Office) -> int:
    found = boto3.client("s3").list_objects_v2(Bucket=office.cloud.bucket, Prefix="tenants/contoso/")
    return int(found["KeyCount"])


@pytest.mark.parametrize("where", ["rows/posts.ndjson", "objects"])
def test_one_changed_byte_is_found_before_anything_is_written(
    office: Office, archive: Archive, refused: Refused, where: str
) -> None:
    name = next(name for name in archive.names() if name.startswith(where))
    data = bytearray(archive.file(name))
    data[10] ^= 1
    before = _objects(office)
    answer = refused(office.changed(archive, {name: bytes(data)}, mend=False))
    assert name in answer["detail"]
    assert _objects(office) == before


def test_a_broken_archive_is_none(office: Office, archive: Archive, refused: Refused) -> None:
    refused(office.stored(b"not a zip"))
    refused(office.stored(b""))
    refused(office.stored(archive.body[:-30]))
    refused(office.stored(archive.body[: len(archive.body) // 2]))
    flipped = bytearray(archive.body)
    flipped[flipped.index(b"the original that is approved")] ^= 1
    refused(office.stored(bytes(flipped)))


def test_an_archive_without_a_manifest_or_with_nonsense_for_one(
    office: Office, archive: Archive, refused: Refused
) -> None:
    refused(office.changed(archive, {"manifest.json": None}, mend=False))
    for text in (b"", b"[]", b"{}", b"null", b'{"format": "socialflow-export", "version": 1}', b"\xff", b"[" * 100_000):
        refused(office.changed(archive, {"manifest.json": text}, mend=False))


@pytest.mark.parametrize(("key", "value"), [("version", 2), ("version", "1"), ("format", "other")])
def test_another_format_or_version_says_which(
    office: Office, archive: Archive, refused: Refused, key: str, value: object
) -> None:
    document = json.loads(archive.file("manifest.json")) | {key: value}
    answer = refused(office.changed(archive, {"manifest.json": json.dumps(document).encode()}, mend=False))
    assert repr(value) in answer["detail"]


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "/etc/passwd",
        "objects/../tenants/acme/media/x/original.jpg",
        "objects/media/../../../acme/original.jpg",
        "rows/../posts.ndjson",
        "objects/media/x/original.jpg",
        "notes.txt",
    ],
)
def test_names_that_lead_elsewhere(office: Office, archive: Archive, refused: Refused, name: str) -> None:
    answer = refused(office.changed(archive, {name: b"harm"}))
    assert "harm" not in answer["detail"]


def test_a_file_beside_the_manifest_and_one_that_is_not_there(
    office: Office, archive: Archive, refused: Refused
) -> None:
    refused(office.changed(archive, {FOREIGN: b"more"}, mend=False))
    refused(office.changed(archive, {"rows/posts.ndjson": None}, mend=False))


def test_two_files_of_one_name(office: Office, archive: Archive, refused: Refused) -> None:
    made = io.BytesIO(archive.body)
    with zipfile.ZipFile(made, "a") as packed, pytest.warns(UserWarning, match="Duplicate"):
        packed.writestr("rows/posts.ndjson", b"")
    refused(office.stored(made.getvalue()))


def test_a_bomb_is_held_against_the_manifests_sizes(office: Office, archive: Archive, refused: Refused) -> None:
    document = json.loads(archive.file("manifest.json"))
    document["files"]["rows/posts.ndjson"]["bytes"] = 10
    files = {"manifest.json": json.dumps(document).encode(), "rows/posts.ndjson": b"0" * 100_000_000}
    refused(office.changed(archive, files, mend=False))
    refused(office.changed(archive, {"rows/posts.ndjson": b"0" * (reading.LONGEST_LINE + 1) + b"\n"}))


def test_a_lying_entry_is_stopped_at_the_size_that_it_said(archive: Archive, office: Office, refused: Refused) -> None:
    """The directory of the ZIP says what the manifest says; the data goes on."""
    name = "rows/posts.ndjson"
    data = archive.file(name)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as packed:
        for each in archive.names():
            packed.writestr(each, archive.file(each) if each != name else data + b"{}\n")
        packed.getinfo(name).file_size = len(data)
    refused(office.stored(made.getvalue()))


def test_an_archive_of_more_than_any_export_holds(
    office: Office, archive: Archive, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socialflow.exports.model.MOST_OBJECTS", 3)
    assert "larger" in refused(archive.key)["detail"]


def test_unknown_tables_and_missing_ones(office: Office, archive: Archive, refused: Refused) -> None:
    assert "widgets" in refused(office.changed(archive, {"rows/widgets.ndjson": b""}))["detail"]
    assert "posts" in refused(office.changed(archive, {"rows/posts.ndjson": None}))["detail"]
    refused(office.changed(archive, {"rows/schema_migrations.ndjson": b""}))


def _altered(archive: Archive, table: str, **changed: Any) -> dict[str, bytes]:
    lines = archive.file(f"rows/{table}.ndjson").splitlines()
    row = json.loads(lines[0]) | changed
    row = {key: value for key, value in row.items() if value != "<gone>"}
    return {f"rows/{table}.ndjson": b"".join(line + b"\n" for line in [json.dumps(row).encode(), *lines[1:]])}


@pytest.mark.parametrize(
    ("table", "changed", "says"),
    [
        ("posts", {"widget": 1}, "widget"),
        ("posts", {"text": "<gone>"}, "text"),
        ("social_accounts", {"secret": "\\x00"}, "secret"),
        ("media_items", {"object_version": "older"}, "object_version"),
        ("posts", {"state": "nonsense"}, "posts_state_check"),
        ("posts", {"created_at": "yesterday evening"}, "invalid input"),
        ("targets", {"post_id": "0199c0de-0000-7000-8000-000000000001"}, "foreign key"),
        ("media_items", {"object_key": "media/../../acme/original.jpg"}, "not its own"),
        ("media_items", {"object_key": 7}, "not its own"),
        ("derivatives", {"object_key": "tenants/acme/media/x/thumb.jpg"}, "not its own"),
    ],
)
def test_rows_that_are_not_the_tables(  # noqa: PLR0917 # a case has three parts
    office: Office, archive: Archive, refused: Refused, table: str, changed: dict[str, Any], says: str
) -> None:
    assert says in refused(office.changed(archive, _altered(archive, table, **changed)))["detail"]


@pytest.mark.parametrize(
    ("table", "changed"),
    [("posts", {"due_at": "2020-01-01T00:00:00+00:00"}), ("social_accounts", {"state": "connected"})],
)
def test_rows_that_no_export_writes_are_refused_as_they_might_go_out(
    office: Office, archive: Archive, refused: Refused, table: str, changed: dict[str, Any]
) -> None:
    draft = next(row for row in archive.rows("posts") if row["state"] == "draft")
    lines = archive.file(f"rows/{table}.ndjson").splitlines()
    index = next((n for n, line in enumerate(lines) if json.loads(line)["id"] == draft["id"]), 0)
    row = json.loads(lines[index]) | changed | ({"state": "draft"} if table == "posts" else {})
    lines[index] = json.dumps(row).encode()
    text = b"".join(line + b"\n" for line in lines)
    assert "come out as they came in" in refused(office.changed(archive, {f"rows/{table}.ndjson": text}))["detail"]


@pytest.mark.parametrize("line", [b"", b"[]", b"7", b"{", b'{"id": 1}', b"\xff", b"null"])
def test_lines_that_are_no_rows(office: Office, archive: Archive, refused: Refused, line: bytes) -> None:
    refused(office.changed(archive, {"rows/posts.ndjson": line + b"\n"}))


def test_rows_cut_off_or_miscounted(office: Office, archive: Archive, refused: Refused) -> None:
    text = archive.file("rows/posts.ndjson")
    refused(office.changed(archive, {"rows/posts.ndjson": text[:-1]}))
    key = office.changed(archive, {})
    document = json.loads(archive.file("manifest.json"))
    document["files"]["rows/posts.ndjson"]["rows"] -= 1
    key = office.changed(archive, {"manifest.json": json.dumps(document).encode()}, mend=False)
    refused(key)


def test_a_file_that_no_row_names_and_a_row_whose_file_is_not_there(
    office: Office, archive: Archive, refused: Refused
) -> None:
    assert "No row names" in refused(office.changed(archive, {FOREIGN: b"more"}))["detail"]
    name = next(name for name in archive.names() if name.endswith("original.jpg"))
    assert "not in the archive" in refused(office.changed(archive, {name: None}))["detail"]


@pytest.mark.parametrize(
    "key", ["", "tenants/acme/media/x/original.jpg", "exports/../tenants/x", "exports/none.zip", "exports/", 7]
)
def test_keys_that_name_no_archive(office: Office, refused: Refused, key: Any) -> None:
    refused(key)


def test_a_tenant_with_anything_in_it_and_one_that_is_not_there(
    office: Office, archive: Archive, refused: Refused
) -> None:
    refused(archive.key, "unknown-tenant", slug="nobody")
    office.account(7, "contoso")
    assert "social accounts" in refused(archive.key, "tenant-not-empty")["detail"]


def test_a_tenant_that_gets_something_while_files_are_copied(
    office: Office, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = importing._write

    def late(*given: Any, **more: Any) -> Any:
        office.account(7, "contoso")
        return written(*given, **more)

    monkeypatch.setattr(importing, "_write", late)
    assert office.bring_in(archive.key)["code"] == "tenant-not-empty"
    assert office.value("SELECT count(*) FROM t_contoso.social_accounts") == 1
    assert office.value("SELECT count(*) FROM t_contoso.media_items") == 0


def test_what_dies_in_the_middle_leaves_nothing_and_can_be_tried_again(
    office: Office, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = office.counts("contoso")
    with monkeypatch.context() as patch:
        patch.setattr(importing, "_check_written", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            office.bring_in(archive.key)
    assert office.counts("contoso") == before
    with monkeypatch.context() as patch:
        patch.setattr(gateway, "put", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            office.bring_in(archive.key)
    assert office.bring_in(archive.key)["outcome"] == "imported"


def test_an_import_happens_to_nobody_and_later_changes_do(office: Office, archive: Archive) -> None:
    """No trigger fires for what is imported; each is on again after it."""
    office.bring_in(archive.key)
    off = office.value(
        "SELECT count(*) FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid"
        " WHERE c.relnamespace = 't_contoso'::regnamespace AND g.tgenabled = 'D'"
    )
    assert off == 0
    kept_back = {"schema_migrations", "renditions", "ai_keys", "vectors", "account_connections", "late_keys", "routes"}
    assert set(rows.LEFT_OUT) == kept_back


def test_an_archive_that_is_replaced_while_it_is_read_is_refused(
    office: Office, archive: Archive, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even by one of the same length: what was checked is not what would be read."""
    office.put("exports/replaced.zip", archive.body)
    opened = reading.Archive.__init__

    def replacing(made: reading.Archive, file: Any) -> None:
        opened(made, file)
        office.put("exports/replaced.zip", archive.body[::-1])

    monkeypatch.setattr(reading.Archive, "__init__", replacing)
    refused("exports/replaced.zip")
