"""Write Archive, killed and started again, superseded, and given up."""

from typing import Any

import boto3
import pytest

from socialflow.exports import gateway, model, rows, writing
from socialflow.exports.model import TRIES
from socialflow.platform import work
from tests.integration.exports.conftest import MEDIA, Office


class Killed(BaseException):
    """The worker is gone."""


def _uploads() -> list[Any]:
    s3: Any = boto3.client("s3")
    return list(s3.list_multipart_uploads(Bucket="media").get("Uploads", []))


def test_an_archive_larger_than_a_part_is_sent_in_parts(furnished: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "PART", 5 * 1024**2)
    data = bytes(range(256)) * 4096 * 13
    row = furnished.owner.execute(
        "SELECT id, object_key FROM t_acme.media_items WHERE state = 'approved'"
    ).fetchone() or ("", "")
    version = furnished.put(row[1], data)
    furnished.owner.execute("UPDATE t_acme.media_items SET object_version = %s WHERE id = %s", (version, row[0]))
    archive = furnished.exported()
    assert archive.file(f"objects/media/{row[0]}/original.jpg") == data
    assert furnished.bring_in(archive.key)["outcome"] == "imported"


def test_a_killed_task_begins_again_and_the_second_run_writes(
    furnished: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_id = furnished.ask()
    run = furnished.start(export_id)
    with monkeypatch.context() as patch:

        def die(*_: object) -> None:
            raise Killed

        patch.setattr(writing, "_copy", die)
        patch.setattr(gateway.Upload, "abort", lambda _upload: None)
        with pytest.raises(Killed):
            furnished.work(export_id, run)
    shown = furnished.client.get(f"/v1/exports/{export_id}").json
    assert (shown["state"], shown["url"]) == ("writing", None)
    assert furnished.value("SELECT wake_at > now() + interval '15 min' FROM cell.work WHERE id = %s", export_id)
    assert furnished.work(export_id, furnished.start(export_id)) == "written"
    assert {row["state"] for row in furnished.archive(export_id).rows("media_items")} == set(MEDIA)
    assert furnished.value("SELECT wake_at FROM cell.work WHERE id = %s", export_id) is None


def test_what_was_sent_of_a_failed_archive_is_thrown_away(furnished: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    before = len(_uploads())
    export_id = furnished.ask()
    monkeypatch.setattr(rows, "lines", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        furnished.work(export_id, furnished.start(export_id))
    assert len(_uploads()) == before


def test_what_fails_each_time_is_given_up_and_another_may_be_asked_for(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_id = office.ask()
    with monkeypatch.context() as patch:
        patch.setattr(rows, "lines", lambda *_: 1 / 0)
        for _ in range(TRIES):
            run = office.start(export_id)
            with pytest.raises(ZeroDivisionError):
                office.work(export_id, run)
    assert office.work(export_id, office.start(export_id)) == "failed"
    shown = office.client.get(f"/v1/exports/{export_id}").json
    assert (shown["state"], shown["error_code"]) == ("failed", "export-broken")
    assert shown["error_detail"]
    assert office.exported().export_id != export_id


def test_more_than_an_export_holds_is_said_at_once(furnished: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "MOST_OBJECTS", 3)
    export_id = furnished.ask()
    assert furnished.work(export_id, furnished.start(export_id)) == "failed"
    shown = furnished.client.get(f"/v1/exports/{export_id}").json
    assert shown["error_code"] == "export-too-large"
    assert "3 files" in shown["error_detail"]


def test_too_many_bytes_are_too_large_as_well() -> None:
    model.check_size(model.MOST_BYTES, model.MOST_OBJECTS)
    with pytest.raises(model.Unexportable):
        model.check_size(model.MOST_BYTES + 1, 1)


def test_a_run_that_is_replaced_while_it_copies_stops_and_leaves_the_row_to_the_newer_one(
    furnished: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_id = furnished.ask()
    run = furnished.start(export_id)
    copied = writing._copy

    def copy(*given: Any) -> None:
        furnished.owner.execute("UPDATE cell.work SET run = 2 WHERE id = %s", (export_id,))
        copied(*given)

    monkeypatch.setattr(writing, "_copy", copy)
    before = len(_uploads())
    assert furnished.work(export_id, run) == "superseded"
    assert len(_uploads()) == before
    assert furnished.value("SELECT state FROM cell.exports") == "writing"


def test_a_run_that_is_replaced_at_its_end_has_no_say(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    export_id = office.ask()
    run = office.start(export_id)
    monkeypatch.setattr(work, "finish", lambda *_, **__: False)
    assert office.work(export_id, run) == "superseded"
    assert office.value("SELECT state FROM cell.exports") == "writing"


def test_a_run_after_the_end_changes_nothing(office: Office) -> None:
    archive = office.exported()
    office.owner.execute("UPDATE cell.work SET wake_at = now()")
    assert office.work(archive.export_id, office.start(archive.export_id)) == "settled"
    assert office.archive(archive.export_id).body == archive.body
    assert office.value("SELECT wake_at FROM cell.work") is None


def test_a_row_that_names_a_file_of_somebody_else_ends_the_export(furnished: Office) -> None:
    furnished.put("tenants/contoso/secret.jpg", b"contoso's own")
    furnished.owner.execute(
        "UPDATE t_acme.media_items SET object_key = 'tenants/contoso/secret.jpg', object_version = NULL"
        " WHERE state = 'approved'"
    )
    export_id = furnished.ask()
    assert furnished.work(export_id, furnished.start(export_id)) == "failed"
    assert furnished.value("SELECT error_code FROM cell.exports") == "foreign-object"
