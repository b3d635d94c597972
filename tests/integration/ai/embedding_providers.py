"""The wire shapes of those who make vectors: what each answers, and where it finds what it was asked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from socialflow.ai.embedders import EMBEDDERS, Embedder
from socialflow.ai.gateway import Route
from tests.integration.ai.providers import BEDROCK_ROLE, KEY

Numbers = list[Any]


@dataclass(frozen=True)
class EmbeddingVendor:
    """A provider of vectors as it is on the wire."""

    embedder: Embedder
    path: str
    says: Callable[[Numbers], dict[str, Any]]
    asked_text: Mapping[str, Any]
    """The whole request for the vector of the text `A boat`, as a document."""
    asked_picture: Callable[[str], Mapping[str, Any]] | None
    """The whole request for that of a picture, from its base64."""
    text_tokens: int
    base: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)

    def route(self, base: str) -> Route:
        """Return the way to it on loopback."""
        return Route(self.embedder, "platform", None if self.more else KEY, None if self.more else base + self.base)

    def arguments(self, base: str) -> dict[str, Any]:
        """Return what is given to LiteLLM besides."""
        return {**self.more, "aws_bedrock_runtime_endpoint": base} if self.more else {}


def _cohere_on_bedrock(numbers: Numbers) -> dict[str, Any]:
    return {"id": "e-1", "response_type": "embeddings_by_type", "embeddings": {"float": [numbers]}, "texts": ["A boat"]}


def _cohere(numbers: Numbers) -> dict[str, Any]:
    billed = {"meta": {"api_version": {"version": "2"}, "billed_units": {"input_tokens": 3}}}
    return _cohere_on_bedrock(numbers) | billed


def _titan(numbers: Numbers) -> dict[str, Any]:
    return {"embedding": numbers, "inputTextTokenCount": 3, "message": None}


def _openai(numbers: Numbers) -> dict[str, Any]:
    data = [{"object": "embedding", "index": 0, "embedding": numbers}]
    usage = {"prompt_tokens": 3, "total_tokens": 3}
    return {"object": "list", "data": data, "model": "text-embedding-3-small", "usage": usage}


def _cohere_text(**more: Any) -> dict[str, Any]:
    return {"texts": ["A boat"], "input_type": "search_document", "embedding_types": ["float"], **more}


def _cohere_picture(**more: Any) -> Callable[[str], dict[str, Any]]:
    def asked(data: str) -> dict[str, Any]:
        images = [f"data:image/jpeg;base64,{data}"]
        return {"images": images, "input_type": "image", "embedding_types": ["float"], **more}

    return asked


EMBEDDING_VENDORS: Mapping[str, EmbeddingVendor] = {
    "cohere": EmbeddingVendor(
        EMBEDDERS["cohere/embed-v4.0"],
        "/v2/embed",
        _cohere,
        _cohere_text(output_dimension=1_536, model="embed-v4.0"),
        _cohere_picture(output_dimension=1_536, model="embed-v4.0"),
        3,
        "/v2/embed",
    ),
    "cohere-bedrock": EmbeddingVendor(
        EMBEDDERS["bedrock/cohere.embed-v4:0"],
        "/model/cohere.embed-v4%3A0/invoke",
        _cohere_on_bedrock,
        _cohere_text(output_dimension=1_536),
        _cohere_picture(output_dimension=1_536),
        2,  # it tells of none, and LiteLLM counts
        more=BEDROCK_ROLE,
    ),
    "cohere-3-bedrock": EmbeddingVendor(
        EMBEDDERS["bedrock/cohere.embed-multilingual-v3"],
        "/model/cohere.embed-multilingual-v3/invoke",
        _cohere_on_bedrock,
        _cohere_text(),
        _cohere_picture(),
        2,
        more=BEDROCK_ROLE,
    ),
    "titan": EmbeddingVendor(
        EMBEDDERS["bedrock/amazon.titan-embed-image-v1"],
        "/model/amazon.titan-embed-image-v1/invoke",
        _titan,
        {"inputText": "A boat", "embeddingConfig": {"outputEmbeddingLength": 1_024}},
        lambda data: {"inputImage": data, "embeddingConfig": {"outputEmbeddingLength": 1_024}},
        3,
        more=BEDROCK_ROLE,
    ),
    "openai": EmbeddingVendor(
        EMBEDDERS["openai/text-embedding-3-small"],
        "/v1/embeddings",
        _openai,
        {"input": ["A boat"], "dimensions": 1_536, "encoding_format": "float", "model": "text-embedding-3-small"},
        None,
        3,
        "/v1",
    ),
}
