"""The start of a function that asks models: LiteLLM is imported and asked once there, where a snapshot keeps it."""

import os

from socialflow.ai import gateway, keys
from socialflow.platform import restore

_MODEL = "openai/gpt-4.1-mini"


def at_start() -> None:
    """In a sandbox, import LiteLLM; where a snapshot is taken, make its first question too."""
    if "AWS_LAMBDA_FUNCTION_NAME" not in os.environ:
        return
    restore.prepare(before=first_question, after=forget)
    gateway.litellm()


def first_question() -> None:
    """Ask LiteLLM what it answers itself: what it loads for the first question is loaded then. Nobody else is asked."""
    question = [{"role": "user", "content": "Describe."}]
    gateway.litellm().completion(model=_MODEL, messages=question, mock_response="{}")


def forget() -> None:
    """Drop the keys that were opened, and the library's clients."""
    keys.forget_opened()
    gateway.forget()
