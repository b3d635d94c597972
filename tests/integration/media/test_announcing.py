"""Many uploads announced at once, files that are there already, checksums, and the largest file of a plan."""

import base64
import hashlib
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from functions.api_uploads.announcing import announced_each
from functions.api_uploads.schemas import UploadItemIn
from socialflow.media.model import EXTENSIONS
from socialflow.platform import database
from socialflow.platform.caller import Caller, User
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.ids import new_id
from tests.api import Reply
from tests.integration.media.conftest import Studio
from tests.integration.media.test_upload import JPEG, signature
from tests.pictures import photo

MB = 1024**2


def batch(studio: Studio, *uploads: dict[str, Any], **headers: str) -> Reply:
    """Announce many."""
    return studio.client.post("/v1/media/uploads/batch", {"uploads": [*uploads]}, **headers)


def used(studio: Studio, meter: str) -> int:
    return int(studio.value("SELECT coalesce(sum(used), 0) FROM cell.usage WHERE meter = %s", meter))


def rows(studio: Studio) -> int:
    return int(studio.value("SELECT count(*) FROM t_acme.media_items"))


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# --- many at once ----------------------------------------------------------------------------------------------


def test_a_hundred_are_announced_at_once(studio: Studio) -> None:
    reply = batch(studio, *[{**JPEG, "file_name": f"{n}.jpg"} for n in range(100)])
    assert reply.status == 200, reply
    results = reply.json["results"]
    assert [result["status"] for result in results] == [201] * 100
    assert len({result["id"] for result in results}) == 100
    assert all("X-Amz-Signature" in result["upload"]["url"] for result in results)
    assert (rows(studio), used(studio, "uploads")) == (100, 100)
    names = studio.value("SELECT array_agg(file_name ORDER BY id) FROM t_acme.media_items")
    assert sorted(names) == sorted(f"{n}.jpg" for n in range(100))


def test_more_than_a_hundred_and_none_are_refused(studio: Studio) -> None:
    for many in (0, 101):
        reply = batch(studio, *[JPEG] * many)
        assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, "/uploads")
    assert rows(studio) == 0


def test_each_has_its_own_outcome_and_a_refused_one_leaves_nothing(studio: Studio) -> None:
    mine = str(new_id())
    reply = batch(
        studio,
        JPEG,
        {**JPEG, "content_type": "application/pdf"},
        {**JPEG, "size": 0},
        {**JPEG, "file_name": "a/b.jpg"},
        {**JPEG, "file_name": ""},
        {**JPEG, "size": 100 * MB + 1},
        {**JPEG, "caption": {"prompt": "be\u0007ep"}},
        {**JPEG, "id": mine},
        {**JPEG, "id": mine},
        {**JPEG, "id": mine, "size": 7},
        {**JPEG, "parts": True},
    )
    assert reply.status == 200, reply
    told = [(each["status"], each["problem"] and each["problem"]["code"]) for each in reply.json["results"]]
    assert told == [
        (201, None),
        (422, "upload-type-refused"),
        (422, "invalid"),
        (422, "file-name-invalid"),
        (422, "file-name-invalid"),
        (422, "upload-too-large"),
        (422, "caption-invalid"),
        (201, None),
        (200, None),
        (409, "upload-id-taken"),
        (201, None),
    ]
    last = reply.json["results"][-1]["upload"]
    assert (last["method"], last["part_count"], last["parts"], last["next_after"]) == ("multipart", 1, [], 0)
    assert len(studio.client.get(f"/v1/media/{last['id']}/upload").json["parts"]) == 1
    studio.client.delete(f"/v1/media/{last['id']}/upload")
    assert (rows(studio), used(studio, "uploads")) == (3, 2)
    assert studio.value("SELECT count(*) FROM t_acme.caption_requests") == 3


def test_a_plan_that_runs_out_in_the_middle_takes_what_there_is_room_for(studio: Studio) -> None:
    studio.owner.execute("UPDATE control.tenants SET plan = 'free' WHERE slug = 'acme'")
    studio.owner.execute(
        "INSERT INTO cell.usage VALUES ('acme', 'storage_bytes', 'standing', %s)", (5 * 1024 * MB - 5,)
    )
    results = batch(studio, *[{**JPEG, "size": size} for size in (3, 3, 2, 1)]).json["results"]
    assert [result["status"] for result in results] == [201, 402, 201, 402]
    assert results[1]["problem"]["meter"] == "storage_bytes"
    assert (rows(studio), used(studio, "uploads")) == (2, 2)


