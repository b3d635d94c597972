"""What is known of media items in all contexts, and how that is shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from functions.api_media.schemas import DerivativeOut, ItemProblemOut, MediaOut, ProgressOut, ProgressResultOut
from socialflow.captions import service as captions
from socialflow.captions.model import Caption, CaptionRequest
from socialflow.media import duplicates, gateway, service
from socialflow.media.library_repository import Progress
from socialflow.media.model import Derivative, MediaItem, MediaNotFound
from socialflow.platform.database import Transaction
from socialflow.publishing import usage


@dataclass(frozen=True)
class Known:
    """A media item with what is known of it elsewhere."""

    item: MediaItem
    caption: Caption | None
    wish: CaptionRequest | None
    derivatives: list[Derivative]
    used: bool
    duplicates: list[UUID]

    @classmethod
    def of(cls, tx: Transaction, items: Sequence[MediaItem]) -> list[Self]:
        """Read what belongs to media items, by one statement for each kind."""
        ids = [item.id for item in items]
        current, wishes = captions.currents(tx, ids), captions.latest_requests(tx, ids)
        made, used, twice = service.derivatives(tx, ids), usage.used(tx, ids), duplicates.same_content(tx, ids)
        return [
            cls(item, current.get(item.id), wishes.get(item.id), made[item.id], item.id in used, twice.get(item.id, []))
            for item in items
        ]

    def shaped(self, *, only: tuple[str, ...] | None = None) -> MediaOut:
        """Shape it, the addresses of its derivatives (or of some variants only) signed now."""
        shown = [_viewable(made) for made in self.derivatives if only is None or made.variant in only]
        return MediaOut.of(self.item, self.caption, self.wish, shown, used=self.used, duplicates=self.duplicates)


def stands(media_id: UUID, found: Progress | None, *, thumbs: bool) -> ProgressResultOut:
    """Shape where a media item stands, or that it is not there."""
    if found is None:
        problem = ItemProblemOut(code=MediaNotFound.code, detail="There is no such media item.")
        return ProgressResultOut(id=media_id, status=MediaNotFound.status, media=None, problem=problem)
    thumb = None
    if thumbs and found.thumb_key and found.thumb_version and found.thumb_type:
        thumb = gateway.sign_view(found.thumb_key, found.thumb_version, found.thumb_type)
    media = ProgressOut(
        version=found.version,
        state=found.state,
        stage=found.stage,
        percent=found.percent,
        refusal_code=found.refusal_code,
        thumb_url=thumb,
    )
    return ProgressResultOut(id=media_id, status=200, media=media, problem=None)


def _viewable(made: Derivative) -> DerivativeOut:
    return DerivativeOut.of(made, gateway.sign_view(made.object_key, made.object_version, made.content_type))
