"""LiteLLM: one question out, one answer back with what it used, or a reason why there is none.

A question puts itself: one for words is here, one for a vector in `embedding`.

It is imported by its first use: only functions that ask models have it, and it takes seconds.
"""

import gc
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from inspect import iscoroutinefunction
from typing import Any, ClassVar, Protocol

from socialflow.ai.catalogue import Model
from socialflow.ai.model import UNBILLED, KeyOwner, Used
from socialflow.platform import egress

CALL_SECONDS = 20.0
FAILED = "captioner-failed"
_BY_CLASS = {
    "BudgetExceededError": "budget-exceeded",
    "ContentPolicyViolationError": "content-policy",
    "AuthenticationError": "captioner-denied",
    "PermissionDeniedError": "captioner-denied",
    "RateLimitError": "captioner-busy",
    "Timeout": "captioner-unreachable",
    "APIConnectionError": "captioner-unreachable",
    "InternalServerError": "captioner-unreachable",
    "ServiceUnavailableError": "captioner-unreachable",
    "BadGatewayError": "captioner-unreachable",
}
"""LiteLLM's errors, by the first of their classes that stands here; any other is `captioner-failed`."""
_MAY_BE_BILLED = frozenset({"Timeout", "APIConnectionError"})
_DECLINES = frozenset({"content_filter", "refusal"})
_REFUSAL = re.compile(r"content_policy|content_filter|content management policy|safety system")
_SERVERS_FAULT = 500
MOST_TOKENS = 10_000_000
"""A provider that tells of more is not believed: all that was reserved is counted then."""
_NEVER_SENT = frozenset({"ConnectError", "ConnectTimeout", "HostRefused"})

Complete = Callable[..., Any]


@dataclass(frozen=True)
class Route:
    """A model, and where and with whose key it is asked."""

    model: Model
    key_owner: KeyOwner
    key: str | None = field(default=None, repr=False)
    base: str | None = None


@dataclass(frozen=True)
class Reply:
    """What a provider has answered: content is a text or a vector, as it was asked for, and not yet judged."""

    content: Any
    model: str
    tokens: tuple[int, int] | None
    outcome: str = "answered"


class Asked(Protocol):
    """What a model can be asked, and how large it is."""

    by: ClassVar[str]
    """LiteLLM's function for it."""

    @property
    def max_tokens(self) -> int:
        """How many tokens the answer has at the most."""

    @property
    def text(self) -> str:
        """Everything in it that is text."""

    @property
    def pictures(self) -> int:
        """How many pictures it has."""

    def put(self, route: Route, complete: Complete, more: Mapping[str, Any]) -> Reply:
        """Ask once; raises whatever the library raises."""


@dataclass(frozen=True)
class Question:
    """What a model is asked: messages as OpenAI writes them, and the form of the answer."""

    by: ClassVar[str] = "completion"

    messages: Sequence[Mapping[str, Any]]
    form: type[Any]
    max_tokens: int

    @property
    def text(self) -> str:
        """Everything in it that is text: what its size is reckoned from."""
        said = [part["text"] for part in self._parts if part["type"] == "text"]
        return "".join([*said, json.dumps(self.form.model_json_schema())])

    @property
    def pictures(self) -> int:
        """How many pictures it has."""
        return sum(part["type"] == "image_url" for part in self._parts)

    def put(self, route: Route, complete: Complete, more: Mapping[str, Any]) -> Reply:
        """Ask for one text."""
        answer = complete(
            messages=self.messages, max_tokens=self.max_tokens, max_retries=0, response_format=self.form, **more
        )
        content, model = answer.choices[0].message.content or "", str(answer.model or route.model.name)
        return Reply(content, model, _tokens(answer), "content-policy" if _declined(answer) else "answered")

    @property
    def _parts(self) -> list[Mapping[str, Any]]:
        return [part for message in self.messages for part in _parts(message["content"])]


@dataclass(frozen=True)
class Said:
    """What a model has said, or why it has not, and what that came to."""

    used: Used
    content: Any = ""
    model: str = ""
    cause: str = ""


