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
class Reply:
    """What follows a post under it: a thread's next part, or the first comment."""

    text: str = ""
    media: tuple[Piece, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"text": self.text, "media": [piece.document() for piece in self.media]}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Read what `document` gave."""
        return cls(document["text"], tuple(Piece.of(piece) for piece in document["media"]))


@dataclass(frozen=True)
class Variant:
    """What one network gets instead of the post's own; None: the post's own."""

    text: str | None = None
    media: tuple[Piece, ...] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    replies: tuple[Reply, ...] | None = None

    def document(self) -> dict[str, Any]:
        """Return it as JSON values; what it does not say of replies is not said, as before there were any."""
        media = None if self.media is None else [piece.document() for piece in self.media]
        said = {} if self.replies is None else {"replies": [reply.document() for reply in self.replies]}
        return {"text": self.text, "media": media, "options": dict(self.options), **said}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Read what `document` gave."""
        media, said = document["media"], document.get("replies")
        pieces = None if media is None else tuple(Piece.of(piece) for piece in media)
        replies = None if said is None else tuple(Reply.of(reply) for reply in said)
        return cls(document["text"], pieces, document["options"], replies)


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
class Made:
    """What is out already, by its receipt: the network's id of it, and what the network said of it besides."""

    remote_id: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Answered:
    """What a reply is a reply to: the part just before it, and the first one."""

    root: Made
    parent: Made


@dataclass(frozen=True)
class Rendering:
    """Exactly what goes out at one destination, as one post: `position` 0 is the post itself, then come its replies.

    `answers` is known once the part before it is out; it is no content.
    """

    network: str
    account_id: UUID
    remote_account: str
    text: str
    media: tuple[Piece, ...]
    options: Mapping[str, Any]
    position: int = 0
    answers: Answered | None = None

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
                **({"position": self.position} if self.position else {}),
            }
        )


@dataclass(frozen=True)
class Content:
    """What a person wrote, for every network at once."""

    text: str = ""
    media: tuple[Piece, ...] = ()
    variants: Mapping[str, Variant] = field(default_factory=dict)
    replies: tuple[Reply, ...] = ()

    def rendered_for(self, network: str, account_id: UUID, remote_account: str, position: int = 0) -> Rendering:
        """Return what a destination on that network gets: the post, or the reply at a position from 1."""
        variant = self.variants.get(network, Variant())
        text = self.text if variant.text is None else variant.text
        media = self.media if variant.media is None else variant.media
        options = variant.options
        if position:
            reply = self.replies_on(network)[position - 1]
            text, media = reply.text, reply.media
        return Rendering(network, account_id, remote_account, text, media, options, position)

    def replies_on(self, network: str) -> tuple[Reply, ...]:
        """Return the replies that follow the post on a network."""
        own = self.variants.get(network, Variant()).replies
        return self.replies if own is None else own

    def media_ids(self) -> frozenset[UUID]:
        """Return the ids of all media that any network gets."""
        pieces = [*self.media, *(piece for reply in self.replies for piece in reply.media)]
        for variant in self.variants.values():
            pieces.extend(variant.media or ())
            pieces.extend(piece for reply in variant.replies or () for piece in reply.media)
        return frozenset(piece.id for piece in pieces)

    def hash(self, renderings: Iterable[Rendering]) -> bytes:
        """Return the SHA-256 of a post: what was written, and what each of its targets gets."""
        return _digest({"content": self.document(), "targets": sorted(one.hash.hex() for one in renderings)})

    def document(self) -> dict[str, Any]:
        """Return it as JSON values."""
        said = {"replies": [reply.document() for reply in self.replies]} if self.replies else {}
        return {
            "text": self.text,
            "media": [piece.document() for piece in self.media],
            "variants": {network: variant.document() for network, variant in self.variants.items()},
            **said,
        }


def idempotency_key(target_id: UUID, content_hash: bytes) -> str:
    """Return the key of a target's content: an edit gets a new one, a repetition of the same content never does."""
    return f"{target_id}-{content_hash.hex()[:32]}"


def _digest(document: Mapping[str, Any]) -> bytes:
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).digest()
