"""Uploads: what is signed, what is refused, and that a file's arrival counts once, however it is told."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import boto3
import pytest

from socialflow.platform.ids import new_id
from tests.api import Client
from tests.integration.conftest import Member
from tests.integration.media.conftest import Studio
from tests.pictures import photo

JPEG = {"file_name": "harbour.jpg", "content_type": "image/jpeg", "size": 1000}


def signature(method: str, url: str, headers: dict[str, str], secret: str) -> str:
    """Compute a presigned address's signature by the published rules (AWS, Signature Version 4, query string)."""
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    signed = query["X-Amz-SignedHeaders"].split(";")
    given = {"host": parts.netloc} | {name.lower(): value.strip() for name, value in headers.items()}
    pairs = sorted(pair for pair in parts.query.split("&") if not pair.startswith("X-Amz-Signature="))
    canonical = "\n".join(
        [
            method,
            parts.path,
            "&".join(pairs),
            *(f"{name}:{given[name]}" for name in signed),
            "",
            ";".join(signed),
            "UNSIGNED-PAYLOAD",
        ]
    )
    scope = query["X-Amz-Credential"].split("/", 1)[1]
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = "\n".join(["AWS4-HMAC-SHA256", query["X-Amz-Date"], scope, digest])
    key = f"AWS4{secret}".encode()
    for part in [*scope.split("/")[:3], "aws4_request"]:
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()


def test_the_signed_address_binds_length_type_and_writing_once(studio: Studio) -> None:
    answer = studio.announce(b"x" * 1234)
    query = parse_qs(urlsplit(answer["url"]).query)
    assert answer["method"] == "PUT"
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["X-Amz-SignedHeaders"] == ["content-length;content-type;host;if-none-match"]
    assert query["X-Amz-Expires"] == ["3600"]
    assert answer["headers"] == {"Content-Type": "image/jpeg", "Content-Length": "1234", "If-None-Match": "*"}
    assert urlsplit(answer["url"]).netloc == "media.s3.eu-central-1.amazonaws.com"  # no redirect from a global host
    assert unquote(urlsplit(answer["url"]).path).endswith(f"tenants/acme/media/{answer['id']}/original.jpg")
    until = datetime.fromisoformat(answer["expires_at"])
    assert timedelta(minutes=59) < until - datetime.now(UTC) <= timedelta(hours=1)


@pytest.mark.parametrize(
    "changed", [{}, {"Content-Length": "1235"}, {"Content-Type": "text/html"}, {"If-None-Match": ""}]
)
def test_the_signature_holds_for_exactly_the_headers_that_are_told(studio: Studio, changed: dict[str, str]) -> None:
    answer = studio.announce(b"x" * 1234)
    sent = {**answer["headers"], **changed}
    stated = parse_qs(urlsplit(answer["url"]).query)["X-Amz-Signature"][0]
    assert (signature("PUT", answer["url"], sent, "testing") == stated) is (not changed)


@pytest.mark.parametrize(
    ("changed", "code", "pointer"),
    [
        ({"content_type": "application/pdf"}, "upload-type-refused", "/content_type"),
        ({"content_type": "image/svg+xml"}, "upload-type-refused", "/content_type"),
        ({"size": 100 * 1024 * 1024 + 1}, "upload-too-large", "/size"),
        ({"size": 0}, "invalid", "/size"),
        ({"size": "1000"}, "invalid", "/size"),
        ({"file_name": "a/b.jpg"}, "file-name-invalid", "/file_name"),
        ({"file_name": "a\u202egpj.exe"}, "file-name-invalid", "/file_name"),
        ({"file_name": ".."}, "file-name-invalid", "/file_name"),
        ({"file_name": ""}, "invalid", "/file_name"),
        ({"file_name": "x" * 256}, "invalid", "/file_name"),
        ({"id": "2f1b0c52-6f1e-4a53-9f7c-0d6a0d3a8a11"}, "invalid", "/id"),
        ({"caption": {"prompt": "x" * 1001}}, "invalid", "/caption/prompt"),
        ({"caption": {"prompt": "be\u0007ep"}}, "caption-invalid", "/caption/prompt"),
        ({"unknown": 1}, "invalid", "/unknown"),
    ],
)
def test_what_cannot_be_uploaded_is_refused_in_words(
    studio: Studio, changed: dict[str, Any], code: str, pointer: str
) -> None:
    reply = studio.client.post("/v1/media/uploads", {**JPEG, **changed})
    assert (reply.status, reply.code, reply.json["errors"][0]["pointer"]) == (422, code, pointer)
    assert studio.value("SELECT count(*) FROM t_acme.media_items") == 0
    assert studio.value("SELECT count(*) FROM t_acme.caption_requests") == 0


