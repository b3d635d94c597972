"""The wire shapes of uploads."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from socialflow.captions.model import MAX_PROMPT
from socialflow.media.gateway import SignedUpload
from socialflow.media.model import EXTENSIONS, MediaItem
from socialflow.media.upload_model import LARGEST_WHOLE, MAX_BATCH, MAX_FILE_NAME, MOST_SIGNED, Announcement


class CaptionWish(BaseModel):
    """Whether the captioner is asked, and with which wish of the uploader's."""

    model_config = ConfigDict(extra="forbid")

    skip: Annotated[bool, Field(strict=True)] = False
    prompt: Annotated[str, Field(max_length=MAX_PROMPT, description="Tone, length, language: what you wish for.")] = ""


class UploadIn(BaseModel):
    """What is about to be uploaded."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[UUID | None, Field(description="Your own UUIDv7; the same upload announced twice is one.")] = None
    file_name: Annotated[str, Field(min_length=1, max_length=MAX_FILE_NAME)]
    content_type: Annotated[str, Field(max_length=100, description=f"One of {', '.join(EXTENSIONS)}.")]
    size: Annotated[int, Field(strict=True, ge=1, description="Bytes; at most 100 MB for a picture.")]
    sha256: Annotated[
        str | None,
        Field(
            pattern="^[0-9a-fA-F]{64}$",
            description="Of the file, in hexadecimal. What comes is held against it, and a file that you have already "
            "is refused before it is sent.",
        ),
    ] = None
    parts: Annotated[
        bool, Field(strict=True, description="Send it in parts, which can be resumed. Over 100 MB it always is.")
    ] = False
    on_duplicate: Annotated[
        Literal["refuse", "keep"], Field(description="What is done where you have a file of this SHA-256 already.")
    ] = "refuse"
    caption: CaptionWish = CaptionWish()

    @property
    def announcement(self) -> Announcement:
        """What the media context is told."""
        return Announcement(
            self.file_name,
            self.content_type.strip().lower(),
            self.size,
            bytes.fromhex(self.sha256) if self.sha256 else None,
            self.parts or self.size > LARGEST_WHOLE,
        )


class UploadItemIn(UploadIn):
    """One of many: what is wrong with its name or size is told of it alone."""

    file_name: str
    size: Annotated[int, Field(strict=True, description="Bytes; at most 100 MB for a picture.")]


class UploadBatchIn(BaseModel):
    """What is about to be uploaded, at once."""

    model_config = ConfigDict(extra="forbid")

    uploads: Annotated[list[UploadItemIn], Field(min_length=1, max_length=MAX_BATCH)]


class UploadKept(BaseModel):
    """What is kept of an upload's answer: all but the signed address, which is made anew each time."""

    id: UUID
    object_key: str
    content_type: str
    size: int
    sha256: str | None
    part_size: int | None

    @classmethod
    def of(cls, item: MediaItem) -> Self:
        """Shape a media item whose file is awaited."""
        return cls(
            id=item.id,
            object_key=item.object_key,
            content_type=item.declared_type,
            size=item.declared_size,
            sha256=item.declared_sha256.hex() if item.declared_sha256 else None,
            part_size=item.part_size,
        )


class PartOut(BaseModel):
    """One part: PUT its bytes to `url` with exactly these headers. It may be sent again."""

    number: int
    size: int
    url: str
    headers: dict[str, str]


class UploadOut(BaseModel):
    """How to send the file, before `expires_at`: by a PUT to `url` with exactly these headers, or in parts."""

    id: UUID
    method: Annotated[str, Field(description="An open list: PUT, multipart.")]
    url: Annotated[str | None, Field(description="Null where the file is sent in parts.")] = None
    headers: dict[str, str] = {}
    expires_at: datetime
    part_size: Annotated[int | None, Field(description="Bytes of each part but the last, which has the rest.")] = None
    part_count: int | None = None
    received: Annotated[list[int], Field(description="Numbers of the parts that are there.")] = []
    parts: Annotated[
        list[PartOut],
        Field(description=f"The next that are missing, {MOST_SIGNED} at the most; in a batch none: GET the upload."),
    ] = []
    next_after: Annotated[
        int | None, Field(description="More are missing: GET the upload with `after`. Null: these are all.")
    ] = None

    @classmethod
    def whole(cls, media_id: UUID, signed: SignedUpload, until: datetime) -> Self:
        """Shape an upload that is sent as a whole."""
        return cls(id=media_id, method=signed.method, url=signed.url, headers=signed.headers, expires_at=until)


class UploadResultOut(BaseModel):
    """What became of one announcement; `problem` is what it would have been refused with by itself."""

    id: UUID | None
    status: int
    upload: UploadOut | None
    problem: dict[str, Any] | None


class UploadBatchOut(BaseModel):
    """What became of each announcement, in the order of the request."""

    results: list[UploadResultOut]


class ArrivalOut(BaseModel):
    """How far the workflow of a file that has come is; GET /v1/media/{id} tells all of it."""

    id: UUID
    version: int
    state: Annotated[str, Field(description="An open list: processing, in_review, approved, refused, …")]
    stage: Annotated[str, Field(description="An open list: uploaded, inspecting, processing, captioning, …")]
    percent: Annotated[int, Field(ge=0, le=100, description="Never falls.")]

    @classmethod
    def of(cls, item: MediaItem) -> Self:
        """Shape a media item whose file has come."""
        return cls(id=item.id, version=item.version, state=item.state, stage=item.stage, percent=item.percent)
