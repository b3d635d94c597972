"""The models that may be asked, each with its price: LiteLLM's table as of 2026-11-27 (1.106.2).

Functions that only show prices or count them have no LiteLLM; a test holds this table against LiteLLM's own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from socialflow.errors import FieldError, Invalid

USUAL_TEXT = 600
"""Tokens of a usual question without its picture: our words and the form of the answer."""
USUAL_OUT = 180
"""Tokens of a usual answer."""


@dataclass(frozen=True)
class Model:
    """A model by its LiteLLM name. Prices are US dollars for a million tokens."""

    name: str
    title: str
    usd_in: float
    usd_out: float
    picture_tokens: int = 3_000
    """The most that a picture of ours counts for: a thousand pixels high and wide at the most."""
    usual_picture: int = 1_000

    @property
    def usual_in(self) -> int:
        """Tokens of a usual question."""
        return USUAL_TEXT + self.usual_picture

    @property
    def provider(self) -> str:
        """Whose key it is asked with."""
        return self.name.split("/", 1)[0]

    @property
    def usd_per_1000_captions(self) -> float:
        """What a thousand captions of the usual length cost."""
        return round((self.usual_in * self.usd_in + USUAL_OUT * self.usd_out) / 1_000, 4)


COMPATIBLE = "compatible"
"""The provider, and the choice, of a server of the tenant's own that speaks as OpenAI does."""

MODELS: Mapping[str, Model] = {
    model.name: model
    for model in (
        Model("bedrock/amazon.nova-lite-v1:0", "Amazon Nova Lite", 0.06, 0.24),
        Model("bedrock/amazon.nova-pro-v1:0", "Amazon Nova Pro", 0.80, 3.20),
        # It counts a picture for thirty-three times as much as others do.
        Model("openai/gpt-4o-mini", "OpenAI GPT-4o mini", 0.15, 0.60, picture_tokens=40_000, usual_picture=25_501),
        Model("openai/gpt-4.1-mini", "OpenAI GPT-4.1 mini", 0.40, 1.60),
        Model("openai/gpt-4.1", "OpenAI GPT-4.1", 2.00, 8.00),
        Model("anthropic/claude-haiku-4-5", "Anthropic Claude Haiku 4.5", 1.00, 5.00),
        Model("anthropic/claude-sonnet-4-5", "Anthropic Claude Sonnet 4.5", 3.00, 15.00),
        Model("gemini/gemini-2.5-flash-lite", "Google Gemini 2.5 Flash-Lite", 0.10, 0.40),
        Model("mistral/mistral-small-latest", "Mistral Small", 0.15, 0.60),
    )
}
"""By name, in the order that people are shown."""


class UnknownModel(Invalid):
    """A model that is not on the list."""

    code, title = "unknown-model", "No such model"


def check(names: Sequence[str], at: str) -> None:
    """Raise `UnknownModel` for the first name that may not be chosen."""
    for index, name in enumerate(names):
        if name not in MODELS and name != COMPATIBLE:
            detail = f"GET /v1/models lists the models; {COMPATIBLE} stands for that of your own server."
            raise UnknownModel(detail, errors=[FieldError(f"{at}/{index}", "unknown-model", detail)])


def known(name: str, *, own_server: bool) -> Model | None:
    """Return a model; one that is not in the table costs nothing on a server of one's own, and is none elsewhere."""
    return MODELS.get(name) or (Model(name, name.partition("/")[2] or name, 0.0, 0.0) if own_server else None)
