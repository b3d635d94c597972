"""What a rendition is: a media item cut and saved as a network takes it; and the refusals that a wish for one meets."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from socialflow.errors import Conflict, Invalid, NotFound, TooManyRequests
from socialflow.media.model import Kind, MediaItem, Stage, State

MOST_OPEN = 100
"""Renditions of a tenant that may wait or be under way at once."""
MOST_KEPT = 100
"""Renditions of one media item."""
TRIES = 5
"""How often a rendition may take its worker down before it is given up."""
SILENCE = timedelta(minutes=5)
"""A run that has not been heard of for so long is dead: it tells of each new percent."""
RenditionState = Literal["queued", "rendering", "ready", "refused"]
OPEN: tuple[RenditionState, ...] = ("queued", "rendering")

GIVEN_UP = "given-up"
"""The reason of a rendition that was begun again and again, and never ended."""


class RenditionImpossible(Invalid):
    """Nothing that is made of the media item would be taken by the network; the reasons say what to do."""

    code, title = "rendition-impossible", "It cannot be made to fit the network"


class MediaNotReady(Conflict):
    """The media item has not been processed, or never will be."""

    code, title = "media-not-ready", "The media item is not ready"


class RenditionNotFound(NotFound):
    """The media item has no such rendition."""

    code, title = "rendition-not-found", "No such rendition"


class RenditionsFull(Conflict):
    """The media item has as many renditions as one may have."""

    code, title = "renditions-full", "The media item has too many renditions"


class RenditionsWaiting(TooManyRequests):
    """As many are being made as may be at once."""

    code, title = "renditions-waiting", "Too many renditions are being made"


@dataclass(frozen=True)
class Rendition:
    """A rendition as its row has it."""

    id: UUID
    media_id: UUID
    network: str
    spec: dict[str, Any]
    state: RenditionState
    percent: int
    tries: int
    reason_code: str | None
    reason_detail: str | None
    object_key: str | None
    object_version: str | None
    content_type: str | None
    width: int | None
    height: int | None
    duration_ms: int | None
    size: int | None
    sha256: bytes | None
    requested_by: UUID
    requested_at: datetime
    settled_at: datetime | None

    @property
    def kind(self) -> Kind:
        """What it is made from, and by."""
        found: Kind = self.spec["kind"]
        return found

    @property
    def open(self) -> bool:
        """Whether it is still to come."""
        return self.state in OPEN

    @property
    def may_be_tried_again(self) -> bool:
        """Whether nothing but our own machines was in its way."""
        return self.state == "refused" and self.reason_code == GIVEN_UP


@dataclass(frozen=True)
class Made:
    """A rendition's object, at the version that its making wrote."""

    object_key: str
    object_version: str
    content_type: str
    width: int
    height: int
    duration_ms: int | None
    size: int
    sha256: bytes


def check_ready(item: MediaItem) -> None:
    """Raise `MediaNotReady` for what has not been processed, or was refused."""
    if item.state in (State.AWAITING_UPLOAD, State.REFUSED) or item.percent < Stage.CAPTIONING.percent:
        raise MediaNotReady(
            f"The media item is {item.state}. Wait until it is processed: GET /v1/media/{item.id} tells.",
            state=item.state,
        )


def rendition_key(tenant: str, rendition: Rendition, run: int, extension: str) -> str:
    """Return where a run keeps what it makes: no other run writes there."""
    return f"tenants/{tenant}/media/{rendition.media_id}/renditions/{rendition.id}-{run}.{extension}"
