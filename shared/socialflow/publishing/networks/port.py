"""What the ledger asks of every network, and what an answer can mean.

The outcomes are closed: every answer of every network is exactly one of them. Nothing is raised for an answer.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Protocol, runtime_checkable

from socialflow.publishing.content import Rendering


@dataclass(frozen=True)
class Quota:
    """How many posts of 24 hours an account has had, and how many its network gives it."""

    used: int
    most: int


@dataclass(frozen=True)
class Prepared:
    """Everything that can be done ahead is done; `document` is what publishing will need (JSON values)."""

    document: Mapping[str, Any]
    quota: Quota | None = None
    """What the network has said of it meanwhile, where it does."""


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
class Accepted:
    """The network has taken it and is still at work; `handle` (JSON values) is what to ask by, `after` in seconds."""

    detail: str
    handle: Mapping[str, Any]
    after: float | None = None


@dataclass(frozen=True)
class NotSeen:
    """The account's own statuses were read, and it is not among them."""

    looked_at: int


@dataclass(frozen=True)
class Failed:
    """The network says of what it had accepted that it did not, and will not, publish it."""

    code: str
    detail: str


@dataclass(frozen=True)
class Gone:
    """What was published is not there any more."""

    detail: str


Preparation = Prepared | Refused | Later
Answer = Receipt | Accepted | Refused | Later | Unknown
Sighting = Receipt | NotSeen | Failed | Refused | Later
Deletion = Gone | Refused | Later


@dataclass(frozen=True)
class Upload:
    """A medium on the way to a network: a picture's bytes, or a video's file; `link` is where the network may fetch it.

    `seconds`: how long a video plays.
    """

    content: bytes | Path
    content_type: str
    width: int
    height: int
    alt_text: str
    link: str = ""
    seconds: float | None = None

    @property
    def is_video(self) -> bool:
        """Whether it plays."""
        return self.content_type.startswith("video/")

    @property
    def size(self) -> int:
        """Return its bytes."""
        return len(self.content) if isinstance(self.content, bytes) else self.content.stat().st_size

    def opened(self) -> BinaryIO:
        """Open it to be read; close it afterwards."""
        return BytesIO(self.content) if isinstance(self.content, bytes) else self.content.open("rb")

    def whole(self) -> bytes:
        """Return it at once: for what fits into memory."""
        return self.content if isinstance(self.content, bytes) else self.content.read_bytes()

    def pieces(self, size: int) -> Iterator[bytes]:
        """Return it in order, `size` bytes at a time."""
        with self.opened() as file:
            while piece := file.read(size):
                yield piece


@dataclass(frozen=True)
class Search:
    """What to look for among an account's own statuses: begun after `since`, and none that is accounted for.

    `handle` is that of `Accepted`, where the network has answered so.
    """

    key: str
    rendering: Rendering
    prepared: Mapping[str, Any]
    since: datetime
    taken: frozenset[str]
    handle: Mapping[str, Any] = field(default_factory=dict)


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
        """Look for it: by its handle, or among the account's own statuses."""

    def delete(self, remote_id: str, *, seconds: float) -> Deletion:
        """Take down what a receipt names; what is not there is gone."""


@runtime_checkable
class Drafting(Protocol):
    """A gateway that prepares under the key that it will publish under, and finds what it has prepared before."""

    def draft(self, key: str, rendering: Rendering, uploads: Sequence[Upload], *, seconds: float) -> Preparation:
        """Do everything that can be done ahead, under a key."""

    def withdraw(self, key: str, prepared: Mapping[str, Any], *, seconds: float) -> Deletion:
        """Undo what was done ahead and is not out; what is not there, or no draft any more, is left."""


@runtime_checkable
class Metered(Protocol):
    """A gateway whose network tells how much of a day's posts an account has had."""

    def quota(self, account: str, *, seconds: float) -> Quota | None:
        """Return what it tells of an account; None where it does not answer."""


@runtime_checkable
class Revocable(Protocol):
    """A gateway whose network takes back what was granted."""

    def revoke(self, *, seconds: float) -> Deletion:
        """Give back what was granted; what is over is gone."""


def refused(answer: object) -> Refused | Later:
    """Return a gateway's "no", which another context has carried without knowing it."""
    assert isinstance(answer, Refused | Later)
    return answer
