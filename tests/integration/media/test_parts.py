"""Uploads in parts: resumed where they broke off, put together once, and given up without a trace in the plan."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Barrier, Lock
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import boto3
import pytest

from functions.api_uploads import resuming
from socialflow.errors import Refusal
from socialflow.media import parts_gateway
from socialflow.media.model import EXTENSIONS
from socialflow.media.upload_model import SMALLEST_PART, Part
from socialflow.platform import database
from socialflow.platform.clock import now
from socialflow.platform.ids import new_id
from socialflow.platform.tenancy import Tenant
from tests.api import Client
from tests.integration.conftest import Member
from tests.integration.media.conftest import Studio
from tests.integration.media.parcel import Parcel
from tests.integration.media.test_upload import signature
from tests.pictures import photo

SIZE = 2 * SMALLEST_PART + 1_000


def at_once(*calls: Callable[[], object]) -> list[str]:
    """Make all calls at one moment, each in a sandbox of its own as far as the database goes; return how they ended."""
    begin = Barrier(len(calls))

    def ask(call: Callable[[], object]) -> str:
        try:
            begin.wait()
            call()
        except Refusal as refusal:
            return refusal.code
        else:
            return "done"
        finally:
            database.forget()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(ask, calls))


def used(studio: Studio, meter: str) -> int:
    return int(studio.value("SELECT coalesce(sum(used), 0) FROM cell.usage WHERE meter = %s", meter))


@pytest.fixture
def no_rest(studio: Studio) -> Iterator[None]:
    """Every upload in parts that a test leaves behind is thrown away."""
    yield
    s3 = boto3.client("s3")
    for left in s3.list_multipart_uploads(Bucket=studio.cloud.bucket).get("Uploads", []):
        s3.abort_multipart_upload(Bucket=studio.cloud.bucket, Key=left["Key"], UploadId=left["UploadId"])


@pytest.fixture
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bucket answers one at a time: moto reads a part's file where another call has closed it."""
    turn, complete = Lock(), parts_gateway.complete

    def in_turn(call: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: Any) -> Any:
            with turn:
                try:
                    return call(*args)
                except KeyError:  # where moto completes what is gone; S3 says NoSuchUpload, and the gateway False
                    assert call is complete
                    return False

        return called

    for name in ("received", "complete", "abort"):
        monkeypatch.setattr(parts_gateway, name, in_turn(getattr(parts_gateway, name)))


@pytest.fixture
def parcel(studio: Studio, no_rest: None) -> Parcel:
    """An upload that was announced in parts, of which nothing has been sent."""
    data = photo() + bytes(SIZE - len(photo()))
    return Parcel(studio, str(studio.announce(data, parts=True)["id"]), data)


def test_each_part_is_signed_with_its_exact_length(studio: Studio, no_rest: None) -> None:
    answer = studio.announce(bytes(SIZE), parts=True)
    assert (answer["method"], answer["url"], answer["headers"]) == ("multipart", None, {})
    assert (answer["part_size"], answer["part_count"], answer["received"]) == (SMALLEST_PART, 3, [])
    assert [(part["number"], part["size"]) for part in answer["parts"]] == [
        (1, SMALLEST_PART),
        (2, SMALLEST_PART),
        (3, 1_000),
    ]
    for part in answer["parts"]:
        query = parse_qs(urlsplit(part["url"]).query)
        assert query["X-Amz-SignedHeaders"] == ["content-length;host"]
        assert query["partNumber"] == [str(part["number"])]
        stated = query["X-Amz-Signature"][0]
        assert signature("PUT", part["url"], part["headers"], "testing") == stated
        longer = {"Content-Length": str(part["size"] + 1)}
        assert signature("PUT", part["url"], longer, "testing") != stated


