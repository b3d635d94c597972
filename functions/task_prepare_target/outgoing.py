"""The bytes that go out: exactly what a post was made, and approved, with.

Of a picture that is the large derivative, or fewer pixels of it where that is too heavy; of a video its original; of
either a rendition, where the post names one. Each is found by the content that the post is pinned to.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from uuid import UUID

from socialflow.media import gateway as bucket
from socialflow.media import renditions
from socialflow.media import service as media
from socialflow.media.model import MAX_SIZES, Derivative, MediaItem, State, UnfitFile
from socialflow.media.rendition_model import Rendition
from socialflow.platform.database import Transaction
from socialflow.publishing.content import Piece
from socialflow.publishing.networks.port import Later, Refused, Upload

PUBLISHED_VARIANT = "large"
"""What goes out of a photo: turned the right way and without its metadata."""
IN_ITS_PLACE = (PUBLISHED_VARIANT, "medium", "small")
"""The same picture, the largest first: the network gets the first that is not too heavy for it."""


@dataclass(frozen=True)
class File:
    """An object that may go out; `seconds`: how long it plays."""

    object_key: str
    object_version: str
    sha256: bytes
    content_type: str
    width: int
    height: int
    size: int
    seconds: float | None = None

    @property
    def is_video(self) -> bool:
        """Whether it is too large to be held in memory."""
        return self.content_type.startswith("video/")

    @classmethod
    def of(cls, made: Derivative | MediaItem | Rendition) -> Self | None:
        """Return the file of what the media context has; None where there is none yet."""
        width, height, size = made.width, made.height, made.size
        if not (made.object_key and made.object_version and made.sha256 and made.content_type and width and height):
            return None
        length = None if isinstance(made, Derivative) or made.duration_ms is None else made.duration_ms / 1000
        place = (made.object_key, made.object_version)
        return cls(*place, made.sha256, made.content_type, width, height, size or 0, length)


Files = Mapping[UUID, Mapping[str, tuple[File, ...]]]
"""By media item, then by the content that a post is pinned to (hex): what may go out, the largest first."""


def files(tx: Transaction, pieces: Sequence[Piece]) -> Files:
    """Return what may go out of the approved ones among the media."""
    ids = list({piece.id for piece in pieces})
    made, cut = media.derivatives(tx, ids), renditions.ready(tx, ids)
    return {
        item.id: dict(_files(item, made.get(item.id, []), [one for one in cut if one.media_id == item.id]))
        for item in media.many(tx, ids).values()
        if item.state is State.APPROVED
    }


def has_video(found: Files, pieces: Sequence[Piece]) -> bool:
    """Tell whether a video is among what would go out."""
    return any(file.is_video for piece in pieces for file in _candidates(found, piece))


def brought(
    found: Files, pieces: Sequence[Piece], folder: Path, *, most_bytes: int, linked: bool
) -> list[Upload] | Refused | Later:
    """Read the media, each as it was pinned; videos into files of `folder`. `linked`: say where they may be fetched."""
    uploads = []
    for index, piece in enumerate(pieces):
        candidates = _candidates(found, piece)
        if not candidates:
            return Refused("media-unavailable", f"The media item {piece.id} is no longer what was approved.")
        file = next((one for one in candidates if one.size <= most_bytes), candidates[0])
        content = _read(file, folder / str(index))
        if content is None:
            return Later(f"The media item {piece.id} was not read whole.")
        link = bucket.sign_fetch(file.object_key, file.object_version, file.content_type) if linked else ""
        uploads.append(Upload(content, file.content_type, file.width, file.height, piece.alt_text, link, file.seconds))
    return uploads


def _files(
    item: MediaItem, made: Sequence[Derivative], cut: Sequence[Rendition]
) -> Iterator[tuple[str, tuple[File, ...]]]:
    for rendition in cut:
        if (file := File.of(rendition)) is not None:
            yield file.sha256.hex(), (file,)
    if item.kind == "video":
        if (file := File.of(item)) is not None:
            yield file.sha256.hex(), (file,)
        return
    by_variant = {one.variant: file for one in made if (file := File.of(one)) is not None}
    if PUBLISHED_VARIANT in by_variant:
        chain = tuple(by_variant[variant] for variant in IN_ITS_PLACE if variant in by_variant)
        yield chain[0].sha256.hex(), chain


def _candidates(found: Files, piece: Piece) -> tuple[File, ...]:
    return found.get(piece.id, {}).get(piece.sha256, ())


def _read(file: File, path: Path) -> bytes | Path | None:
    """Return a file's content; None where it is not what its row says."""
    if not file.is_video:
        content = bucket.read(file.object_key, file.object_version)
        return content if hashlib.sha256(content).digest() == file.sha256 else None
    with path.open("wb") as into:
        try:
            fetched = bucket.fetch(file.object_key, file.object_version, into, limit=MAX_SIZES["video"])
        except UnfitFile:
            return None
    return path if fetched.sha256 == file.sha256 else None