def test_names_of_any_script_are_taken(studio: Studio) -> None:
    joined, narrow = "\u0645\u06cc\u200c\u062e\u0648\u0627 👩\u200d👧.jpg", "Screenshot at 9.41\u202fAM.jpg"
    for name in ("küste 🌊.jpg", "صورة.jpg", "写真 (1).jpg", "a" * 255, joined, narrow):
        answer = studio.announce(b"x", file_name=name)
        assert studio.read(answer["id"])["file_name"] == name


def test_a_viewer_begins_no_upload(studio: Studio, member: Member) -> None:
    reply = member("viewer").post("/v1/media/uploads", JPEG)
    assert (reply.status, reply.code) == (403, "permission-denied")


def test_a_clients_own_id_makes_a_repeated_announcement_the_same_upload(studio: Studio) -> None:
    body = {**JPEG, "id": str(new_id())}
    first, again = studio.client.post("/v1/media/uploads", body), studio.client.post("/v1/media/uploads", body)
    assert (first.status, again.status) == (201, 200)
    assert again.json["id"] == body["id"]
    for changed in ({"size": 1001}, {"file_name": "b.jpg"}, {"caption": {"skip": True}}, {"caption": {"prompt": "x"}}):
        other = studio.client.post("/v1/media/uploads", {**body, **changed})
        assert (other.status, other.code) == (409, "upload-id-taken"), changed
    assert studio.value("SELECT count(*) FROM t_acme.caption_requests") == 1


def test_an_upload_that_has_arrived_is_not_signed_again(studio: Studio) -> None:
    data, media_id = photo(), str(new_id())
    studio.uploaded(data, id=media_id)
    again = studio.client.post("/v1/media/uploads", {**JPEG, "id": media_id, "size": len(data)})
    assert (again.status, again.code) == (409, "upload-arrived")


def test_a_replayed_request_is_signed_anew_and_stores_no_address(studio: Studio) -> None:
    first = studio.client.post("/v1/media/uploads", JPEG, idempotency_key="key-1")
    again = studio.client.post("/v1/media/uploads", JPEG, idempotency_key="key-1")
    assert (again.status, again.headers["idempotency-replayed"]) == (201, "true")
    assert again.json["id"] == first.json["id"]
    assert "X-Amz-Signature" in again.json["url"]
    assert "X-Amz" not in str(studio.value("SELECT body::text FROM cell.idempotency"))


def test_confirming_before_the_file_is_there_changes_nothing(studio: Studio) -> None:
    media_id = studio.announce(photo())["id"]
    reply = studio.client.post(f"/v1/media/{media_id}/confirm")
    assert (reply.status, reply.code) == (409, "upload-missing")
    assert studio.read(media_id)["state"] == "awaiting_upload"
    assert studio.facts(media_id) == []


def test_confirming_a_file_of_another_size_is_refused(studio: Studio) -> None:
    media_id = studio.announce(photo(), size=17)["id"]
    studio.put(media_id, b"eighteen bytes long")
    reply = studio.client.post(f"/v1/media/{media_id}/confirm")
    assert (reply.status, reply.code, reply.json["size"]) == (409, "upload-size-differs", 19)
    assert studio.read(media_id)["state"] == "awaiting_upload"


@pytest.mark.parametrize(
    "told",
    [["confirm"], ["event"], ["confirm", "event"], ["event", "confirm"], ["event", "event", "confirm", "confirm"]],
    ids=" then ".join,
)
def test_an_arrival_counts_once_however_it_is_told(studio: Studio, told: list[str]) -> None:
    data = photo()
    media_id = studio.announce(data)["id"]
    studio.put(media_id, data)
    for way in told:
        if way == "confirm":
            assert studio.client.post(f"/v1/media/{media_id}/confirm").status == 200
        else:
            assert studio.event(studio.key(media_id))
    shown = studio.read(media_id)
    assert (shown["state"], shown["stage"], shown["percent"]) == ("processing", "uploaded", 5)
    assert studio.facts(media_id) == ["media.uploaded"]
    assert studio.value("SELECT count(*) FROM cell.work WHERE id = %s AND wake_at <= now()", media_id) == 1


