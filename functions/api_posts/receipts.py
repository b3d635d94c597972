"""The wire shape of a post's receipts: each attempt, and how it is known."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, Field

from socialflow.publishing.service import Detail


class ReceiptEntryOut(BaseModel):
    """One time that publishing a target was begun, and what is known of it."""

    target_id: UUID
    network: str
    attempt: int
    key: Annotated[str, Field(description="What the network was given to know a repetition by, where it takes one.")]
    content_hash: str
    started_at: datetime
    finished_at: datetime | None
    outcome: Annotated[str | None, Field(description="An open list: published, failed, unconfirmed; null: under way.")]
    remote_id: str | None
    url: str | None
    evidence: Annotated[dict[str, Any], Field(description="How it is known: what was answered, or found and where.")]


class ReceiptsOut(BaseModel):
    """All that is known of a post's ways out, the first attempt first."""

    post_id: UUID
    items: list[ReceiptEntryOut]

    @classmethod
    def of(cls, detail: Detail) -> Self:
        """Shape a post's attempts."""
        networks = {target.id: target.network for target in detail.targets}
        items = [
            ReceiptEntryOut(
                target_id=one.target_id,
                network=networks[one.target_id],
                attempt=one.attempt,
                key=one.key,
                content_hash=one.content_hash.hex(),
                started_at=one.started_at,
                finished_at=one.finished_at,
                outcome=one.outcome,
                remote_id=one.remote_id,
                url=one.remote_url,
                evidence=dict(one.evidence),
            )
            for one in detail.attempts
        ]
        return cls(post_id=detail.post.id, items=items)
