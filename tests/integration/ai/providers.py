"""The vendors' wire shapes: what each answers to a question, and how each declines to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from socialflow.ai.catalogue import MODELS, Model
from socialflow.ai.gateway import Route

KEY = "sk-planted-key-on-the-wire"


@dataclass(frozen=True)
class Vendor:
    """A provider as it is on the wire."""

    model: Model
    path: str
    says: Callable[[str | None, str], dict[str, Any]]
    """Its answer, from a text and its own word for why it ended."""
    declines: str
    base: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)
    """Arguments that stand in for a region and a role."""

    def route(self, base: str) -> Route:
        """Return the way to it on loopback."""
        return Route(self.model, "platform", None if self.more else KEY, None if self.more else base + self.base)

    def arguments(self, base: str) -> dict[str, Any]:
        """Return what is given to LiteLLM besides."""
        return {**self.more, "aws_bedrock_runtime_endpoint": base} if self.more else {}


def _openai(text: str | None, ended: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_764_230_400,
        "model": "gpt-4.1-mini-2025-04-14",
        "choices": [{"index": 0, "finish_reason": ended or "stop", "message": message}],
        "usage": {"prompt_tokens": 1_000, "completion_tokens": 100, "total_tokens": 1_100},
    }


def _anthropic(text: str | None, ended: str) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-haiku-4-5-20251001",
        "content": [{"type": "text", "text": text}] if text is not None else [],
        "stop_reason": ended or "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 1_000, "output_tokens": 100},
    }


def _bedrock(text: str | None, ended: str) -> dict[str, Any]:
    return {
        "output": {"message": {"role": "assistant", "content": [{"text": text or ""}]}},
        "stopReason": ended or "end_turn",
        "usage": {"inputTokens": 1_000, "outputTokens": 100, "totalTokens": 1_100},
        "metrics": {"latencyMs": 900},
    }


def _gemini(text: str | None, ended: str) -> dict[str, Any]:
    candidate = {"finishReason": ended or "STOP", "index": 0}
    if text is not None:
        candidate["content"] = {"parts": [{"text": text}], "role": "model"}
    return {
        "candidates": [candidate],
        "usageMetadata": {"promptTokenCount": 1_000, "candidatesTokenCount": 100, "totalTokenCount": 1_100},
        "modelVersion": "gemini-2.5-flash-lite",
    }


def _ollama(text: str | None, _ended: str) -> dict[str, Any]:
    return {
        "model": "llava",
        "created_at": "2026-11-27T08:00:00Z",
        "message": {"role": "assistant", "content": text or ""},
        "done": True,
        "done_reason": "stop",
        "prompt_eval_count": 1_000,
        "eval_count": 100,
    }


BEDROCK_ROLE = {
    "aws_region_name": "eu-central-1",
    "aws_access_key_id": "AKIAPLANTED",
    "aws_secret_access_key": "planted",
}
VENDORS: Mapping[str, Vendor] = {
    "openai": Vendor(MODELS["openai/gpt-4.1-mini"], "/v1/chat/completions", _openai, "content_filter", "/v1"),
    "anthropic": Vendor(MODELS["anthropic/claude-haiku-4-5"], "/v1/messages", _anthropic, "refusal"),
    "bedrock": Vendor(
        MODELS["bedrock/amazon.nova-lite-v1:0"],
        "/model/amazon.nova-lite-v1%3A0/converse",
        _bedrock,
        "content_filtered",
        more=BEDROCK_ROLE,
    ),
    "gemini": Vendor(
        MODELS["gemini/gemini-2.5-flash-lite"],
        "/v1beta/models/gemini-2.5-flash-lite:generateContent",
        _gemini,
        "SAFETY",
        "/v1beta",
    ),
    "ollama": Vendor(Model("ollama_chat/llava", "LLaVA", 0.0, 0.0), "/api/chat", _ollama, ""),
}
