"""The manifest: what an archive holds, file by file, and what of it differs by nature.

Two archives of the same data have the same manifest but for `of`, in which stands all that differs by nature.
"""

import json
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

FORMAT = "socialflow-export"
VERSION = 1
NAME = "manifest.json"
LONGEST = 64 * 1024 * 1024
"""Bytes of a manifest that is read at all."""

NOTES = (
    (
        "`of` says where and when the archive was made, and who belonged to the tenant; nothing of it is imported."
        " Memberships are access, and a file gives no access."
    ),
    "Authors are ids. An id that the importing installation does not know stays an id.",
    "Secrets of connected accounts are not here: accounts are `disconnected` until they are connected again.",
    (
        "A post that was waiting for its time or its approval is a `draft` without a time and an approval, so that it"
        " cannot go out by itself. Of a post that had begun, targets that had not begun are `cancelled`, and"
        " one that was being sent is `unconfirmed`: look at the account before sending it again."
    ),
    "Receipts and attempts are here as they were.",
    "An upload that was awaited is still awaited, without a file: announce and send it again.",
    "A file that the bucket had no more is in `missing`.",
    "Keys of objects are relative to the tenant; their versions are those that the importing bucket gives.",
)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Person(_Strict):
    """Somebody who belonged to the tenant."""

    id: UUID
    name: str
    email: str
    role: str


class Of(_Strict):
    """Where and when: the part in which two archives of the same data differ."""

    export_id: UUID
    tenant_id: UUID
    slug: str
    name: str
    plan: str
    made_at: datetime
    schema_version: str
    members: list[Person]


class File(_Strict):
    """One file of the archive."""

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    bytes: Annotated[int, Field(ge=0)]
    rows: Annotated[int | None, Field(ge=0)] = None


class Manifest(_Strict):
    """The last file of an archive."""

    format: str
    version: int
    of: Of
    settings: dict[str, Any]
    files: dict[str, File]
    missing: list[str]
    left_out: dict[str, str]
    notes: list[str]

    def text(self) -> bytes:
        """Return it as it stands in the archive: sorted, one way only."""
        document = self.model_dump(mode="json", exclude_none=True)
        return json.dumps(document, sort_keys=True, indent=1, ensure_ascii=False).encode() + b"\n"

    def lasting(self) -> bytes:
        """Return what is the same in every archive of the same data, byte for byte."""
        document = self.model_dump(mode="json", exclude_none=True, exclude={"of"})
        return json.dumps(document, sort_keys=True, ensure_ascii=False).encode()
