"""The media bucket: signed addresses for clients, and one version of an object at a time for us."""

import base64
import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, BinaryIO
from uuid import UUID

from botocore.exceptions import ClientError

from socialflow.media.model import MAX_SIZE, StoredObject, UnfitFile, folder
from socialflow.media.naming import disposition
from socialflow.platform import objects
from socialflow.platform.aws import client
from socialflow.platform.settings import StorageSettings

_CHUNK = 1024 * 1024
_VIEW_TTL = 900
_ABSENT = frozenset({"404", "NoSuchKey", "NoSuchVersion", "NotFound"})


@dataclass(frozen=True)
class SignedUpload:
    """What a client sends: this method to this address with exactly these headers."""

    method: str
    url: str
    headers: dict[str, str]


@dataclass(frozen=True)
class Fetched:
    """An object version that was read to its end."""

    version: str
    size: int
    sha256: bytes


def upload_ttl() -> timedelta:
    """Return how long a signed upload address is good for."""
    return timedelta(seconds=StorageSettings.from_env().presign_ttl)


def view_ttl() -> int:
    """Return how many seconds a signed address to read from is good for."""
    return min(_VIEW_TTL, StorageSettings.from_env().presign_ttl)


def sign_upload(
    key: str, content_type: str, size: int, *, sha256: bytes | None = None, seconds: int | None = None
) -> SignedUpload:
    """Sign a PUT that can write this key once, with this type and size (and content, where it is known) only."""
    params: dict[str, Any] = {
        "Bucket": _bucket(),
        "Key": key,
        "ContentType": content_type,
        "ContentLength": size,
        "IfNoneMatch": "*",
    }
    headers = {"Content-Type": content_type, "Content-Length": str(size), "If-None-Match": "*"}
    if sha256 is not None:
        headers["x-amz-checksum-sha256"] = params["ChecksumSHA256"] = base64.b64encode(sha256).decode()
    expires_in = seconds or int(upload_ttl().total_seconds())
    url = client("s3").generate_presigned_url("put_object", Params=params, ExpiresIn=expires_in)
    return SignedUpload("PUT", url, headers)


def sign_view(key: str, version: str, content_type: str, file_name: str = "") -> str:
    """Sign a GET of one version, to be shown in place, for a quarter of an hour at the most; saved under a name."""
    return _sign_get(key, version, content_type, disposition("inline", file_name) if file_name else "inline")


def sign_download(key: str, version: str, content_type: str, file_name: str) -> str:
    """Sign a GET of one version that a browser saves and never shows: what people upload may pose as a page."""
    return _sign_get(key, version, content_type, disposition("attachment", file_name))


def sign_fetch(key: str, version: str, content_type: str) -> str:
    """Sign a GET of one version for a network that fetches it, for as long as addresses are signed at all."""
    return _sign_get(key, version, content_type, "inline", seconds=StorageSettings.from_env().presign_ttl)


def head(key: str) -> StoredObject | None:
    """Return the newest version of an object, None where there is none."""
    try:
        found = client("s3").head_object(Bucket=_bucket(), Key=key)
    except ClientError as error:
        if _code(error) in _ABSENT:
            return None
        raise
    return StoredObject(found["VersionId"], found["ContentLength"])


def fetch(key: str, version: str | None, into: BinaryIO, *, limit: int = MAX_SIZE) -> Fetched:
    """Copy a version (None: the newest) into a file; raises `UnfitFile` where it is gone or over `limit` bytes."""
    s3 = client("s3")
    try:
        if version is None:
            found = s3.get_object(Bucket=_bucket(), Key=key)
        else:
            found = s3.get_object(Bucket=_bucket(), Key=key, VersionId=version)
    except ClientError as error:
        if _code(error) in _ABSENT:
            raise UnfitFile("file-missing", "The uploaded file is gone. Upload it again.") from None
        raise
    digest, size = hashlib.sha256(), 0
    with found["Body"] as body:
        while chunk := body.read(_CHUNK):
            size += len(chunk)
            if size > limit:
                raise UnfitFile("too-large", f"The file has more than {limit // 1024**2} MB. Upload a smaller one.")
            digest.update(chunk)
            into.write(chunk)
    into.seek(0)
    return Fetched(found["VersionId"], size, digest.digest())


def read(key: str, version: str) -> bytes:
    """Return the bytes of a version that we wrote ourselves."""
    with client("s3").get_object(Bucket=_bucket(), Key=key, VersionId=version)["Body"] as body:
        return body.read()


def put(key: str, data: bytes | BinaryIO, content_type: str) -> str:
    """Write an object; return the version that this made."""
    written = client("s3").put_object(Bucket=_bucket(), Key=key, Body=data, ContentType=content_type)
    return written["VersionId"]


def erase(tenant: str, media_id: UUID) -> int:
    """Delete every version of every object of a tenant's (slug) media item, and uploads in parts; return how many."""
    bucket, prefix, s3 = _bucket(), folder(tenant, media_id), client("s3")
    for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=prefix):
        for upload in page.get("Uploads", ()):
            s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    return objects.delete_below(bucket, prefix)


def _sign_get(key: str, version: str, content_type: str, disposition: str, *, seconds: int | None = None) -> str:
    return client("s3").generate_presigned_url(
        "get_object",
        Params={
            "Bucket": _bucket(),
            "Key": key,
            "VersionId": version,
            "ResponseContentType": content_type,
            "ResponseContentDisposition": disposition,
        },
        ExpiresIn=seconds or view_ttl(),
    )


def _bucket() -> str:
    return StorageSettings.from_env().media_bucket


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
