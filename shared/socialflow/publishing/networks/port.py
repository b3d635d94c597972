"""What the ledger asks of every network, and what an answer can mean.

The outcomes are closed: every answer of every network is exactly one of them. Nothing is raised for an answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from socialflow.publishing.content import Rendering


@dataclass(frozen=True)
class Prepared:
    """Everything that can be done ahead is done; `document` is what publishing will need (JSON values)."""

    document: Mapping[str, Any]


@dataclass(frozen=True)
class Receipt:
    """It is there, and the network says so."""

    remote_id: str
    remote_url: str | None
    published_at: datetime | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Refused:
    """The network does not take it and has not taken it; repeating the same changes nothing."""

    code: str
    detail: str


@dataclass(frozen=True)
class Later:
    """The network has not taken it now; repeating is safe. `after` in seconds, where the network names it."""

    detail: str
    after: float | None = None


@dataclass(frozen=True)
class Unknown:
    """The request may have arrived: nobody knows whether it is there."""

    detail: str


@dataclass(frozen=True)
class NotSeen:
    """The account's own statuses were read, and it is not among them."""

    looked_at: int


Preparation = Prepared | Refused | Later
Answer = Receipt | Refused | Later | Unknown
Sighting = Receipt | NotSeen | Later


@dataclass(frozen=True)
class Upload:
    """A medium with its bytes, on the way to a network."""

    content: bytes
    content_type: str
    width: int
    height: int
    alt_text: str


@dataclass(frozen=True)
class Search:
    """What to look for among an account's own statuses: begun after `since`, and none that is accounted for."""

    key: str
    rendering: Rendering
    prepared: Mapping[str, Any]
    since: datetime
    taken: frozenset[str]


@dataclass(frozen=True)
class Identity:
    """Whose token it is, and what the account's server can do."""

    remote_account: str
    remote_name: str
    capabilities: Mapping[str, Any]


class Gateway(Protocol):
    """One account on one network. `seconds` bounds everything that a call does."""

    def identify(self, *, seconds: float) -> Identity | Refused | Later:
        """Say whose token it is."""

    def prepare(self, rendering: Rendering, uploads: Sequence[Upload], *, seconds: float) -> Preparation:
        """Do everything that can be done ahead and repeated freely."""

    def publish(self, rendering: Rendering, prepared: Mapping[str, Any], key: str, *, seconds: float) -> Answer:
        """Make it public: the one mutation, never repeated in here."""

    def find(self, search: Search, *, seconds: float) -> Sighting:
        """Look for it among the account's own statuses."""


def refused(answer: object) -> Refused | Later:
    """Return a gateway's "no", which another context has carried without knowing it."""
    assert isinstance(answer, Refused | Later)
    return answer