def call(question: Asked, route: Route, complete: Complete) -> Said:
    """Ask once. Whatever a provider or the library does wrong is an outcome."""
    began = time.monotonic()
    try:
        with _client(route) as client:
            common = {"model": route.model.name, "timeout": CALL_SECONDS, "num_retries": 0}
            where = {"api_base": route.base, "api_key": route.key}
            reply, cause = question.put(route, complete, {**common, **where, **client}), ""
    except Exception as error:  # noqa: BLE001 # the review goes on without it
        tokens = None if _may_be_billed(error) else UNBILLED
        reply, cause = Reply("", "", tokens, _reason(error)), type(error).__name__
    used = Used(reply.outcome, round((time.monotonic() - began) * 1_000), *(reply.tokens or (None, None)))
    return Said(used, reply.content, reply.model, cause)


@contextmanager
def _client(route: Route) -> Iterator[dict[str, Any]]:
    """Yield the client with which an address is called that a tenant gave: by the one way out, judged and pinned."""
    if route.key_owner != "tenant" or route.base is None:
        yield {}
        return
    from openai import OpenAI  # noqa: PLC0415 # LiteLLM's own, imported with it

    with egress.client(route.base, seconds=CALL_SECONDS, max_bytes=egress.MAX_BYTES) as http:
        yield {"client": OpenAI(api_key=route.key, base_url=route.base, http_client=http, max_retries=0)}


@cache
def litellm() -> Any:
    """Import LiteLLM: without its network fetch, without reading a .env, and quickly."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    os.environ.setdefault("LITELLM_MODE", "PRODUCTION")
    gc.disable()  # a quarter of the import is the collector walking what the import makes
    try:
        import litellm as library  # noqa: PLC0415 # see the module's docstring
    finally:
        gc.enable()
    library.telemetry = False
    # For vectors of OpenAI it takes this number where it is told to retry never.
    library.DEFAULT_MAX_RETRIES = 0  # type: ignore[attr-defined] # it exports no constant by name
    library.drop_params = True  # a model that knows no response_format is asked by the prompt alone
    library.suppress_debug_info = True  # it prints to stdout otherwise
    return library


def forget() -> None:
    """Close the clients that LiteLLM keeps, and drop them: for tests, and after a restore from a snapshot.

    Only dropped they would hold their connections until the collector comes by.
    """
    if not litellm.cache_info().currsize:  # nobody has asked
        return
    kept = litellm().in_memory_llm_clients_cache
    for client in list(kept.cache_dict.values()):
        close = getattr(client, "close", None)
        if close is not None and not iscoroutinefunction(close):  # what is closed on a loop, nobody here has used
            close()
    kept.flush_cache()


def _declined(answer: Any) -> bool:
    """Tell whether the provider declines to describe the picture: an outcome, in whatever way it says so."""
    choice = answer.choices[0]
    return getattr(choice, "finish_reason", "") in _DECLINES or bool(getattr(choice.message, "refusal", None))


def _tokens(answer: Any) -> tuple[int, int] | None:
    """Return what an answer says that it used; None where it does not say, or cannot be."""
    usage = getattr(answer, "usage", None)
    told = (getattr(usage, "prompt_tokens", None), getattr(usage, "completion_tokens", None))
    if all(isinstance(count, int) and 0 <= count <= MOST_TOKENS for count in told):
        return int(told[0] or 0), int(told[1] or 0)
    return None


def _may_be_billed(error: Exception) -> bool:
    """Tell whether a provider may have worked for a call that gave nothing: all of it is counted then."""
    if not any(name in _MAY_BE_BILLED for name in _names(error)):
        return _reason(error) == FAILED and not hasattr(error, "status_code")
    cause: BaseException | None = error
    while cause is not None:
        if type(cause).__name__ in _NEVER_SENT:
            return False
        cause = cause.__cause__ or cause.__context__
    return True


def _reason(error: Exception) -> str:
    reason = next((_BY_CLASS[name] for name in _names(error) if name in _BY_CLASS), FAILED)
    if reason != FAILED:
        return reason
    status = getattr(error, "status_code", None)
    if isinstance(status, int) and status >= _SERVERS_FAULT:  # 529, which the library has no class for
        return "captioner-unreachable"
    return "content-policy" if _REFUSAL.search(str(error)) else FAILED


def _names(error: Exception) -> list[str]:
    return [each.__name__ for each in type(error).__mro__]


def _parts(content: Any) -> list[Mapping[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)
