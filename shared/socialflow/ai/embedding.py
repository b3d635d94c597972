"""A vector of a picture or of a text: paced and metered, and refused where it is not what was asked for."""

import base64
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from socialflow.ai import asking
from socialflow.ai.asking import Account
from socialflow.ai.embedders import Embedder
from socialflow.ai.gateway import MOST_TOKENS, Complete, Reply, Route
from socialflow.ai.model import EMBEDDINGS_PER_MINUTE, embeddings_key
from socialflow.platform import pace

Side = Literal["document", "query"]
MOST_LETTERS = 2_000
"""So much of a text is embedded: what is longer says nothing more about a picture."""
PATIENCE = 10.0
"""Seconds for which a turn is waited for at the most: who embeds many comes again later."""


@dataclass(frozen=True)
class Vector:
    """A vector, and the space that it lies in: comparable with those of the same model and dimension alone."""

    model: str
    values: tuple[float, ...]

    @property
    def dimension(self) -> int:
        """How many numbers it has."""
        return len(self.values)


@dataclass(frozen=True)
class Picture:
    """A picture that is embedded, scaled down by us."""

    data: bytes
    content_type: str


@dataclass(frozen=True)
class Embeddable:
    """What a model is asked to make a vector of."""

    by: ClassVar[str] = "embedding"

    embedder: Embedder
    of: Picture | str
    side: Side = "document"

    @property
    def max_tokens(self) -> int:
        """A vector is billed by what it is of."""
        return 0

    @property
    def text(self) -> str:
        """The text, if it is one."""
        return self.of[:MOST_LETTERS] if isinstance(self.of, str) else ""

    @property
    def pictures(self) -> int:
        """One, or none."""
        return int(isinstance(self.of, Picture))

    def put(self, route: Route, complete: Complete, more: Mapping[str, Any]) -> Reply:
        """Ask for one vector."""
        how = {"encoding_format": "float", "max_retries": 0, **self._size(), **self._for()}
        with _bounded(route, more["timeout"]) as client:
            answer = complete(input=[self._input()], **how, **client, **more)
        vectors = [each["embedding"] for each in answer.data]
        return Reply(vectors, route.model.name, self._tokens(answer))

    def _input(self) -> str:
        if isinstance(self.of, str):
            return self.text
        return f"data:{self.of.content_type};base64,{base64.b64encode(self.of.data).decode()}"

    def _size(self) -> dict[str, int]:
        return {"dimensions": self.embedder.dimension} if self.embedder.sized else {}

    def _for(self) -> dict[str, str]:
        if not self.embedder.told_sides:
            return {}
        return {"input_type": "image" if self.pictures else f"search_{self.side}"}

    def _tokens(self, answer: Any) -> tuple[int, int] | None:
        """Return what it is counted for: a picture by our table, a text by what the provider tells."""
        if self.pictures:
            return self.embedder.picture_tokens, 0
        told = getattr(getattr(answer, "usage", None), "prompt_tokens", None)
        return (told, 0) if isinstance(told, int) and 0 <= told <= MOST_TOKENS else None


def embed(
    account: Account,
    wanted: Embeddable,
    route: Route,
    *,
    complete: Complete | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> Vector:
    """Return the vector of a picture or a text; raises `NotAnswered` where there is none, whatever a provider does.

    It is asked for there alone: another model's vector would lie in another space.
    """
    embedder = wanted.embedder
    if wanted.pictures and not embedder.sees:
        raise asking.NotAnswered("no-pictures")
    if not wanted.pictures and not wanted.text.strip():
        raise asking.NotAnswered("nothing-to-embed")
    _wait_for_turn(account, pause)

    def read(vectors: Any) -> Vector:
        return Vector(embedder.name, _judged(vectors, embedder.dimension))

    return asking.ask(account, wanted, read, ways=[route], complete=complete, pause=pause).value


def _wait_for_turn(account: Account, pause: Callable[[float], None]) -> None:
    """Wait until the tenant's next turn comes; raises `NotAnswered` where that is far off."""
    tenant = account.tenant
    seconds = pace.book(embeddings_key(tenant.slug), EMBEDDINGS_PER_MINUTE, longest=PATIENCE, cell=tenant.cell)
    if seconds is None:
        raise asking.NotAnswered("rate-limited")
    if seconds > 0:
        pause(seconds)


@contextmanager
def _bounded(route: Route, seconds: float) -> Iterator[dict[str, Any]]:
    """Yield a client with the call's timeout where LiteLLM forgets it on its way: for Cohere's models on Bedrock."""
    if not route.model.name.startswith("bedrock/cohere."):
        yield {}
        return
    from litellm.llms.custom_httpx.http_handler import HTTPHandler  # noqa: PLC0415 # see `gateway.litellm`

    client = HTTPHandler(timeout=seconds)
    try:
        yield {"client": client}
    finally:
        client.close()  # type: ignore[no-untyped-call] # LiteLLM has no type for it


def _judged(vectors: Sequence[Any], dimension: int) -> tuple[float, ...]:
    """Return the one vector, of length one; raises `ValueError` for anything else than one of this size."""
    if len(vectors) != 1 or not isinstance(vectors[0], list) or len(vectors[0]) != dimension:
        raise ValueError("not one vector of the size that was asked for")
    if any(isinstance(each, bool) or not isinstance(each, int | float) for each in vectors[0]):
        raise ValueError("a vector is numbers")
    try:
        length = math.hypot(*vectors[0])
    except OverflowError:
        raise ValueError("a vector is numbers of a machine") from None
    if not math.isfinite(length) or length == 0.0:
        raise ValueError("a vector has a direction and an end")
    return tuple(each / length for each in vectors[0])
