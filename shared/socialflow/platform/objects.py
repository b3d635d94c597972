"""Objects of a bucket, deleted for good."""

from typing import Any

from socialflow.platform.aws import client

_MOST_KEYS = 1_000


def delete_below(bucket: str, prefix: str) -> int:
    """Delete every version of every object whose key begins so; return how many. What could not be deleted raises."""
    s3, deleted = client("s3"), 0
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        for at in range(0, len(found), _MOST_KEYS):
            named: Any = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in found[at : at + _MOST_KEYS]]
            answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": named, "Quiet": True})
            if answer.get("Errors"):
                raise RuntimeError(f"{len(answer['Errors'])} objects below {prefix} could not be deleted")
            deleted += len(named)
    return deleted
