"""The bucket, for archives: written in parts, read in ranges, never whole in memory or on disk."""

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from botocore.exceptions import ClientError

from socialflow.platform.aws import client
from socialflow.platform.settings import StorageSettings

PART = 16 * 1024 * 1024
"""Bytes of one part; 10,000 of them are more than an archive may have."""
CHUNK = 1024 * 1024
_LINK_TTL = 300
_LONGEST_READ = 64 * 1024 * 1024
_ABSENT = frozenset({"404", "NoSuchKey", "NoSuchVersion", "NotFound", "InvalidVersionId", "MethodNotAllowed"})
"""The last two: of a key that is gone, and of a marker that says so."""
_REPLACED = _ABSENT | {"412", "PreconditionFailed"}


class Upload(io.RawIOBase):
    """An archive on its way: what is written leaves in parts, in order; it appears when it is completed."""

    def __init__(self, key: str) -> None:
        """Begin a multipart upload. An older one of the same key that died is forgotten by the bucket in a day."""
        super().__init__()
        self.key = key
        self.size = 0
        self._waiting = bytearray()
        self._digest = hashlib.sha256()
        self._parts: list[Any] = []
        made = client("s3").create_multipart_upload(Bucket=_bucket(), Key=key, ContentType="application/zip")
        self._id = made["UploadId"]

    def writable(self) -> bool:
        """Yes; it can be neither read nor rewound."""
        return True

    def write(self, data: Any) -> int:
        """Take bytes; a full part leaves."""
        chunk = bytes(data)
        self._digest.update(chunk)
        self._waiting += chunk
        self.size += len(chunk)
        while len(self._waiting) >= PART:
            self._send(bytes(self._waiting[:PART]))
            del self._waiting[:PART]
        return len(chunk)

    def complete(self) -> tuple[str, bytes]:
        """Send the rest and make the archive appear; return its version and SHA-256."""
        self._send(bytes(self._waiting))
        done = client("s3").complete_multipart_upload(
            Bucket=_bucket(), Key=self.key, UploadId=self._id, MultipartUpload={"Parts": self._parts}
        )
        return done["VersionId"], self._digest.digest()

    def abort(self) -> None:
        """Throw away what was sent."""
        client("s3").abort_multipart_upload(Bucket=_bucket(), Key=self.key, UploadId=self._id)

    def _send(self, part: bytes) -> None:
        number = len(self._parts) + 1
        sent = client("s3").upload_part(Bucket=_bucket(), Key=self.key, UploadId=self._id, PartNumber=number, Body=part)
        self._parts.append({"PartNumber": number, "ETag": sent["ETag"]})


class Stored(io.RawIOBase):
    """An object that is read in ranges, all of them of what it was when it was opened.

    By its ETag and not by its version: the engine on one machine reads versions whole, whatever range is asked for.
    """

    def __init__(self, key: str) -> None:
        """Find the object; raises `FileNotFoundError`."""
        super().__init__()
        self._key, self._at = key, 0
        try:
            found = client("s3").head_object(Bucket=_bucket(), Key=key)
        except ClientError as error:
            if _code(error) in _ABSENT:
                raise FileNotFoundError(key) from None
            raise
        self.size: int = found["ContentLength"]
        self._etag: str = found["ETag"]

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move the position."""
        self._at = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence])
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Return the bytes of a range; raises `ValueError` for one that only a bomb would ask for, and `OSError`."""
        last = self.size if size < 0 else min(self.size, self._at + size)
        if last - self._at > _LONGEST_READ:
            raise ValueError("Too much of the archive is asked for at once")
        if last <= self._at:
            return b""
        span = f"bytes={self._at}-{last - 1}"
        try:
            found = client("s3").get_object(Bucket=_bucket(), Key=self._key, IfMatch=self._etag, Range=span)
        except ClientError as error:
            if _code(error) in _REPLACED:
                raise OSError("The archive was replaced, or is gone, while it was being read") from error
            raise
        with found["Body"] as body:
            data = body.read()
        self._at += len(data)
        return data

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer: for buffered readers on top."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


@contextmanager
def chunks(key: str, version: str | None) -> Iterator[Iterator[bytes] | None]:
    """Open a version of an object (None: the newest) as chunks; None where it is gone."""
    s3 = client("s3")
    try:
        if version is None:
            found = s3.get_object(Bucket=_bucket(), Key=key)
        else:
            found = s3.get_object(Bucket=_bucket(), Key=key, VersionId=version)
    except ClientError as error:
        if _code(error) in _ABSENT:
            yield None
            return
        raise
    with found["Body"] as body:
        yield iter(lambda: body.read(CHUNK), b"")


def put(key: str, data: BinaryIO, content_type: str) -> str:
    """Write an object; return the version that this made."""
    return client("s3").put_object(Bucket=_bucket(), Key=key, Body=data, ContentType=content_type)["VersionId"]


def link_ttl() -> int:
    """Return how many seconds a link is good for."""
    return min(_LINK_TTL, StorageSettings.from_env().presign_ttl)


def sign(key: str, version: str, file_name: str) -> str:
    """Sign a GET of one archive, to be saved."""
    return client("s3").generate_presigned_url(
        "get_object",
        Params={
            "Bucket": _bucket(),
            "Key": key,
            "VersionId": version,
            "ResponseContentType": "application/zip",
            "ResponseContentDisposition": f'attachment; filename="{file_name}"',
        },
        ExpiresIn=link_ttl(),
    )


def _bucket() -> str:
    return StorageSettings.from_env().media_bucket


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
