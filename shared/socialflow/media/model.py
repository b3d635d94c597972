"""What a media item is, what may be uploaded, and how far its workflow has come."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from socialflow.errors import Gone, NotFound

MAX_SIZE = 100 * 1024 * 1024
"""Bytes that a picture may have: all of it is read to be decoded."""
MAX_INSPECTIONS = 5
"""How often a file may take its worker down before it is given up."""

Kind = Literal["image", "video"]
Outcome = Literal["processed", "video", "in_review", "settled", "refused", "superseded"]
"""What Process Media answers its workflow."""

EXTENSIONS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/heic": "heic",
    "image/heif": "heif",
    "image/avif": "avif",
    "image/gif": "gif",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
}
"""The types that may be uploaded, and the extension of their object."""
MAX_SIZES: Mapping[Kind, int] = {"image": MAX_SIZE, "video": 4 * 1024**3}
"""Bytes that an upload may have, whatever the plan says."""


class State(StrEnum):
    """Where a media item stands, for people."""

    AWAITING_UPLOAD = "awaiting_upload"
    PROCESSING = "processing"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    REFUSED = "refused"
    DELETED = "deleted"


class Stage(StrEnum):
    """How far the workflow is; a stage is never gone back from."""

    UPLOADED = "uploaded"
    INSPECTING = "inspecting"
    PROCESSING = "processing"
    EMBEDDING = "embedding"
    CAPTIONING = "captioning"
    IN_REVIEW = "in_review"
    DONE = "done"

    @property
    def percent(self) -> int:
        """The progress that is shown when the stage is reached."""
        return _PERCENT[self]


_PERCENT = {
    Stage.UPLOADED: 5,
    Stage.INSPECTING: 10,
    Stage.PROCESSING: 30,
    Stage.EMBEDDING: 50,
    Stage.CAPTIONING: 60,
    Stage.IN_REVIEW: 70,
    Stage.DONE: 100,
}


class MediaNotFound(NotFound):
    """The tenant has no such media item."""

    code, title = "media-not-found", "No such media item"


class MediaDeleted(Gone):
    """Somebody has deleted the media item."""

    code, title = "media-deleted", "The media item has been deleted"


class VariantMissing(NotFound):
    """The variant does not exist, or not yet."""

    code, title = "variant-not-found", "No such variant"


@dataclass(frozen=True)
class MediaItem:
    """A media item as its row has it."""

    id: UUID
    version: int
    state: State
    stage: Stage
    percent: int
    file_name: str
    declared_type: str
    declared_size: int
    object_key: str
    object_version: str | None
    content_type: str | None
    size: int | None
    sha256: bytes | None
    width: int | None
    height: int | None
    captured_at: datetime | None
    camera: str | None
    refusal_code: str | None
    refusal_detail: str | None
    inspections: int
    upload_expires_at: datetime
    created_by: UUID
    created_at: datetime
    updated_at: datetime
    kind: Kind = "image"
    title: str = ""
    alt_text: str = ""
    tags: list[str] = field(default_factory=list)
    focal_x: float | None = None
    focal_y: float | None = None
    declared_sha256: bytes | None = None
    upload_id: str | None = None
    part_size: int | None = None
    animated: bool = False
    dhash: str | None = None
    blurhash: str | None = None
    colours: list[str] = field(default_factory=list)
    colour_names: list[str] = field(default_factory=list)
    duration_ms: int | None = None
    video_codec: str | None = None
    audio_codec: str | None = None
    frame_rate: float | None = None
    deleted_at: datetime | None = None
    deleted_by: UUID | None = None

    @property
    def arrived(self) -> bool:
        """Whether its file has come."""
        return self.state is not State.AWAITING_UPLOAD

    @property
    def given_up(self) -> bool:
        """Whether it was deleted before any file had come."""
        return self.state is State.DELETED and self.percent == 0

    @property
    def reached(self) -> Outcome | None:
        """How far an earlier run has come; None where the file is still to be processed."""
        if self.state is State.PROCESSING:
            return "processed" if self.percent >= Stage.CAPTIONING.percent else None
        if self.state is State.IN_REVIEW:
            return "in_review"
        return "refused" if self.state is State.REFUSED else "settled"


@dataclass(frozen=True)
class Derivative:
    """A picture made from a media item, at the object version that its making wrote."""

    variant: str
    object_key: str
    object_version: str
    content_type: str
    width: int
    height: int
    size: int
    sha256: bytes


@dataclass(frozen=True)
class Downloadable:
    """One version of one object that a member may have."""

    object_key: str
    object_version: str
    content_type: str
    file_name: str


@dataclass(frozen=True)
class Photo:
    """What inspection found out about a picture; sizes are as a person sees it."""

    content_type: str
    size: int
    sha256: bytes
    width: int
    height: int
    captured_at: datetime | None
    camera: str | None
    animated: bool
    dhash: str
    blurhash: str
    colours: list[str]
    colour_names: list[str]


@dataclass(frozen=True)
class StoredObject:
    """An object as the bucket has it."""

    version: str
    size: int


class UnfitFile(Exception):
    """A file that is not taken: `code` for programs, `detail` for the person who uploaded it."""

    def __init__(self, code: str, detail: str) -> None:
        """Take a kebab-case code and a sentence that says what to do."""
        super().__init__(detail)
        self.code = code
        self.detail = detail


def object_key(tenant: str, media_id: UUID, variant: str, extension: str) -> str:
    """Return where an original of a tenant (slug) is kept."""
    return f"{folder(tenant, media_id)}{variant}.{extension}"


def derivative_key(tenant: str, media_id: UUID, variant: str, run: int, extension: str) -> str:
    """Return where a run keeps a derivative of a tenant's (slug) media item.

    A key of its own for each run: what an overtaken one still writes must not make the version that a row names an
    old one, as the bucket forgets those after some days.
    """
    return f"{folder(tenant, media_id)}{variant}-{run}.{extension}"


def folder(tenant: str, media_id: UUID) -> str:
    """Return what the keys of all objects of a tenant's (slug) media item begin with."""
    return f"tenants/{tenant}/media/{media_id}/"
