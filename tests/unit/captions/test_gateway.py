"""The captioner's port, with a fake of LiteLLM behind it: what is sent, and that nothing it does blocks a review."""

import base64
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from socialflow.captions import gateway
from socialflow.captions.gateway import Subject, write
from socialflow.captions.model import Skipped
from socialflow.platform import settings

SUBJECT = Subject(b"\xff\xd8picture", "image/jpeg", "In French", datetime(2024, 5, 6, 7, 8))  # noqa: DTZ001 # camera's
GOOD = json.dumps({"caption": "A boat", "alt_text": "A boat at sea", "hashtags": ["#sea"], "description": "d"})


class Model:
    """LiteLLM's `completion`, as scripted: texts are answers, exceptions are raised; the last stands for all later."""

    def __init__(self, *script: str | Exception) -> None:
        self.script = list(script)
        self.calls: list[dict[str, Any]] = []

    def __call__(self, **call: Any) -> Any:
        self.calls.append(call)
        answer = self.script[min(len(self.calls), len(self.script)) - 1]
        if isinstance(answer, Exception):
            raise answer
        message = SimpleNamespace(content=answer)
        return SimpleNamespace(model="a-model", choices=[SimpleNamespace(message=message)], usage=None)


def error(name: str, *bases: type[Exception]) -> Exception:
    """Return an error of a class of this name: the gateway knows LiteLLM's by their names."""
    made: Exception = type(name, bases or (Exception,), {})("details of the provider")
    return made


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SOCIALFLOW_CAPTION_MODEL", "openai/some-model")
    monkeypatch.setenv("SOCIALFLOW_CAPTION_API_BASE", "http://127.0.0.1:1/v1")
    settings.forget()
    yield
    settings.forget()


@pytest.fixture
def pauses() -> list[float]:
    return []


def skipped(model: Model, pause: Callable[[float], None] = lambda _seconds: None) -> Skipped:
    with pytest.raises(Skipped) as why:
        write(SUBJECT, complete=model, pause=pause)
    return why.value


def test_the_picture_goes_as_data_and_the_wish_as_material() -> None:
    model = Model(GOOD)
    written = write(SUBJECT, complete=model)
    assert (written.draft.text, written.draft.hashtags, written.model) == ("A boat", ("sea",), "a-model")
    call = model.calls[0]
    assert (call["model"], call["api_base"], call["api_key"]) == ("openai/some-model", "http://127.0.0.1:1/v1", None)
    assert (call["max_tokens"], call["num_retries"], call["max_retries"]) == (500, 0, 0)
    system, user = call["messages"]
    assert "In French" not in system["content"]
    assert json.loads(user["content"][0]["text"]) == {"taken_at": "2024-05-06T07:08:00", "wish": "In French"}
    picture = user["content"][1]["image_url"]["url"]
    assert picture == "data:image/jpeg;base64," + base64.b64encode(SUBJECT.image).decode()


@pytest.mark.parametrize("wrapped", ["```json\n{}\n```", "Here you are: {} Enjoy!"])
def test_an_answer_in_a_fence_or_a_sentence_is_found(wrapped: str) -> None:
    assert write(SUBJECT, complete=Model(wrapped.replace("{}", GOOD))).draft.text == "A boat"


@pytest.mark.parametrize(
    ("raised", "reason", "tries"),
    [
        (error("RateLimitError"), "captioner-busy", 3),
        (error("Timeout"), "captioner-unreachable", 3),
        (error("APIConnectionError"), "captioner-unreachable", 3),
        (error("InternalServerError"), "captioner-unreachable", 3),
        (error("BudgetExceededError"), "budget-exceeded", 1),
        (error("ContentPolicyViolationError"), "content-policy", 1),
        (error("AuthenticationError"), "captioner-denied", 1),
        (error("BadRequestError"), "captioner-failed", 1),
        (error("OfAProvider", type(error("RateLimitError"))), "captioner-busy", 3),
        (RuntimeError("a bug of the library"), "captioner-failed", 1),
        (KeyError("choices"), "captioner-failed", 1),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_every_failure_is_a_reason_and_only_passing_ones_are_tried_again(
    raised: Exception, reason: str, tries: int
) -> None:
    model = Model(raised)
    why = skipped(model)
    assert (why.reason, len(model.calls)) == (reason, tries)
    assert why.detail.endswith(".")
    assert "provider" not in why.detail or reason == "content-policy"


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "I cannot do that",
        "{",
        "[]",
        "{}",
        '{"caption": ""}',
        '{"caption": 5}',
        '{"caption": "@only"}',
        json.dumps({"caption": "x" * 4001}),
        json.dumps({"caption": "x", "hashtags": ["y"] * 51}),
    ],
)
def test_an_unusable_answer_is_asked_for_again_and_then_left(answer: str) -> None:
    model = Model(answer)
    assert skipped(model).reason == "answer-unusable"
    assert len(model.calls) == 3
    assert write(SUBJECT, complete=Model(answer, GOOD), pause=lambda _seconds: None).draft.text == "A boat"


def test_pauses_grow_and_end(pauses: list[float]) -> None:
    skipped(Model(error("RateLimitError")), pauses.append)
    assert pauses == [1.0, 2.0]


def test_no_further_try_that_would_pass_the_deadline() -> None:
    clock = iter([0.0, 30.0])
    model = Model(error("Timeout"))
    with pytest.raises(Skipped):
        write(SUBJECT, complete=model, pause=lambda _seconds: pytest.fail("it waits"), clock=lambda: next(clock))
    assert len(model.calls) == 1


def test_the_real_library_is_asked_for_what_it_knows() -> None:
    """LiteLLM's own errors have the names that the gateway goes by, and its mock answers pass through it."""
    library = gateway.litellm()
    for name in gateway._BY_CLASS:
        assert isinstance(getattr(library, name, None) or getattr(library.exceptions, name), type), name
    made = write(SUBJECT, complete=lambda **call: library.completion(**call, mock_response=GOOD))
    assert made.draft.text == "A boat"
    with pytest.raises(Skipped) as why:
        write(
            SUBJECT,
            complete=lambda **call: library.completion(**call, mock_response="litellm.RateLimitError"),
            pause=lambda _seconds: None,
        )
    assert why.value.reason == "captioner-busy"
