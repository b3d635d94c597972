"""From what a person writes to what goes out: media are pinned to their content, everything is held against the limits.

Facts about media and accounts are handed in: they belong to other contexts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from socialflow.errors import FieldError
from socialflow.publishing.content import Content, Destination, MediaFile, Piece, Rendering, Variant
from socialflow.publishing.networks import fit, supported
from socialflow.publishing.refusals import DoesNotFit, MediaNotApproved, MediaStillRead, NotYetSupported, UnknownAccount

MOST_TARGETS = 25


@dataclass(frozen=True)
class Wanted:
    """A medium that a person names; `alt_text` None: the medium's own."""

    id: UUID
    alt_text: str | None = None


@dataclass(frozen=True)
class WantedVariant:
    """What a person wants one network to get instead; None: the post's own."""

    text: str | None = None
    media: tuple[Wanted, ...] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Written:
    """A post's content as a person sends it."""

    text: str = ""
    media: tuple[Wanted, ...] = ()
    variants: Mapping[str, WantedVariant] = field(default_factory=dict)

    def media_ids(self) -> frozenset[UUID]:
        """Return the ids of all media named."""
        named = [*self.media, *(one for variant in self.variants.values() for one in variant.media or ())]
        return frozenset(one.id for one in named)


@dataclass(frozen=True)
class Known:
    """What the other contexts know: approved files, the state of every named medium, connected accounts."""

    files: Mapping[UUID, MediaFile] = field(default_factory=dict)
    states: Mapping[UUID, str] = field(default_factory=dict)
    destinations: Mapping[UUID, Destination] = field(default_factory=dict)
    unread: frozenset[UUID] = frozenset()
    """Approved videos whose content has not been hashed yet."""


def pinned(written: Written, known: Known) -> Content:
    """Return the content with each medium pinned to what was approved; raises as `pin` does."""
    return Content(written.text, pin(written.media, known, "/media"), pin_variants(written.variants, known))


def pin_variants(variants: Mapping[str, WantedVariant], known: Known) -> dict[str, Variant]:
    """Return the variants by the networks' own names, their media pinned; raises as `pinned` does."""
    return {
        supported(name): Variant(
            text=variant.text,
            media=None if variant.media is None else pin(variant.media, known, f"/variants/{name}/media"),
            options=dict(variant.options),
        )
        for name, variant in variants.items()
    }


def pin(media: Sequence[Wanted], known: Known, pointer: str) -> tuple[Piece, ...]:
    """Return media pinned to their approved content; `pointer` is where they stand in the request.

    Raises `MediaNotApproved`, and `MediaStillRead` where only a moment is missing.
    """
    pieces: list[Piece] = []
    wrong: list[FieldError] = []
    unread: list[FieldError] = []
    for index, wanted in enumerate(media):
        file = known.files.get(wanted.id)
        if wanted.id in known.unread:
            unread.append(FieldError(f"{pointer}/{index}/id", "still-read", "Its content is being read."))
        elif file is None:
            state = known.states.get(wanted.id)
            words = (
                f"The media item is {state.replace('_', ' ')}: only an approved one can be published."
                if state
                else "There is no such media item."
            )
            wrong.append(FieldError(f"{pointer}/{index}/id", state or "unknown-media", words))
        elif wanted.id in {piece.id for piece in pieces}:
            wrong.append(FieldError(f"{pointer}/{index}/id", "repeated", "Each media item once."))
        else:
            alt_text = file.alt_text if wanted.alt_text is None else wanted.alt_text
            pieces.append(Piece(wanted.id, file.sha256, alt_text))
    if wrong:
        raise MediaNotApproved(wrong[0].detail + " Choose another, or have it approved first.", errors=wrong)
    if unread:
        detail = "A new video is read once to its end before a post may have it. Try again in a minute."
        raise MediaStillRead(detail, errors=unread, retry_after=60)
    return tuple(pieces)


def destinations(accounts: Sequence[UUID], known: Known) -> list[Destination]:
    """Return the accounts that a post goes to; raises `UnknownAccount` in words."""
    wrong = [
        FieldError(f"/targets/{index}/account_id", "repeated" if account in accounts[:index] else "unknown-account")
        for index, account in enumerate(accounts)
        if account not in known.destinations or account in accounts[:index]
    ]
    if wrong:
        detail = "Name each connected account once. GET /v1/accounts lists them."
        raise UnknownAccount(detail, errors=wrong)
    if len(accounts) > MOST_TARGETS:
        raise NotYetSupported(f"A post has up to {MOST_TARGETS} targets.", errors=[FieldError("/targets", "too-many")])
    return [known.destinations[account] for account in accounts]


def check_media(content: Content, known: Known) -> None:
    """Raise `MediaNotApproved` where a medium of a post is no longer what was pinned."""
    places = [("/media", content.media)]
    places += [(f"/variants/{name}/media", variant.media or ()) for name, variant in content.variants.items()]
    wrong = [
        FieldError(f"{pointer}/{index}/id", "no-longer-approved", "It is not what was approved any more.")
        for pointer, pieces in places
        for index, piece in enumerate(pieces)
        if piece.id not in known.files or known.files[piece.id].sha256 != piece.sha256
    ]
    if wrong:
        raise MediaNotApproved("A medium of the post is no longer approved. Send media without it.", errors=wrong)


def check_fit(content: Content, targets: Sequence[tuple[Rendering, Destination]], known: Known) -> None:
    """Raise `DoesNotFit` where a network would refuse its part; a post that is scheduled needs a target."""
    if not targets:
        detail = "Name at least one account under targets, or leave publish_at out to keep a draft."
        raise DoesNotFit(detail, errors=[FieldError("/targets", "empty", detail)])
    wrong = []
    for rendering, destination in targets:
        variant = content.variants.get(rendering.network)
        own = variant is not None and variant.text is not None
        pointer = f"/variants/{rendering.network}/text" if own else "/text"
        wrong.extend(fit.misfits(rendering, destination, known.files, pointer))
    if wrong:
        unique = list(dict.fromkeys(wrong))
        raise DoesNotFit(unique[0].detail or "Correct what `errors` names.", errors=unique)
