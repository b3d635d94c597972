"""What the contexts of media, captions and accounts know of what a post names: for functions, where contexts meet."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal
from uuid import UUID

from socialflow.accounts import late
from socialflow.accounts import service as accounts
from socialflow.accounts.model import Account, Route
from socialflow.captions import service as captions
from socialflow.limits import NETWORKS
from socialflow.media import fitting, renditions
from socialflow.media import service as media
from socialflow.media.model import Derivative, MediaItem, State
from socialflow.media.rendition_model import Rendition
from socialflow.platform.database import Transaction
from socialflow.publishing.content import Cut, Destination, Library, MediaFile, Verdict
from socialflow.publishing.planning import Known
from socialflow.publishing.quotas import Told

PUBLISHED_VARIANT = "large"
"""What goes out of a photo: turned the right way and without its metadata."""
IN_ITS_PLACE = (PUBLISHED_VARIANT, "medium", "small")
"""The same picture: a network gets the largest that is not too heavy for it."""


def chosen(tx: Transaction, media_ids: Iterable[UUID], account_ids: Iterable[UUID]) -> Known:
    """Return what is known of what a post is about to hold: until the commit nobody deletes its media."""
    ids = sorted(media_ids)
    return _gathered(tx, media.chosen(tx, ids), account_ids)


def looked_at(tx: Transaction, media_ids: Iterable[UUID], account_ids: Iterable[UUID]) -> Known:
    """Return what is known of what somebody is writing; nothing is held."""
    return _gathered(tx, media.many(tx, sorted(media_ids)), account_ids)


def named(tx: Transaction, names: Collection[tuple[str, str]]) -> dict[tuple[str, str], list[UUID]]:
    """Return which connected accounts go by some names, each after its network."""
    return accounts.named(tx, names)


def _gathered(tx: Transaction, items: Mapping[UUID, MediaItem], account_ids: Iterable[UUID]) -> Known:
    ids, reached = sorted(items), _reached(tx, account_ids)
    made, written = media.derivatives(tx, ids), captions.currents(tx, ids)
    files = {
        media_id: file
        for media_id, item in items.items()
        if item.state is State.APPROVED and (file := _file(item, made.get(media_id, []))) is not None
    }
    cuts = {one.id: cut for one in renditions.ready(tx, ids) if (cut := _cut(one)) is not None}
    said = {media_id: written[media_id].alt_text for media_id in written}
    return Known(
        library=Library(
            files=files,
            kinds={media_id: _kind(item) for media_id, item in items.items()},
            alt_texts={media_id: item.alt_text or said.get(media_id, "") for media_id, item in items.items()},
            verdicts={
                (media_id, network): _verdicts(item, made.get(media_id, []), network)
                for media_id, item in items.items()
                for network in NETWORKS
            },
            cuts={cut_id: cut for cut_id, cut in cuts.items() if cut.media_id in files},
        ),
        states={media_id: str(item.state) for media_id, item in items.items()},
        destinations={
            one.id: Destination(one.id, one.network, one.base_url, one.remote_account, one.capabilities, way)
            for one, way in reached
        },
        quotas={
            one.id: Told(one.quota_used, one.quota_most, one.quota_at)
            for one, way in reached
            if way == "direct" and one.quota_at and one.quota_used is not None and one.quota_most is not None
        },
        lapsed={one.id: one.trouble_detail or "" for one, way in reached if way == "direct" and one.state == "lapsed"},
        unread=frozenset(media_id for media_id, item in items.items() if _is_unread(item)),
    )


def _reached(tx: Transaction, account_ids: Iterable[UUID]) -> list[tuple[Account, Route]]:
    """Return connected accounts with the way by which each would be reached now."""
    wanted, found = late.routes(tx), accounts.find(tx, list(account_ids))
    return [(account, account.way(wanted.get(account.network, "direct"))) for account in found]


def _kind(item: MediaItem) -> Literal["image", "animation", "video"]:
    return "animation" if item.kind == "image" and item.animated else item.kind


def _is_unread(item: MediaItem) -> bool:
    return item.state is State.APPROVED and item.kind == "video" and item.sha256 is None


def _verdicts(item: MediaItem, made: Sequence[Derivative], network: str) -> tuple[Verdict, ...]:
    """Return what a network would say of a medium; nothing, while it has not been looked into."""
    if item.duration_ms is None if item.kind == "video" else not made:
        return ()
    reasons = fitting.fits(item, made, network).reasons
    return tuple(Verdict(reason.code, reason.detail, reason.mendable) for reason in reasons)


def _file(item: MediaItem, made: Sequence[Derivative]) -> MediaFile | None:
    """Return what goes out: of a picture the large variant, and a video by its own content."""
    if item.kind == "video":
        return _video(item)
    large = next((one for one in made if one.variant == PUBLISHED_VARIANT), None)
    if large is None:
        return None
    return MediaFile(
        item.id,
        large.sha256.hex(),
        large.object_key,
        large.object_version,
        large.content_type,
        large.size,
        smallest=min(one.size for one in made if one.variant in IN_ITS_PLACE),
    )


def _cut(made: Rendition) -> Cut | None:
    """Return a rendition as what may go out; None where it is not ready."""
    if made.sha256 is None or made.object_key is None or made.object_version is None or made.content_type is None:
        return None
    file = MediaFile(
        made.media_id, made.sha256.hex(), made.object_key, made.object_version, made.content_type, made.size or 0
    )
    return Cut(made.media_id, made.network, file)


def _video(item: MediaItem) -> MediaFile | None:
    if item.sha256 is None or item.object_version is None or item.content_type is None:
        return None
    size = item.size or item.declared_size
    return MediaFile(item.id, item.sha256.hex(), item.object_key, item.object_version, item.content_type, size)
