"""The media bucket, read a piece at a time: what is too large for memory and disk is never there as a whole."""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError, ResponseStreamingError

from socialflow.media.model import UnfitFile
from socialflow.media.video.source import Source
from socialflow.platform.aws import client
from socialflow.platform.settings import StorageSettings

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

_CHUNK = 1024 * 1024
_TRIES = 3
_ABSENT = frozenset({"404", "NoSuchKey", "NoSuchVersion", "NotFound"})
_REPLACED = _ABSENT | {"412", "PreconditionFailed"}
_BROKEN = (HTTPClientError, IncompleteReadError, ResponseStreamingError)


@dataclass(frozen=True)
class Stored:
    """One version of an object as the bucket has it."""

    key: str
    version: str
    etag: str
    size: int


def stored(key: str, version: str | None) -> Stored | None:
    """Return a version (None: the newest) of an object, None where it is gone."""
    wanted: Any = {"VersionId": version} if version else {}
    try:
        found = client("s3").head_object(Bucket=StorageSettings.from_env().media_bucket, Key=key, **wanted)
    except ClientError as error:
        if _code(error) in _ABSENT:
            return None
        raise
    return Stored(key, found["VersionId"], found["ETag"], found["ContentLength"])


def source(whole: Stored) -> Source:
    """Return a version of an object as something to be read and sought."""
    return Source(whole.size, lambda start, length: part(whole, start, length))


def part(whole: Stored, start: int, size: int) -> bytes:
    """Return bytes of a version from a place on; raises `UnfitFile` where it is gone.

    The client repeats a request that fails; what breaks off after it has begun to arrive is repeated here.
    """
    for tried in range(1, _TRIES + 1):
        try:
            with _range(whole, f"bytes={start}-{start + size - 1}")["Body"] as body:
                found = body.read(size + 1)
        except _BROKEN:
            if tried == _TRIES:
                raise
            continue
        if len(found) != size:
            raise ConnectionError(f"The bucket sent other bytes than the {size} asked for")
        return found
    raise AssertionError("The last try returns or raises")


def digest(key: str, version: str) -> bytes:
    """Return the SHA-256 of a version, read from its beginning to its end; raises `UnfitFile` where it is gone."""
    digest_ = hashlib.sha256()
    with _opened(key, VersionId=version)["Body"] as body:  # which raises where fewer bytes come than were announced
        while chunk := body.read(_CHUNK):
            digest_.update(chunk)
    return digest_.digest()


def _range(whole: Stored, reach: str) -> "GetObjectOutputTypeDef":
    """Begin to read a part: by the content's tag, and by the version where something newer lies over it.

    The engine on one machine reads versions whole, whatever range is asked for; nothing is ever overwritten there.
    """
    try:
        return client("s3").get_object(
            Bucket=StorageSettings.from_env().media_bucket, Key=whole.key, IfMatch=whole.etag, Range=reach
        )
    except ClientError as error:
        if _code(error) not in _REPLACED:
            raise
    return _opened(whole.key, VersionId=whole.version, Range=reach)


def _opened(key: str, **which: Any) -> "GetObjectOutputTypeDef":
    try:
        return client("s3").get_object(Bucket=StorageSettings.from_env().media_bucket, Key=key, **which)
    except ClientError as error:
        if _code(error) in _ABSENT:
            raise UnfitFile("file-missing", "The uploaded file is gone. Upload it again.") from None
        raise


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
