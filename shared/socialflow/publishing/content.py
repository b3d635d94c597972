"""What goes out: a post's text, media and variants, and the rendering of them that one destination gets.

A rendering's hash covers everything that the network will be given and nothing else. Approval and preparation are bound
to it, so that whatever is edited afterwards voids both.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self
from uuid import UUID

Route = Literal["direct", "late"]
"""How a network is reached: by its own API, or by way of Late."""


@dataclass(frozen=True)
class MediaFile:
    """An approved media item's file that may go out, as the media context has it; `sha256` in hex."""

    id: UUID
    sha256: str
    object_key: str
    object_version: str
    content_type: str
    size: int
    smallest: int | None = None
    """Bytes of the smallest version of it that may go out in its place; None: there is no other."""


@dataclass(frozen=True)
class Cut:
    """A rendition that is ready: a media item as one network takes it."""

    media_id: UUID
    network: str
    file: MediaFile


@dataclass(frozen=True)
class Verdict:
    """Why a network does not take a medium as it is, as the media context says; `mendable`: a rendition would be."""

    code: str
    detail: str
    mendable: bool


@dataclass(frozen=True)
class Library:
    """What is known of the media that a post names, approved or not; `files` are those that may go out."""

    files: Mapping[UUID, MediaFile] = field(default_factory=dict)
    kinds: Mapping[UUID, Literal["image", "animation", "video"]] = field(default_factory=dict)
    alt_texts: Mapping[UUID, str] = field(default_factory=dict)
    verdicts: Mapping[tuple[UUID, str], tuple[Verdict, ...]] = field(default_factory=dict)
    """By media item and network."""
    cuts: Mapping[UUID, Cut] = field(default_factory=dict)
    """By the renditions' ids."""

    def file_of(self, piece: "Piece") -> MediaFile | None:
        """Return the file that a piece is pinned to; None where it may go out no more."""
        own = self.files.get(piece.id)
        if own is None or own.sha256 == piece.sha256:
            return own
        return next((cut.file for cut in self._cuts_of(piece.id) if cut.file.sha256 == piece.sha256), None)

    def is_cut(self, piece: "Piece") -> bool:
        """Tell whether a piece is pinned to a rendition, and not to the media item's own file."""
        own = self.files.get(piece.id)
        return (own is None or own.sha256 != piece.sha256) and self.file_of(piece) is not None

    def _cuts_of(self, media_id: UUID) -> Iterator[Cut]:
        return (cut for cut in self.cuts.values() if cut.media_id == media_id)


@dataclass(frozen=True)
class Piece:
    """One media item in a post, pinned to the content that was approved."""

    id: UUID
    sha256: str
    alt_text: str = ""

    def document(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"id": str(self.id), "sha256": self.sha256, "alt_text": self.alt_text}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Read what `document` gave."""
        return cls(UUID(document["id"]), document["sha256"], document["alt_text"])


@dataclass(frozen=True)
class Variant:
    """What one network gets instead of the post's own; None: the post's own."""

    text: str | None = None
    media: tuple[Piece, ...] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return it as JSON values."""
        media = None if self.media is None else [piece.document() for piece in self.media]
        return {"text": self.text, "media": media, "options": dict(self.options)}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Read what `document` gave."""
        media = document["media"]
        pieces = None if media is None else tuple(Piece.of(piece) for piece in media)
        return cls(document["text"], pieces, document["options"])


@dataclass(frozen=True)
class Destination:
    """A connected account that a post may go to, as the accounts context has it."""

    account_id: UUID
    network: str
    base_url: str
    remote_account: str
    capabilities: Mapping[str, Any] = field(default_factory=dict)
    route: Route = "direct"

    @property
    def honours_keys(self) -> bool:
        """Whether the server keeps idempotency keys, so that repeating a request inside their window is safe."""
        return bool(self.capabilities.get("idempotency_key", False))

    @property
    def keys_records(self) -> bool:
        """Whether a post is kept under a key that we choose, so that repeating the request is safe at any time."""
        return bool(self.capabilities.get("record_key", False))


@dataclass(frozen=True)
class Rendering:
    """Exactly what goes out at one destination."""

    network: str
    account_id: UUID
    remote_account: str
    text: str
    media: tuple[Piece, ...]
    options: Mapping[str, Any]

    @property
    def hash(self) -> bytes:
        """Return the SHA-256 of everything that the network will be given."""
        return _digest(
            {
                "network": self.network,
                "account": [str(self.account_id), self.remote_account],
                "text": self.text,
                # The content of a medium, not its id: the same picture uploaded twice is the same picture.
                "media": [[piece.sha256, piece.alt_text] for piece in self.media],
                "options": dict(self.options),
            }
        )


@dataclass(frozen=True)
class Content:
    """What a person wrote, for every network at once."""

    text: str = ""
    media: tuple[Piece, ...] = ()
    variants: Mapping[str, Variant] = field(default_factory=dict)

    def rendered_for(self, network: str, account_id: UUID, remote_account: str) -> Rendering:
        """Return what a destination on that network gets."""
        variant = self.variants.get(network, Variant())
        return Rendering(
            network=network,
            account_id=account_id,
            remote_account=remote_account,
            text=self.text if variant.text is None else variant.text,
            media=self.media if variant.media is None else variant.media,
            options=variant.options,
        )

    def media_ids(self) -> frozenset[UUID]:
        """Return the ids of all media that any network gets."""
        pieces = list(self.media)
        for variant in self.variants.values():
            pieces.extend(variant.media or ())
        return frozenset(piece.id for piece in pieces)

    def hash(self, renderings: Iterable[Rendering]) -> bytes:
        """Return the SHA-256 of a post: what was written, and what each of its targets gets."""
        return _digest({"content": self.document(), "targets": sorted(one.hash.hex() for one in renderings)})

    def document(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "text": self.text,
            "media": [piece.document() for piece in self.media],
            "variants": {network: variant.document() for network, variant in self.variants.items()},
        }


def idempotency_key(target_id: UUID, content_hash: bytes) -> str:
    """Return the key of a target's content: an edit gets a new one, a repetition of the same content never does."""
    return f"{target_id}-{content_hash.hex()[:32]}"


def _digest(document: Mapping[str, Any]) -> bytes:
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).digest()
