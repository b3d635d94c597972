"""Objects in the media bucket that belong to no row: what a restored database, or a bug, has forgotten."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from socialflow.platform.aws import client
from socialflow.platform.settings import StorageSettings

SINCE, UNTIL = timedelta(hours=27), timedelta(hours=24)
"""How long ago the ids were made that one sweep looks at. They begin with their time, and so do the keys: each object
is looked at by the sweeps of three hours, a day after it came, however many there are."""
QUIET = timedelta(hours=12)
"""Whatever was written since then is left alone: an import writes objects before their rows can be seen."""


@dataclass(frozen=True)
class Stored:
    """An object, and the media item that its key names."""

    key: str
    media_id: UUID
    modified: datetime


def of_a_day_ago(tenant: str, *, at: datetime) -> Iterator[list[Stored]]:
    """Yield a tenant's (slug) objects whose ids were made a day ago, a page of the bucket's list at a time."""
    folder = f"tenants/{tenant}/media/"
    last = f"{folder}{_first_id(at - UNTIL)}"
    pages = client("s3").get_paginator("list_objects_v2")
    for page in pages.paginate(
        Bucket=StorageSettings.from_env().media_bucket, Prefix=folder, StartAfter=f"{folder}{_first_id(at - SINCE)}"
    ):
        found = [one for one in page.get("Contents", ()) if one["Key"] < last]
        yield [
            Stored(one["Key"], media_id, one["LastModified"])
            for one in found
            if (media_id := _named(one["Key"].removeprefix(folder))) and one["LastModified"] < at - QUIET
        ]
        if len(found) < len(page.get("Contents", ())):
            return


def delete(key: str) -> None:
    """Delete an object. Its versions stay for as long as the bucket keeps them: what was a mistake can be undone."""
    client("s3").delete_object(Bucket=StorageSettings.from_env().media_bucket, Key=key)


def _first_id(at: datetime) -> UUID:
    """Return the least UUIDv7 that a moment can have."""
    return UUID(int=int(at.timestamp() * 1000) << 80)


def _named(rest: str) -> UUID | None:
    try:
        return UUID(rest.partition("/")[0])
    except ValueError:
        return None
