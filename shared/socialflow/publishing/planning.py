"""From what a person writes to what goes out: media are pinned to their content, everything is held against the limits.

Facts about media and accounts are handed in: they belong to other contexts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from socialflow.errors import FieldError
from socialflow.limits import canonical
from socialflow.publishing.content import Content, Destination, Library, Piece, Rendering, Reply, Variant
from socialflow.publishing.networks import fit, supported
from socialflow.publishing.quotas import Told
from socialflow.publishing.refusals import (
    DoesNotFit,
    MediaNotApproved,
    MediaStillRead,
    NotYetSupported,
    RenditionUnusable,
    UnknownAccount,
)

MOST_TARGETS = 25
NAME_ACCOUNTS = "Name each connected account once. GET /v1/accounts lists them."


@dataclass(frozen=True)
class Wanted:
    """A medium that a person names; `alt_text` None: the medium's own; `rendition_id`: what goes out in its place."""

    id: UUID
    alt_text: str | None = None
    rendition_id: UUID | None = None


@dataclass(frozen=True)
class WantedReply:
    """What a person wants to follow the post under it."""

    text: str = ""
    media: tuple[Wanted, ...] = ()


@dataclass(frozen=True)
class WantedVariant:
    """What a person wants one network to get instead; None: the post's own."""

    text: str | None = None
    media: tuple[Wanted, ...] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    replies: tuple[WantedReply, ...] | None = None


@dataclass(frozen=True)
class Written:
    """A post's content as a person sends it."""

    text: str = ""
    media: tuple[Wanted, ...] = ()
    variants: Mapping[str, WantedVariant] = field(default_factory=dict)
    replies: tuple[WantedReply, ...] = ()

    def media_ids(self) -> frozenset[UUID]:
        """Return the ids of all media named."""
        return frozenset(one.id for place in self.places() for one in place.media)

    def places(self) -> "list[MediaPlace]":
        """Return every list of media in it, with where it stands in the request and for which network."""
        found = [MediaPlace("/media", self.media), *_of_replies(self.replies, "/replies")]
        for name, variant in self.variants.items():
            at = f"/variants/{name.replace('~', '~0').replace('/', '~1')}"
            found += [MediaPlace(f"{at}/media", variant.media or (), name)]
            found += _of_replies(variant.replies or (), f"{at}/replies", name)
        return found


@dataclass(frozen=True)
class MediaPlace:
    """A list of media in a request: its JSON pointer, and whose variant it is in."""

    pointer: str
    media: tuple[Wanted, ...]
    network: str | None = None


def _of_replies(replies: Sequence[WantedReply], pointer: str, network: str | None = None) -> list[MediaPlace]:
    return [MediaPlace(f"{pointer}/{index}/media", one.media, network) for index, one in enumerate(replies)]


@dataclass(frozen=True)
class Known:
    """What the other contexts know: the named media and their states, connected accounts."""

    library: Library = field(default_factory=Library)
    states: Mapping[UUID, str] = field(default_factory=dict)
    destinations: Mapping[UUID, Destination] = field(default_factory=dict)
    unread: frozenset[UUID] = frozenset()
    """Approved videos whose content has not been hashed yet."""
    quotas: Mapping[UUID, Told] = field(default_factory=dict)
    """What networks have said of the accounts' posts of 24 hours."""
    lapsed: Mapping[UUID, str] = field(default_factory=dict)
    """Accounts that their networks let in no more, and why."""


def pinned(written: Written, known: Known) -> Content:
    """Return the content with each medium pinned to what was approved; raises as `pin` does."""
    return Content(
        written.text,
        pin(written.media, known, "/media"),
        pin_variants(written.variants, known),
        pin_replies(written.replies, known),
    )


def pin_replies(
    replies: Sequence[WantedReply], known: Known, pointer: str = "/replies", network: str | None = None
) -> tuple[Reply, ...]:
    """Return replies with their media pinned; raises as `pin` does."""
    return tuple(
        Reply(reply.text, pin(place.media, known, place.pointer, network))
        for reply, place in zip(replies, _of_replies(replies, pointer), strict=True)
    )


def pin_variants(variants: Mapping[str, WantedVariant], known: Known) -> dict[str, Variant]:
    """Return the variants by the networks' own names, their media pinned; raises as `pinned` does."""
    return {
        supported(name): Variant(
            text=variant.text,
            media=None if variant.media is None else pin(variant.media, known, f"/variants/{name}/media", name),
            options=dict(variant.options),
            replies=None
            if variant.replies is None
            else pin_replies(variant.replies, known, f"/variants/{name}/replies", name),
        )
        for name, variant in variants.items()
    }


def pin(media: Sequence[Wanted], known: Known, pointer: str, network: str | None = None) -> tuple[Piece, ...]:
    """Return media pinned to their approved content, or to what was made of it for `network`.

    `pointer` is where they stand in the request. Raises `MediaNotApproved`, `RenditionUnusable`, and `MediaStillRead`
    where only a moment is missing.
    """
    wrong, unread = faults(media, known, pointer)
    if wrong:
        raise MediaNotApproved(wrong[0].detail + " Choose another, or have it approved first.", errors=wrong)
    if unread:
        detail = "A new video is read once to its end before a post may have it. Try again in a minute."
        raise MediaStillRead(detail, errors=unread, retry_after=60)
    unusable = miscut(media, known, pointer, network)
    if unusable:
        raise RenditionUnusable(unusable[0].detail, errors=unusable)
    return tuple(Piece(one.id, sha256_of(one, known.library), alt_text_of(one, known.library)) for one in media)


