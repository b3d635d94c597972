"""Shapes of the search routes."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from socialflow.search.model import Neighbour, Progress, Space


class SearchProgressOut(BaseModel):
    """How far the tenant's media items are in the space of its model."""

    model: Annotated[str | None, Field(description="Null where no model makes vectors for this tenant.")]
    dimension: int | None
    media: Annotated[int, Field(description="Media items in review or approved.")]
    placed: Annotated[int, Field(description="Those that are found: each has all its vectors of this model.")]
    percent: int

    @classmethod
    def of(cls, space: Space | None, progress: Progress) -> "SearchProgressOut":
        """Shape the progress."""
        percent = 100 * progress.placed // progress.media if progress.media else 100
        return cls(
            model=space.model if space else None,
            dimension=space.dimension if space else None,
            media=progress.media,
            placed=progress.placed,
            percent=percent if space else 0,
        )


class NeighbourOut(BaseModel):
    """A media item that is like another one."""

    media_id: UUID
    similarity: Annotated[float, Field(description="1: the same direction. Of use for an order, not as a measure.")]

    @classmethod
    def of(cls, found: Neighbour) -> "NeighbourOut":
        """Shape a neighbour."""
        return cls(media_id=found.media_id, similarity=round(found.similarity, 4))


class RelatedOut(BaseModel):
    """What is like a media item, the nearest first."""

    items: list[NeighbourOut]
    model: Annotated[str | None, Field(description="The model in whose space it was looked for.")]
