"""The media bucket, for files that come in parts: it collects them under an id until the file is put together."""

from collections.abc import Sequence

from botocore.exceptions import ClientError

from socialflow.media.gateway import SignedUpload
from socialflow.media.upload_model import Part
from socialflow.platform.aws import client
from socialflow.platform.observability import logger
from socialflow.platform.settings import StorageSettings

_GONE = frozenset({"NoSuchUpload"})
# Somebody else has put it together or thrown it away, or a part was sent again at the same moment.
_OUTRUN = _GONE | {"PreconditionFailed", "ConditionalRequestConflict", "InvalidPart"}


def begin(key: str, content_type: str) -> str:
    """Have the bucket collect parts for a key; return the id under which it does."""
    return client("s3").create_multipart_upload(Bucket=_bucket(), Key=key, ContentType=content_type)["UploadId"]


def sign(key: str, upload_id: str, number: int, size: int, *, seconds: int) -> SignedUpload:
    """Sign a PUT of one part, of this size only; the same part may be sent again."""
    where = {"Bucket": _bucket(), "Key": key, "UploadId": upload_id, "PartNumber": number, "ContentLength": size}
    url = client("s3").generate_presigned_url("upload_part", Params=where, ExpiresIn=seconds)
    return SignedUpload("PUT", url, {"Content-Length": str(size)})


def received(key: str, upload_id: str) -> dict[int, Part] | None:
    """Return the parts that the bucket has, by number; None where it collects none under this id (any more)."""
    pages = client("s3").get_paginator("list_parts").paginate(Bucket=_bucket(), Key=key, UploadId=upload_id)
    try:
        found = [part for page in pages for part in page.get("Parts", ())]
    except ClientError as error:
        if _code(error) in _GONE:
            return None
        raise
    return {part["PartNumber"]: Part(part["PartNumber"], part["Size"], part["ETag"]) for part in found}


def complete(key: str, upload_id: str, parts: Sequence[Part]) -> bool:
    """Put the file together, where there is none; False where somebody was faster: look what is there."""
    named = [{"PartNumber": part.number, "ETag": part.etag} for part in parts]
    try:
        client("s3").complete_multipart_upload(
            Bucket=_bucket(),
            Key=key,
            UploadId=upload_id,
            MultipartUpload={"Parts": named},  # type: ignore[typeddict-item] # a dict of both is one
            IfNoneMatch="*",
        )
    except ClientError as error:
        if _code(error) in _OUTRUN:
            logger.info("The file was not put together", cause=_code(error))
            return False
        raise
    return True


def abort(key: str, upload_id: str) -> None:
    """Throw the parts away. What cannot be thrown away now the bucket forgets by its own rule."""
    try:
        client("s3").abort_multipart_upload(Bucket=_bucket(), Key=key, UploadId=upload_id)
    except ClientError as error:
        if _code(error) not in _GONE:
            logger.warning("The parts of an upload were left to the bucket's rule", cause=_code(error))


def _bucket() -> str:
    return StorageSettings.from_env().media_bucket


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
