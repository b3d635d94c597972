"""What accounts by OAuth 2.0 have in common: a grant that is renewed before it is used."""

from datetime import datetime
from typing import ClassVar

from socialflow.publishing.networks import oauth
from socialflow.publishing.networks.grants import Grant
from socialflow.publishing.networks.port import Later, Refused


class Granted:
    """One account, by what its owner has granted."""

    network: ClassVar[str]

    def __init__(self, base_url: str, token: str) -> None:
        """Take the API's origin and a `Grant`'s document."""
        self._base_url, self._grant = base_url, Grant.of(token)

    def spent(self, at: datetime) -> bool:
        """Tell whether the token has to be renewed first."""
        return self._grant.spent(at)

    def ends_at(self) -> datetime | None:
        """Say when what was granted ends for good."""
        return self._grant.ends_at

    def renew(self, *, seconds: float) -> str | Refused | Later:
        """Exchange the grant for the next."""
        found = self._next(seconds)
        return found.document() if isinstance(found, Grant) else found

    def _next(self, seconds: float) -> Grant | Refused | Later:
        return oauth.refresh(self.network, self._base_url, self._grant, seconds=seconds)
