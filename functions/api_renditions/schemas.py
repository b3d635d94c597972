"""The wire shapes of renditions, and of whether a media item fits."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from socialflow.media import rendition_spec
from socialflow.media.fitting import Fit
from socialflow.media.rendition_model import Rendition
from socialflow.media.rendition_spec import PictureSpec, Wish

Part = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class RenditionPoint(BaseModel):
    """What a cut keeps: from the left and from the top, as a part of what a person sees."""

    model_config = ConfigDict(extra="forbid")

    x: Part
    y: Part


class RenditionIn(BaseModel):
    """What is wished for; everything but the network may be left to us."""

    model_config = ConfigDict(extra="forbid")

    network: Annotated[str, Field(min_length=1, max_length=50)]
    ratio: Annotated[
        str | None,
        Field(max_length=20, description='Width by height, as "4:5"; without it no more is cut than the network asks.'),
    ] = None
    focal_point: Annotated[
        RenditionPoint | None,
        Field(description="Without it the media item's own counts, and else what a person looks at first."),
    ] = None
    fit: Annotated[
        Literal["crop", "pad"], Field(description="pad keeps the whole picture and adds white, instead of cutting.")
    ] = "crop"

    @property
    def wish(self) -> Wish:
        """What the media context is told."""
        point = self.focal_point
        return Wish(self.network, self.ratio, (point.x, point.y) if point else None, self.fit)


class ReasonOut(BaseModel):
    """Why something is not taken, and what to do."""

    code: str
    detail: str


class RenditionOut(BaseModel):
    """A media item as a network takes it: made, being made, or refused with the reason."""

    id: UUID
    media_id: UUID
    network: str
    ratio: Annotated[str | None, Field(description="The one that was asked for.")]
    focal_point: Annotated[RenditionPoint | None, Field(description="The one that is kept; none: what is seen first.")]
    fit: str | None
    state: Annotated[str, Field(description="An open list: queued, rendering, ready, refused.")]
    percent: Annotated[int, Field(ge=0, le=100, description="Never falls.")]
    reason: ReasonOut | None
    content_type: str | None
    width: int | None
    height: int | None
    duration_ms: int | None
    size: int | None
    sha256: str | None
    url: Annotated[str | None, Field(description="Once it is ready; good for a quarter of an hour.")]
    requested_by: UUID
    requested_at: datetime
    settled_at: datetime | None

    @classmethod
    def of(cls, rendition: Rendition, url: str | None) -> Self:
        """Shape a rendition, with a signed address where there is one."""
        spec = PictureSpec.of(rendition.spec) if rendition.kind == "image" else None
        code, detail = rendition.reason_code, rendition.reason_detail
        return cls(
            id=rendition.id,
            media_id=rendition.media_id,
            network=rendition.network,
            ratio=rendition_spec.shown(spec.ratio) if spec and spec.ratio else None,
            focal_point=RenditionPoint(x=spec.focal[0], y=spec.focal[1]) if spec and spec.focal else None,
            fit=spec.fit if spec else None,
            state=rendition.state,
            percent=rendition.percent,
            reason=ReasonOut(code=code, detail=detail or "") if code else None,
            content_type=rendition.content_type,
            width=rendition.width,
            height=rendition.height,
            duration_ms=rendition.duration_ms,
            size=rendition.size,
            sha256=rendition.sha256.hex() if rendition.sha256 else None,
            url=url,
            requested_by=rendition.requested_by,
            requested_at=rendition.requested_at,
            settled_at=rendition.settled_at,
        )


class RenditionPageOut(BaseModel):
    """A media item's renditions, the newest first, each with its address if it is ready."""

    items: list[RenditionOut]
    next_cursor: str | None


class FitOut(BaseModel):
    """What one network would say of the media item."""

    network: str
    as_of: Annotated[str, Field(description="The day that the network's limits are known of.")]
    verdict: Annotated[str, Field(description="An open list: fits, needs_rendition, cannot.")]
    reasons: list[ReasonOut]

    @classmethod
    def of(cls, fit: Fit) -> Self:
        """Shape a network's word."""
        reasons = [ReasonOut(code=reason.code, detail=reason.detail) for reason in fit.reasons]
        return cls(network=fit.network, as_of=fit.as_of, verdict=fit.verdict, reasons=reasons)


class FitsOut(BaseModel):
    """What every network would say of the media item."""

    items: list[FitOut]
