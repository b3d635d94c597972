"""The wire shapes of support access. Its credential is nobody's business but the operator's."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, Field

from socialflow.identity.support import Grant


class SupportAccessOut(BaseModel):
    """An operator's access to the tenant: they see what a viewer sees, and change nothing."""

    id: UUID
    operator: Annotated[str, Field(description="As they say it; the audit shows it with each of their requests.")]
    reason: str
    state: Annotated[str, Field(description="An open list: active, expired, ended.")]
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    requests: Annotated[int, Field(description="How often they have asked for something; each is in the audit.")]
    last_used_at: datetime | None

    @classmethod
    def of(cls, grant: Grant, at: datetime) -> Self:
        """Shape a grant as it is at a time."""
        return cls(
            id=grant.id,
            operator=grant.operator,
            reason=grant.reason,
            state=grant.state(at),
            created_at=grant.created_at,
            expires_at=grant.expires_at,
            ended_at=grant.ended_at,
            ended_by=grant.ended_by,
            requests=grant.requests,
            last_used_at=grant.last_used_at,
        )


class SupportAccessPageOut(BaseModel):
    """Support access, the newest first."""

    items: list[SupportAccessOut]
    next_cursor: str | None
