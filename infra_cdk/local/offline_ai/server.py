"""As much of OpenAI's API as a client needs that sends one picture and asks for one structured answer."""

import base64
import binascii
import json
from collections.abc import Iterator
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from infra_cdk.local.offline_ai.looking import look
from infra_cdk.local.offline_ai.placing import placed
from infra_cdk.local.offline_ai.telling import Told, tell
from infra_cdk.local.offline_ai.wishing import wished

MODEL, WORDS = "offline-basic", "offline-words"
MAX_BODY = 16 * 1024 * 1024
_MODEL = {"id": MODEL, "object": "model", "created": 0, "owned_by": "socialflow"}


class BadRequest(Exception):
    """A request that cannot be answered, in words."""


async def complete(request: Request) -> JSONResponse:
    """Describe the picture of a chat completion request; whatever model is asked for, `offline-basic` answers."""
    try:
        raw = await _body(request)
        answer = await run_in_threadpool(answered, raw)
    except BadRequest as error:
        return JSONResponse({"error": {"message": str(error), "type": "invalid_request_error", "code": None}}, 400)
    return JSONResponse(answer)


async def embed(request: Request) -> JSONResponse:
    """Make vectors of texts; whatever model is asked for, `offline-words` answers."""
    try:
        answer = await run_in_threadpool(embedded, await _body(request))
    except BadRequest as error:
        return JSONResponse({"error": {"message": str(error), "type": "invalid_request_error", "code": None}}, 400)
    return JSONResponse(answer)


async def models(_request: Request) -> JSONResponse:
    """List the one model."""
    return JSONResponse({"object": "list", "data": [_MODEL]})


def answered(raw: bytes) -> dict[str, Any]:
    """Return the completion for a request's body; raises `BadRequest`."""
    try:
        asked = json.loads(raw)
        parts = list(_parts(asked["messages"]))
        if asked.get("stream"):
            raise BadRequest("Streaming is not offered")
        told = [_shaped(each) for each in tell(look(_picture(parts)), wished(_texts(parts)))]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadRequest(f"The request cannot be read: {error}") from None
    content = json.dumps(told[0] if len(told) == 1 else {"captions": told}, ensure_ascii=False)
    words = len(content.split())
    return {
        "id": "chatcmpl-offline",
        "object": "chat.completion",
        "created": 0,
        "model": MODEL,
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": content}}],
        "usage": {"prompt_tokens": 0, "completion_tokens": words, "total_tokens": words},
    }


def embedded(raw: bytes) -> dict[str, Any]:
    """Return the vectors for a request's body; raises `BadRequest`."""
    try:
        given = json.loads(raw)["input"]
        texts = [given] if isinstance(given, str) else list(given)
        vectors = [placed(text) for text in texts]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadRequest(f"The request cannot be read: {error}") from None
    words = sum(len(text.split()) for text in texts)
    return {
        "object": "list",
        "model": WORDS,
        "data": [{"object": "embedding", "index": at, "embedding": each} for at, each in enumerate(vectors)],
        "usage": {"prompt_tokens": words, "total_tokens": words},
    }


async def _body(request: Request) -> bytes:
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MAX_BODY:
            raise BadRequest("The request is too large")
    return bytes(raw)


def _parts(messages: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for message in messages:
        if message["role"] == "user":
            content = message["content"]
            yield from [{"type": "text", "text": content}] if isinstance(content, str) else content


def _picture(parts: list[dict[str, Any]]) -> bytes:
    for part in parts:
        if part["type"] == "image_url":
            head, _, data = str(part["image_url"]["url"]).partition(";base64,")
            if not head.startswith("data:image/"):
                raise BadRequest("Send the picture as a base64 data URI: nothing is fetched")
            try:
                return base64.b64decode(data, validate=True)
            except binascii.Error:
                raise BadRequest("The picture is not base64") from None
    raise BadRequest("Send a picture")


def _shaped(told: Told) -> dict[str, object]:
    return {
        "caption": told.text,
        "alt_text": told.alt_text,
        "hashtags": list(told.hashtags),
        "description": told.description,
    }


def _texts(parts: list[dict[str, Any]]) -> list[str]:
    return [str(part["text"]) for part in parts if part["type"] == "text"]


app = Starlette(
    routes=[
        Route("/v1/chat/completions", complete, methods=["POST"]),
        Route("/v1/embeddings", embed, methods=["POST"]),
        Route("/v1/models", models, methods=["GET"]),
    ]
)
