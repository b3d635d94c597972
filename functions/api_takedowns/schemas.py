"""The wire shape of a deletion at a network."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field


class TakenDownOut(BaseModel):
    """A target that is there no more; its receipt stays."""

    post_id: UUID
    target_id: UUID
    network: str
    remote_id: Annotated[str, Field(description="What it was there.")]
    deleted_at: datetime