def test_a_repeated_batch_is_the_same_batch_signed_anew(studio: Studio) -> None:
    uploads = [JPEG, {**JPEG, "size": 0}, {**JPEG, "parts": True}]
    first, again = (batch(studio, *uploads, idempotency_key="key-1") for _ in range(2))
    assert again.headers["idempotency-replayed"] == "true"
    assert [each["id"] for each in again.json["results"]] == [each["id"] for each in first.json["results"]]
    assert rows(studio) == 2
    assert "X-Amz" not in str(studio.value("SELECT body::text FROM cell.idempotency"))
    other = batch(studio, JPEG, idempotency_key="key-1")
    assert (other.status, other.code) == (422, "idempotency-key-reused")


def test_batches_with_the_same_ids_in_other_orders_do_not_wait_for_each_other_for_ever(studio: Studio) -> None:
    ids = [str(new_id()) for _ in range(12)]
    orders = [ids, ids[::-1], ids[6:] + ids[:6], ids[::2] + ids[1::2]]
    begin = Barrier(len(orders))
    who = Caller(User(new_id(), "", ""), studio.tenant, "editor", frozenset(), "request")

    def announce(order: list[str]) -> list[int]:
        bodies = [UploadItemIn.model_validate({**JPEG, "id": one}) for one in order]
        try:
            begin.wait()
            with transaction(studio.tenant) as tx:
                told = announced_each(tx, bodies, who, at=now())
        finally:
            database.forget()
        return [each["status"] for each in told.body["results"]]

    with ThreadPoolExecutor(len(orders)) as pool:
        statuses = [status for found in pool.map(announce, orders) for status in found]
    assert sorted(set(statuses)) == [200, 201]
    assert (statuses.count(201), rows(studio), used(studio, "uploads")) == (12, 12, 12)


# --- checksums -------------------------------------------------------------------------------------------------


def test_an_announced_checksum_is_signed_so_that_the_bucket_holds_the_file_to_it(studio: Studio) -> None:
    data = photo()
    answer = studio.announce(data, sha256=sha256(data).upper())
    told = base64.b64encode(hashlib.sha256(data).digest()).decode()
    assert answer["headers"]["x-amz-checksum-sha256"] == told
    query = parse_qs(urlsplit(answer["url"]).query)
    assert query["X-Amz-SignedHeaders"] == ["content-length;content-type;host;if-none-match;x-amz-checksum-sha256"]
    stated = query["X-Amz-Signature"][0]
    assert signature("PUT", answer["url"], answer["headers"], "testing") == stated
    other = {**answer["headers"], "x-amz-checksum-sha256": base64.b64encode(bytes(32)).decode()}
    assert signature("PUT", answer["url"], other, "testing") != stated


@pytest.mark.parametrize("told", ["", "abc", "g" * 64, "0" * 63, "0" * 65, "0" * 64 + "\n"])
def test_what_is_no_sha256_is_refused(studio: Studio, told: str) -> None:
    reply = studio.client.post("/v1/media/uploads", {**JPEG, "sha256": told})
    assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, "/sha256")


def test_a_file_that_is_not_the_announced_one_is_refused_in_words(studio: Studio) -> None:
    data = photo()
    media_id = studio.uploaded(data, sha256=sha256(b"another file"))
    assert studio.process(media_id, studio.start(media_id)) == "refused"
    refusal = studio.read(media_id)["refusal"]
    assert (refusal["code"], "SHA-256" in refusal["detail"]) == ("checksum-differs", True)
    right = studio.uploaded(data, sha256=sha256(data))
    assert studio.process(right, studio.start(right)) == "processed"


# --- what is there already -------------------------------------------------------------------------------------


def test_a_file_that_is_there_is_offered_instead_unless_it_is_wanted_twice(studio: Studio) -> None:
    data = photo()
    media_id, _ = studio.in_review(data)
    told = {**JPEG, "size": len(data), "sha256": sha256(data)}
    refused = studio.client.post("/v1/media/uploads", told)
    assert (refused.status, refused.code) == (409, "duplicate-media")
    assert (refused.json["media_id"], refused.json["location"]) == (media_id, f"/v1/media/{media_id}")
    assert (rows(studio), used(studio, "uploads")) == (1, 1)
    kept = studio.client.post("/v1/media/uploads", {**told, "on_duplicate": "keep"})
    assert kept.status == 201
    other = studio.client.post("/v1/media/uploads", {**told, "sha256": sha256(b"another")})
    assert other.status == 201


