"""A post is made once more: a draft with the same content for the same accounts, and a life of its own."""

import hashlib
from uuid import UUID

from socialflow.publishing.content import Content, Piece, Reply
from socialflow.publishing.planning import Known, Wanted, WantedReply, WantedVariant, Written
from socialflow.publishing.service import Detail, Order


def order(present: Detail, known: Known, *, post_id: UUID | None) -> Order:
    """Return what makes the draft; `post_id` is its own id, where the caller chose one.

    Accounts that are not connected any more are left out: a draft may have any. Media are pinned anew, so that one
    that is no longer approved is refused and never goes out unseen.
    """
    return Order(
        id=post_id,
        written=_written(present.post.content),
        accounts=tuple(
            one.account_id for one in present.targets if not one.position and one.account_id in known.destinations
        ),
        due=None,
        sha256=hashlib.sha256(b"duplicate " + present.post.id.bytes).digest(),
    )


def _written(content: Content) -> Written:
    variants = {
        network: WantedVariant(
            variant.text,
            None if variant.media is None else _wanted(variant.media),
            dict(variant.options),
            None if variant.replies is None else _replies(variant.replies),
        )
        for network, variant in content.variants.items()
    }
    return Written(content.text, _wanted(content.media), variants, _replies(content.replies))


def _replies(replies: tuple[Reply, ...]) -> tuple[WantedReply, ...]:
    return tuple(WantedReply(reply.text, _wanted(reply.media)) for reply in replies)


def _wanted(media: tuple[Piece, ...]) -> tuple[Wanted, ...]:
    return tuple(Wanted(piece.id, piece.alt_text) for piece in media)
