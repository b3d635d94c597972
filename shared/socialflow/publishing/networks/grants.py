"""What an account by OAuth 2.0 is kept as, and what we are to a network."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

AHEAD = 300.0
"""Seconds before its end at which a token is renewed: longer than a post takes from its preparation to its answer."""


@dataclass(frozen=True)
class App:
    """Our registration with a network."""

    client_id: str
    client_secret: str
    scopes: tuple[str, ...] = ()
    """What it may ask people for; none: what posting needs at the least."""


@dataclass(frozen=True)
class Grant:
    """What an account's owner has granted: the token to call with, and what the next one is made from.

    `expires_at` and, of what the next is made from, `refresh_ends_at` are Unix times; None: it does not end, or nobody
    says when. `more` is what else the network needs of it (JSON values).
    """

    access: str
    refresh: str | None = None
    expires_at: float | None = None
    more: Mapping[str, Any] = field(default_factory=dict)
    refresh_ends_at: float | None = None

    def document(self) -> str:
        """Return it as the one token that is sealed."""
        return json.dumps(asdict(self))

    @classmethod
    def of(cls, token: str) -> Self:
        """Read what `document` gave."""
        return cls(**json.loads(token))

    def spent(self, at: datetime, *, ahead: float = AHEAD) -> bool:
        """Tell whether it has to be renewed before it is used."""
        return self.expires_at is not None and at.timestamp() + ahead >= self.expires_at

    @property
    def ends_at(self) -> datetime | None:
        """When nothing can be made from it any more; None: it does not end, or nobody says when."""
        end = self.expires_at if self.refresh is None else self.refresh_ends_at
        return None if end is None else datetime.fromtimestamp(end, UTC)