def test_what_is_over_100_mb_comes_in_parts_and_signed_a_hundred_at_a_time(
    studio: Studio, no_rest: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(EXTENSIONS, "video/mp4", "mp4")
    answer = studio.announce(bytes(1), content_type="video/mp4", size=120 * SMALLEST_PART)
    assert (answer["method"], answer["part_count"], answer["next_after"]) == ("multipart", 120, 100)
    assert [part["number"] for part in answer["parts"]] == list(range(1, 101))
    rest = studio.client.get(f"/v1/media/{answer['id']}/upload?after=100").json
    assert [part["number"] for part in rest["parts"]] == list(range(101, 121))
    assert rest["next_after"] is None


def test_an_interrupted_upload_goes_on_where_it_broke_off(parcel: Parcel) -> None:
    parcel.send(1, 3)
    found = parcel.resume()
    assert (found["received"], [part["number"] for part in found["parts"]]) == ([1, 3], [2])
    assert found["next_after"] is None
    parcel.send(2)
    assert parcel.resume()["parts"] == []
    done = parcel.complete()
    assert (done.status, done.json["state"], done.json["stage"]) == (200, "processing", "uploaded")
    assert parcel.stored() == parcel.data
    assert parcel.studio.facts(parcel.id) == ["media.uploaded"]
    assert parcel.uploads() == 0


def test_parts_that_are_missing_or_of_another_size_are_named(parcel: Parcel) -> None:
    parcel.send(1)
    parcel.send(3, data=b"short")
    refused = parcel.complete()
    assert (refused.status, refused.code, refused.json["missing"]) == (409, "upload-incomplete", [2])
    assert refused.json["wrong_size"] == {"3": {"size": 5, "wanted": 1_000}}
    assert parcel.studio.read(parcel.id)["state"] == "awaiting_upload"
    assert [part["number"] for part in parcel.resume()["parts"]] == [2, 3]


def test_of_a_part_that_is_sent_twice_the_last_one_counts(parcel: Parcel) -> None:
    parcel.send(1, 2, 3)
    parcel.send(3, data=b"z" * 1_000)
    assert parcel.complete().status == 200
    assert parcel.stored() == parcel.data[:-1_000] + b"z" * 1_000


def test_what_nobody_signed_a_part_for_is_left_out(parcel: Parcel) -> None:
    parcel.send(1, 2, 3)
    parcel.send(4, data=b"more")
    assert parcel.complete().status == 200
    assert parcel.stored() == parcel.data


def test_completing_is_repeated_to_no_harm(parcel: Parcel) -> None:
    parcel.send(1, 2, 3)
    first, again = parcel.complete(), parcel.complete()
    assert (first.status, again.status) == (200, 200)
    assert again.json["id"] == parcel.id
    assert parcel.studio.facts(parcel.id) == ["media.uploaded"]
    assert used(parcel.studio, "storage_bytes") == SIZE
    versions = boto3.client("s3").list_object_versions(
        Bucket=parcel.studio.cloud.bucket, Prefix=parcel.studio.key(parcel.id)
    )
    assert len(versions["Versions"]) == 1


def test_completing_at_once_makes_one_file(parcel: Parcel, one_by_one: None) -> None:
    parcel.send(1, 2, 3)
    assert at_once(*[lambda: resuming.completed(parcel.studio.tenant, UUID(parcel.id), at=now())] * 4) == ["done"] * 4
    assert parcel.studio.facts(parcel.id) == ["media.uploaded"]
    assert used(parcel.studio, "storage_bytes") == SIZE
    assert parcel.stored() == parcel.data


def test_a_file_that_was_put_together_before_the_sandbox_died_is_found(
    parcel: Parcel,
) -> None:
    parcel.send(1, 2, 3)
    found = parts_gateway.received(parcel.studio.key(parcel.id), parcel.upload_id())
    assert found is not None
    assert parts_gateway.complete(parcel.studio.key(parcel.id), parcel.upload_id(), list(found.values()))
    told = parcel.studio.client.get(parcel.path)
    assert (told.status, told.code) == (409, "upload-arrived")
    assert parcel.complete().status == 200
    assert parcel.studio.facts(parcel.id) == ["media.uploaded"]


def test_a_part_that_is_replaced_while_the_file_is_put_together_is_asked_about_again(
    parcel: Parcel, monkeypatch: pytest.MonkeyPatch
) -> None:
    parcel.send(1, 2, 3)
    stale = {number: Part(number, size, '"0"') for number, size in ((1, SMALLEST_PART), (2, SMALLEST_PART), (3, 1_000))}
    with monkeypatch.context() as patch:
        patch.setattr(parts_gateway, "received", lambda *_: stale)
        refused = parcel.complete()
    assert (refused.status, refused.code) == (409, "upload-incomplete")
    assert parcel.complete().status == 200


def test_an_object_that_is_there_is_not_overwritten(parcel: Parcel) -> None:
    parcel.send(1, 2, 3)
    other = b"x" * SIZE
    parcel.studio.put(parcel.id, other)
    assert parcel.complete().status == 200
    assert parcel.stored() == other
    assert parcel.uploads() == 0


def test_what_is_given_up_leaves_no_parts_and_takes_nothing_of_the_plan(parcel: Parcel) -> None:
    parcel.send(1)
    assert (used(parcel.studio, "uploads"), parcel.uploads()) == (1, 1)
    assert parcel.studio.client.delete(parcel.path).status == 204
    assert parcel.studio.client.delete(parcel.path).status == 204
    assert (used(parcel.studio, "uploads"), used(parcel.studio, "storage_bytes"), parcel.uploads()) == (0, 0, 0)
    for method, path in (("GET", ""), ("POST", "/complete")):
        gone = parcel.studio.client.request(method, parcel.path + path)
        assert (gone.status, gone.code) == (410, "media-deleted")
    assert parcel.studio.facts(parcel.id) == []
    assert parcel.studio.value("SELECT file_name FROM t_acme.media_items") == "deleted"


def test_an_upload_as_a_whole_is_given_up_too_and_what_still_comes_is_nobodys(studio: Studio) -> None:
    data = photo()
    media_id = studio.announce(data)["id"]
    assert studio.client.delete(f"/v1/media/{media_id}/upload").status == 204
    studio.put(media_id, data)
    studio.event(studio.key(media_id))
    assert studio.value("SELECT state FROM t_acme.media_items WHERE id = %s", media_id) == "deleted"
    refused = studio.client.post(f"/v1/media/{media_id}/confirm")
    assert (refused.status, refused.code) == (410, "media-deleted")
    assert studio.value("SELECT count(*) FROM cell.work WHERE wake_at IS NOT NULL") == 0


def test_what_has_come_is_not_given_up(parcel: Parcel) -> None:
    parcel.send(1, 2, 3)
    assert parcel.complete().status == 200
    refused = parcel.studio.client.delete(parcel.path)
    assert (refused.status, refused.code) == (409, "upload-arrived")
    assert parcel.studio.read(parcel.id)["state"] == "processing"
    assert used(parcel.studio, "uploads") == 1


def test_giving_up_and_completing_at_once_have_one_outcome(studio: Studio, no_rest: None, one_by_one: None) -> None:
    for _ in range(6):
        data = photo() + bytes(SIZE - len(photo()))
        parcel = Parcel(studio, str(studio.announce(data, parts=True)["id"]), data)
        parcel.send(1, 2, 3)
        which, by = UUID(parcel.id), new_id()
        completed, given_up = at_once(
            partial(resuming.completed, studio.tenant, which, at=now()),
            partial(resuming.given_up, studio.tenant, which, by=by, at=now()),
        )
        state = studio.value("SELECT state FROM t_acme.media_items WHERE id = %s", parcel.id)
        if state == "processing":
            assert (completed, given_up) == ("done", "upload-arrived")
            assert studio.facts(parcel.id) == ["media.uploaded"]
        else:
            assert (state, given_up) == ("deleted", "done")
            assert completed in ("media-deleted", "upload-missing", "upload-incomplete")
            assert studio.facts(parcel.id) == []
    taken = studio.value("SELECT count(*) FROM t_acme.media_items WHERE state = 'processing'")
    assert (used(studio, "uploads"), used(studio, "storage_bytes")) == (taken, taken * SIZE)


def test_an_expired_upload_signs_nothing_until_it_is_announced_again(studio: Studio, no_rest: None) -> None:
    media_id = str(new_id())
    body = {"id": media_id, "file_name": "a.jpg", "content_type": "image/jpeg", "size": SIZE, "parts": True}
    studio.client.post("/v1/media/uploads", body)
    parcel = Parcel(studio, media_id, bytes(SIZE))
    parcel.send(1)
    studio.owner.execute("UPDATE t_acme.media_items SET upload_expires_at = now() WHERE id = %s", (media_id,))
    refused = studio.client.get(parcel.path)
    assert (refused.status, refused.code) == (409, "upload-expired")
    again = studio.client.post("/v1/media/uploads", body)
    assert (again.status, again.json["received"]) == (200, [1])


def test_addresses_die_with_their_upload(parcel: Parcel) -> None:
    parcel.studio.owner.execute("UPDATE t_acme.media_items SET upload_expires_at = now() + interval '90 s'")
    found = parcel.resume()
    assert datetime.fromisoformat(found["expires_at"]) <= datetime.now(UTC) + timedelta(seconds=90)
    for part in found["parts"]:
        assert int(parse_qs(urlsplit(part["url"]).query)["X-Amz-Expires"][0]) <= 90


def test_parts_that_the_bucket_has_forgotten_are_sent_anew(parcel: Parcel) -> None:
    parcel.send(1, 2)
    forgotten = parcel.upload_id()
    parts_gateway.abort(parcel.studio.key(parcel.id), forgotten)
    refused = parcel.complete()
    assert (refused.status, refused.code) == (409, "upload-missing")
    found = parcel.resume()
    assert (found["received"], len(found["parts"])) == ([], 3)
    assert parcel.upload_id() != forgotten
    parcel.send(1, 2, 3)
    assert parcel.complete().status == 200


def test_a_begin_that_died_before_the_bucket_was_asked_is_gone_on_with(parcel: Parcel) -> None:
    parts_gateway.abort(parcel.studio.key(parcel.id), parcel.upload_id())
    parcel.studio.owner.execute("UPDATE t_acme.media_items SET upload_id = NULL WHERE id = %s", (parcel.id,))
    refused = parcel.complete()
    assert (refused.status, refused.code, refused.json["missing"]) == (409, "upload-incomplete", [1, 2, 3])
    assert len(parcel.resume()["parts"]) == 3


def test_of_two_that_begin_to_collect_one_is_kept(parcel: Parcel, acme: Tenant) -> None:
    parts_gateway.abort(parcel.studio.key(parcel.id), parcel.upload_id())
    parcel.studio.owner.execute("UPDATE t_acme.media_items SET upload_id = NULL WHERE id = %s", (parcel.id,))

    asked = partial(resuming.continued, acme, UUID(parcel.id), at=now())
    assert at_once(*[asked] * 4) == ["done"] * 4
    assert [part["number"] for part in parcel.resume()["parts"]] == [1, 2, 3]
    assert parcel.uploads() == 1


def test_the_same_upload_is_not_once_whole_and_once_in_parts(studio: Studio, no_rest: None) -> None:
    body = {"id": str(new_id()), "file_name": "a.jpg", "content_type": "image/jpeg", "size": SIZE}
    assert studio.client.post("/v1/media/uploads", body).status == 201
    refused = studio.client.post("/v1/media/uploads", {**body, "parts": True})
    assert (refused.status, refused.code) == (409, "upload-id-taken")
    whole = studio.client.get(f"/v1/media/{body['id']}/upload")
    assert (whole.status, whole.json["method"], whole.json["parts"]) == (200, "PUT", [])
    assert "X-Amz-Signature" in whole.json["url"]
    refused = studio.client.post(f"/v1/media/{body['id']}/upload/complete")
    assert (refused.status, refused.code) == (409, "upload-sent-whole")


def test_a_repeated_request_names_the_same_parts(studio: Studio, no_rest: None) -> None:
    body = {"file_name": "a.jpg", "content_type": "image/jpeg", "size": SIZE, "parts": True}
    first = studio.client.post("/v1/media/uploads", body, idempotency_key="key-1")
    again = studio.client.post("/v1/media/uploads", body, idempotency_key="key-1")
    assert (again.status, again.headers["idempotency-replayed"]) == (201, "true")
    assert [part["number"] for part in again.json["parts"]] == [1, 2, 3]
    assert again.json["id"] == first.json["id"]
    assert "X-Amz" not in str(studio.value("SELECT body::text FROM cell.idempotency"))


def test_another_tenants_upload_is_not_there(parcel: Parcel, member: Member) -> None:
    foreign: Client = member("owner", "contoso")
    for method, path in (("GET", ""), ("POST", "/complete"), ("DELETE", "")):
        reply = foreign.request(method, parcel.path + path)
        assert (reply.status, reply.code) == (404, "media-not-found"), method
    assert parcel.studio.read(parcel.id)["state"] == "awaiting_upload"


def test_a_suspended_tenant_is_signed_nothing(parcel: Parcel) -> None:
    parcel.studio.owner.execute("UPDATE control.tenants SET status = 'suspended' WHERE slug = 'acme'")
    for method, path in (("GET", ""), ("POST", "/complete"), ("DELETE", "")):
        reply = parcel.studio.client.request(method, parcel.path + path)
        assert (reply.status, reply.code) == (403, "tenant-suspended"), method
