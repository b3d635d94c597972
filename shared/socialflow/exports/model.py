"""What an export is, what it may hold, and the refusals of exports and imports."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from socialflow.errors import Conflict, Invalid, NotFound

State = Literal["queued", "writing", "ready", "failed", "expired"]

KEPT_FOR = timedelta(days=7)
"""How long an archive may be fetched; the bucket's own rule deletes it then."""
MOST_BYTES = 20 * 1024**3
MOST_OBJECTS = 25_000
"""What one call of a quarter of an hour can copy, with room to spare."""
BUDGET = timedelta(minutes=14)
SILENCE = timedelta(minutes=17)
"""A call that has not been heard of for so long is dead: its function ends before."""
TRIES = 3

EXPORTS = "exports/"
"""Below it lie archives and nothing else; above it, nothing that may be read with the right to read archives."""


class ExportNotFound(NotFound):
    """The tenant has no such export."""

    code, title = "export-not-found", "No such export"


class ExportRunning(Conflict):
    """One export at a time."""

    code, title = "export-running", "An export is being written"


class Unexportable(Exception):
    """The archive cannot be written, now or at all; `detail` says what to do."""

    def __init__(self, code: str, detail: str) -> None:
        """Take a code and a sentence."""
        super().__init__(detail)
        self.code, self.detail = code, detail


class UnusableArchive(Invalid):
    """The archive is not one, was changed, or is of another kind. Nothing was written."""

    code, title = "unusable-archive", "The archive cannot be imported"


class TenantNotEmpty(Conflict):
    """A tenant that has something is not imported into."""

    code, title = "tenant-not-empty", "The tenant is not empty"


@dataclass(frozen=True)
class Export:
    """An export as its row has it."""

    id: UUID
    state: State
    stage: str
    percent: int
    tries: int
    object_key: str | None
    object_version: str | None
    size: int | None
    sha256: bytes | None
    manifest_sha256: bytes | None
    error_code: str | None
    error_detail: str | None
    requested_by: UUID
    requested_at: datetime
    finished_at: datetime | None
    expires_at: datetime | None

    def standing(self, at: datetime) -> State:
        """Return its state now: an archive expires by the clock."""
        expired = self.state == "ready" and self.expires_at is not None and self.expires_at <= at
        return "expired" if expired else self.state


@dataclass(frozen=True)
class Written:
    """A complete archive in the bucket."""

    key: str
    version: str
    size: int
    sha256: bytes
    manifest_sha256: bytes


def archive_key(slug: str, export_id: UUID, run: int) -> str:
    """Return where a run writes an export's archive: no other run writes there."""
    return f"{EXPORTS}{slug}/{export_id}-{run}.zip"


def check_size(size: int, objects: int) -> None:
    """Raise `Unexportable` for more than one call can write."""
    if size > MOST_BYTES or objects > MOST_OBJECTS:
        raise Unexportable(
            "export-too-large",
            f"The tenant has {objects} files of {size // 1024**2} MB; an export holds {MOST_OBJECTS} files of"
            f" {MOST_BYTES // 1024**2} MB. Ask support for the data.",
        )
