"""LiteLLM as scripted, and a question to it."""

import json
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from socialflow.ai.asking import Account
from socialflow.ai.gateway import Question
from socialflow.captions import prompt
from socialflow.captions.model import Draft
from socialflow.platform.ids import new_id
from socialflow.platform.tenancy import Tenant

GOOD = json.dumps({"caption": "A boat", "alt_text": "A boat at sea", "hashtags": ["#sea"], "description": "d"})
SUBJECT = prompt.Subject(b"\xff\xd8picture", "image/jpeg")
QUESTION = Question(prompt.messages(SUBJECT), prompt.CaptionAnswer, 500)


def read(content: str) -> Draft:
    """Read an answer as the task does."""
    return prompt.read(content, SUBJECT)[0]


class Library:
    """LiteLLM's `completion`, as scripted: texts are answers, exceptions are raised; the last stands for all later."""

    def __init__(self, *script: str | BaseException, tokens: tuple[int, int] | None = (1_000, 100)) -> None:
        self.script = list(script)
        self.tokens = tokens
        self.calls: list[dict[str, Any]] = []

    def __call__(self, **call: Any) -> Any:
        self.calls.append(call)
        answer = self.script[min(len(self.calls), len(self.script)) - 1]
        if isinstance(answer, BaseException):
            raise answer
        usage = self.tokens and SimpleNamespace(prompt_tokens=self.tokens[0], completion_tokens=self.tokens[1])
        message = SimpleNamespace(content=answer)
        return SimpleNamespace(model="a-model", choices=[SimpleNamespace(message=message)], usage=usage)


def error(name: str, *bases: type[Exception], cause: Exception | None = None) -> Exception:
    """Return an error of a class of this name: the gateway knows LiteLLM's by their names."""
    made: Exception = type(name, bases or (Exception,), {})("details of the provider")
    made.__cause__ = cause
    return made


@pytest.fixture
def account(acme: Tenant) -> Account:
    """Acme asks for a caption."""
    return Account(acme, "caption", subject=new_id(), member=new_id())


@pytest.fixture
def outcomes(owner: psycopg.Connection) -> Any:
    """What the calls of models came to: state, outcome, millionths of a dollar."""

    def look() -> list[tuple[str, str | None, int]]:
        return owner.execute("SELECT state, outcome, micros FROM cell.ai_calls ORDER BY begun_at, id").fetchall()

    return look
