"""The models that make vectors, each with its size and price: LiteLLM's table as of 2026-11-27 (1.106.2).

What a picture costs is written as tokens of the model's own price, and counted by this table: no provider tells it in
a way that LiteLLM hands on.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from socialflow.ai.catalogue import Model


@dataclass(frozen=True)
class Embedder(Model):
    """A model that makes vectors. Vectors of two models, or of two sizes of one, lie in different spaces."""

    dimension: int = 0
    sees: bool = False
    """Whether pictures and texts lie in one space."""
    sized: bool = True
    """Whether it is told how many numbers a vector has."""

    @property
    def told_sides(self) -> bool:
        """Tell whether it wants to know what a vector is for: documents and questions are made differently."""
        return "cohere" in self.name


EMBEDDERS: Mapping[str, Embedder] = {
    each.name: each
    for each in (
        # Pictures are billed by tokens at about four times the price of a text's: a thousand of them, counted as texts.
        Embedder("bedrock/cohere.embed-v4:0", "Cohere Embed 4", 0.12, 0.0, 4_000, dimension=1_536, sees=True),
        Embedder("cohere/embed-v4.0", "Cohere Embed 4", 0.12, 0.0, 4_000, dimension=1_536, sees=True),
        # 0.0001 dollars a picture.
        Embedder(
            "bedrock/cohere.embed-multilingual-v3",
            "Cohere Embed 3 Multilingual",
            0.10,
            0.0,
            1_000,
            dimension=1_024,
            sees=True,
            sized=False,
        ),
        # 0.00006 dollars a picture.
        Embedder(
            "bedrock/amazon.titan-embed-image-v1", "Amazon Titan Multimodal", 0.80, 0.0, 75, dimension=1_024, sees=True
        ),
        Embedder("openai/text-embedding-3-small", "OpenAI Embedding 3 small", 0.02, 0.0, 0, dimension=1_536),
    )
}
"""By name."""
OFFLINE = Embedder("openai/offline-words", "Offline, by words alone", 0.0, 0.0, 0, dimension=256, sized=False)
"""What one machine has without a network; of the local stage alone."""


def known(name: str) -> Embedder | None:
    """Return a model that makes vectors."""
    return OFFLINE if name == OFFLINE.name else EMBEDDERS.get(name)