def miscut(media: Sequence[Wanted], known: Known, pointer: str, network: str | None) -> list[FieldError]:
    """Return the renditions that cannot go out in a medium's place there; `network` None: to every network."""
    wrong = []
    for index, wanted in enumerate(media):
        if wanted.rendition_id is None:
            continue
        cut, at = known.library.cuts.get(wanted.rendition_id), f"{pointer}/{index}/rendition_id"
        if cut is None or cut.media_id != wanted.id:
            words = f"It has no such rendition that is ready: GET /v1/media/{wanted.id}/renditions lists them."
            wrong.append(FieldError(at, "unknown-rendition", words))
        elif network is None or canonical(network) != cut.network:
            words = f"The rendition was made for {cut.network}: name it under /variants/{cut.network}/media."
            wrong.append(FieldError(at, "other-network", words))
    return wrong


def sha256_of(wanted: Wanted, library: Library) -> str:
    """Return the content that a medium is pinned to, in hex; empty where there is none that may go out."""
    cut = library.cuts.get(wanted.rendition_id) if wanted.rendition_id else None
    file = cut.file if cut and cut.media_id == wanted.id else library.files.get(wanted.id)
    return file.sha256 if file else ""


def faults(media: Sequence[Wanted], known: Known, pointer: str) -> tuple[list[FieldError], list[FieldError]]:
    """Return why media cannot be pinned, and those of which only a moment is missing."""
    wrong: list[FieldError] = []
    unread: list[FieldError] = []
    for index, wanted in enumerate(media):
        at = f"{pointer}/{index}/id"
        if wanted.id in known.unread:
            unread.append(FieldError(at, "still-read", "Its content is being read."))
        elif wanted.id not in known.library.files:
            state = known.states.get(wanted.id)
            words = (
                f"The media item is {state.replace('_', ' ')}: only an approved one can be published."
                if state
                else "There is no such media item."
            )
            wrong.append(FieldError(at, state or "unknown-media", words))
        elif wanted.id in {one.id for one in media[:index]}:
            wrong.append(FieldError(at, "repeated", "Each media item once."))
    return wrong, unread


def alt_text_of(wanted: Wanted, library: Library) -> str:
    """Return what is said of a medium: what the post says, else the medium's own."""
    return library.alt_texts.get(wanted.id, "") if wanted.alt_text is None else wanted.alt_text


def destinations(accounts: Sequence[UUID], known: Known) -> list[Destination]:
    """Return the accounts that a post goes to; raises `UnknownAccount` in words."""
    wrong = unknown_accounts(accounts, known)
    if wrong:
        raise UnknownAccount(NAME_ACCOUNTS, errors=wrong)
    if len(accounts) > MOST_TARGETS:
        raise NotYetSupported(f"A post has up to {MOST_TARGETS} targets.", errors=[FieldError("/targets", "too-many")])
    return [known.destinations[account] for account in accounts]


def unknown_accounts(accounts: Sequence[UUID], known: Known) -> list[FieldError]:
    """Return the targets that are no connected account, or one that was named before."""
    return [
        FieldError(f"/targets/{index}/account_id", "repeated" if account in accounts[:index] else "unknown-account")
        for index, account in enumerate(accounts)
        if account not in known.destinations or account in accounts[:index]
    ]


def check_media(content: Content, known: Known) -> None:
    """Raise `MediaNotApproved` where a medium of a post is no longer what was pinned."""
    places = [("/media", content.media), *_pieces_of(content.replies, "/replies")]
    for name, variant in content.variants.items():
        places += [(f"/variants/{name}/media", variant.media or ())]
        places += _pieces_of(variant.replies or (), f"/variants/{name}/replies")
    wrong = [
        FieldError(f"{pointer}/{index}/id", "no-longer-approved", "It is not what was approved any more.")
        for pointer, pieces in places
        for index, piece in enumerate(pieces)
        if known.library.file_of(piece) is None
    ]
    if wrong:
        raise MediaNotApproved("A medium of the post is no longer approved. Send media without it.", errors=wrong)


def _pieces_of(replies: Sequence[Reply], pointer: str) -> list[tuple[str, tuple[Piece, ...]]]:
    return [(f"{pointer}/{index}/media", reply.media) for index, reply in enumerate(replies)]


def check_fit(content: Content, targets: Sequence[tuple[Rendering, Destination]], known: Known) -> None:
    """Raise `DoesNotFit` where a network would refuse its part; a post that is scheduled needs a target."""
    if not targets:
        detail = "Name at least one account under targets, or leave publish_at out to keep a draft."
        raise DoesNotFit(detail, errors=[FieldError("/targets", "empty", detail)])
    wrong = []
    for rendering, destination in targets:
        places = fit.Places.of(content, rendering.network, rendering.position)
        wrong.extend(fit.misfits(rendering, destination, known.library, places))
    if wrong:
        unique = list(dict.fromkeys(wrong))
        raise DoesNotFit(unique[0].detail or "Correct what `errors` names.", errors=unique)