def test_a_file_that_has_come_and_is_not_read_yet_counts_by_its_announced_content(studio: Studio) -> None:
    data = photo()
    told = {**JPEG, "size": len(data), "sha256": sha256(data)}
    media_id = studio.announce(data, sha256=sha256(data))["id"]
    assert studio.client.post("/v1/media/uploads", told).status == 201  # the first one may never come
    studio.put(media_id, data)
    assert studio.client.post(f"/v1/media/{media_id}/confirm").status == 200
    refused = studio.client.post("/v1/media/uploads", told)
    assert (refused.status, refused.json["media_id"]) == (409, media_id)


@pytest.mark.parametrize("state", ["refused", "deleted"])
def test_what_was_refused_or_deleted_is_not_there(studio: Studio, state: str) -> None:
    data = photo()
    media_id, _ = studio.in_review(data)
    deleted_at = "now()" if state == "deleted" else "NULL"
    studio.owner.execute(
        f"UPDATE t_acme.media_items SET state = %s, deleted_at = {deleted_at} WHERE id = %s", (state, media_id)
    )
    assert studio.client.post("/v1/media/uploads", {**JPEG, "sha256": sha256(data)}).status == 201


def test_another_tenants_file_is_not_there(studio: Studio) -> None:
    data = photo()
    studio.owner.execute(
        "INSERT INTO t_contoso.media_items (id, state, file_name, declared_type, declared_size, object_key, sha256,"
        " upload_expires_at, created_by) VALUES (%s, 'approved', 'a.jpg', 'image/jpeg', 1, 'k', %s, now(), %s)",
        (new_id(), hashlib.sha256(data).digest(), new_id()),
    )
    assert studio.client.post("/v1/media/uploads", {**JPEG, "sha256": sha256(data)}).status == 201


def test_the_same_upload_announced_again_is_no_duplicate_of_itself(studio: Studio) -> None:
    data, mine = photo(), str(new_id())
    body = {**JPEG, "id": mine, "size": len(data), "sha256": sha256(data)}
    assert [studio.client.post("/v1/media/uploads", body).status for _ in range(2)] == [201, 200]
    changed = studio.client.post("/v1/media/uploads", {**body, "sha256": sha256(b"another")})
    assert (changed.status, changed.code) == (409, "upload-id-taken")


# --- the plan --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plan", "most"), [("free", 100 * MB), ("pro", 500 * MB), ("business", 2_048 * MB), ("enterprise", 4_096 * MB)]
)
def test_the_largest_file_is_the_plans(studio: Studio, monkeypatch: pytest.MonkeyPatch, plan: str, most: int) -> None:
    monkeypatch.setitem(EXTENSIONS, "video/mp4", "mp4")
    studio.owner.execute("UPDATE control.tenants SET plan = %s WHERE slug = 'acme'", (plan,))
    film = {"file_name": "film.mp4", "content_type": "video/mp4"}
    taken, refused = batch(studio, {**film, "size": most}, {**film, "size": most + 1}).json["results"]
    assert taken["status"] == 201
    if plan == "enterprise":  # whatever the plan, there is an end
        assert (refused["status"], refused["problem"]["code"]) == (422, "upload-too-large")
        return
    problem = refused["problem"]
    assert (problem["status"], problem["code"], problem["meter"]) == (402, "limit-reached", "upload_bytes")
    assert (problem["limit"], problem["asked"]) == (most, most + 1)
    assert "Upload a smaller file, or have an owner choose a larger plan" in problem["detail"]
    assert "are used" not in problem["detail"]


def test_the_plan_tells_its_largest_file_and_counts_nothing_of_it(studio: Studio) -> None:
    studio.announce(photo())
    found = {each["meter"]: each for each in studio.client.get("/v1/plan").json["usage"]}["upload_bytes"]
    assert found == {"meter": "upload_bytes", "limit": 2_048 * MB, "used": None, "resets_at": None, "level": "ok"}