def test_a_file_that_comes_after_its_tenants_suspension_is_not_lost(studio: Studio) -> None:
    """It is noted as arrived; the reconciler begins with it when the tenant is active again."""
    data = photo()
    media_id = studio.announce(data)["id"]
    studio.put(media_id, data)
    studio.owner.execute("UPDATE control.tenants SET status = 'suspended' WHERE slug = 'acme'")
    assert studio.event(studio.key(media_id))
    shown = studio.read(media_id)
    assert (shown["state"], shown["stage"]) == ("processing", "uploaded")
    assert studio.facts(media_id) == ["media.uploaded"]
    assert studio.value("SELECT count(*) FROM cell.work WHERE id = %s AND wake_at <= now()", media_id) == 1


def test_an_upload_of_which_nobody_tells_waits(studio: Studio) -> None:
    data = photo()
    media_id = studio.announce(data)["id"]
    studio.put(media_id, data)
    assert studio.read(media_id)["state"] == "awaiting_upload"
    assert studio.value("SELECT count(*) FROM cell.work WHERE wake_at IS NOT NULL") == 0


def test_a_late_event_does_not_start_a_settled_item_again(studio: Studio) -> None:
    media_id, run = studio.in_review()
    studio.client.post(f"/v1/media/{media_id}/review/reject", {"reason": "blurred"})
    assert studio.settle(media_id, run) == "rejected"
    assert studio.event(studio.key(media_id))
    assert studio.client.post(f"/v1/media/{media_id}/confirm").json["state"] == "rejected"
    assert studio.value("SELECT count(*) FROM cell.work WHERE wake_at IS NOT NULL") == 0


def test_an_object_that_is_no_uploads_own_starts_nothing(studio: Studio) -> None:
    media_id = studio.announce(photo())["id"]
    key = studio.key(media_id)
    for other in (
        key.replace("original", "large"),
        key.replace(".jpg", ".png"),
        key.replace("acme", "contoso"),
        key.replace("acme", "nobody"),
        f"tenants/acme/media/{new_id()}/original.jpg",
        "tenants/acme/media/not-a-uuid/original.jpg",
        f"elsewhere/{key}",
    ):
        assert not studio.event(other), other
    assert not studio.event(key, bucket="another-bucket")
    assert studio.read(media_id)["state"] == "awaiting_upload"
    assert studio.value("SELECT count(*) FROM cell.work WHERE wake_at IS NOT NULL") == 0


def test_an_event_that_is_faster_than_its_row_is_made_good(studio: Studio) -> None:
    data, media_id = photo(), str(new_id())
    key = f"tenants/acme/media/{media_id}/original.jpg"
    boto3.client("s3").put_object(Bucket=studio.cloud.bucket, Key=key, Body=data)
    assert not studio.event(key)
    studio.announce(data, id=media_id)
    assert studio.read(media_id)["state"] == "awaiting_upload"
    assert studio.client.post(f"/v1/media/{media_id}/confirm").json["state"] == "processing"
    assert studio.facts(media_id) == ["media.uploaded"]


def test_the_engine_writes_once_under_the_condition_that_is_signed(studio: Studio) -> None:
    """The bucket honours If-None-Match: an upload cannot be replaced after its inspection."""
    media_id = studio.announce(photo())["id"]
    s3 = boto3.client("s3")
    s3.put_object(Bucket=studio.cloud.bucket, Key=studio.key(media_id), Body=b"first", IfNoneMatch="*")
    with pytest.raises(s3.exceptions.ClientError, match="PreconditionFailed"):
        s3.put_object(Bucket=studio.cloud.bucket, Key=studio.key(media_id), Body=b"second", IfNoneMatch="*")


def test_another_tenants_media_item_is_not_there(studio: Studio, member: Member) -> None:
    media_id = studio.uploaded()
    foreign: Client = member("owner", "contoso")
    for method, path in (("GET", ""), ("POST", "/confirm"), ("GET", "/download"), ("GET", "/captions")):
        reply = foreign.request(method, f"/v1/media/{media_id}{path}")
        assert (reply.status, reply.code) == (404, "media-not-found"), path
