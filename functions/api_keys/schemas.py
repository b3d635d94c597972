"""The wire shapes of API keys. Only the answer that makes a key has its secret."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from socialflow.identity.api_keys import DEFAULT_DAYS, MOST_DAYS, ApiKey, Scope


class ApiKeyIn(BaseModel):
    """A key to be made."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=200, description="What it is for: authors are shown by it.")]
    scopes: Annotated[
        list[Scope],
        Field(min_length=1, max_length=50, description="Permissions of yours that it gets; never more than your own."),
    ]
    expires_in_days: Annotated[int, Field(strict=True, ge=1, le=MOST_DAYS, description="Days for which it works.")] = (
        DEFAULT_DAYS
    )


class ApiKeyOut(BaseModel):
    """A key, without its secret."""

    id: UUID
    name: str
    prefix: Annotated[str, Field(description="What the key begins with after `sf_`: by it you recognise it.")]
    scopes: list[str]
    permissions: Annotated[
        list[str], Field(description="What it may do now: of its scopes, what its maker's role allows today.")
    ]
    state: Annotated[str, Field(description="An open list: active, expired, revoked, orphaned (its maker has left).")]
    created_by: UUID
    created_by_name: str
    created_at: datetime
    expires_at: datetime
    last_used_at: Annotated[datetime | None, Field(description="To the minute.")]
    revoked_at: datetime | None

    @classmethod
    def of(cls, key: ApiKey, at: datetime) -> Self:
        """Shape a key as it is at a time."""
        return cls(
            id=key.id,
            name=key.name,
            prefix=key.prefix,
            scopes=list(key.scopes),
            permissions=sorted(key.permissions),
            state=key.state(at),
            created_by=key.created_by,
            created_by_name=key.created_by_name,
            created_at=key.created_at,
            expires_at=key.expires_at,
            last_used_at=key.last_used_at,
            revoked_at=key.revoked_at,
        )


class NewApiKeyOut(ApiKeyOut):
    """A key that was just made."""

    key: Annotated[str, Field(description="The key itself. It is shown here and never again.")]

    @classmethod
    def made(cls, key: ApiKey, text: str, at: datetime) -> Self:
        """Shape a new key with its text."""
        return cls(**ApiKeyOut.of(key, at).model_dump(), key=text)


class ApiKeyPageOut(BaseModel):
    """API keys, the newest first."""

    items: list[ApiKeyOut]
    next_cursor: str | None
