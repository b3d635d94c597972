"""The wire shapes of exports."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, Field

from socialflow.exports.model import Export


class ExportOut(BaseModel):
    """An export of the tenant."""

    id: UUID
    state: Annotated[str, Field(description="An open list: queued, writing, ready, failed, expired.")]
    stage: Annotated[str, Field(description="An open list: queued, rows, files, done.")]
    percent: int
    size: Annotated[int | None, Field(description="Bytes of the archive.")]
    sha256: Annotated[str | None, Field(description="Of the archive, in hexadecimal.")]
    manifest_sha256: Annotated[str | None, Field(description="Of the archive's manifest.json, in hexadecimal.")]
    url: Annotated[
        str | None,
        Field(description="Where to fetch it while it is ready; signed at each read, for minutes."),
    ]
    error_code: str | None
    error_detail: str | None
    requested_by: UUID
    requested_at: datetime
    finished_at: datetime | None
    expires_at: Annotated[datetime | None, Field(description="When the archive is deleted.")]

    @classmethod
    def of(cls, export: Export, *, at: datetime, url: str | None) -> Self:
        """Shape an export as it stands at a moment."""
        return cls(
            id=export.id,
            state=export.standing(at),
            stage=export.stage,
            percent=export.percent,
            size=export.size,
            sha256=export.sha256.hex() if export.sha256 else None,
            manifest_sha256=export.manifest_sha256.hex() if export.manifest_sha256 else None,
            url=url,
            error_code=export.error_code,
            error_detail=export.error_detail,
            requested_by=export.requested_by,
            requested_at=export.requested_at,
            finished_at=export.finished_at,
            expires_at=export.expires_at,
        )


class ExportPageOut(BaseModel):
    """Exports, the newest first."""

    items: list[ExportOut]
    next_cursor: str | None
