"""Secrets, read once in five minutes from Secrets Manager and never logged."""

import json
import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from socialflow.errors import Unavailable
from socialflow.platform.aws import client
from socialflow.platform.observability import logger


class SecretUnavailable(Unavailable):
    """Secrets Manager does not give a secret."""

    code, title = "secret-unavailable", "Something that we need cannot be read"


_TTL = 300.0
_cache: dict[str, tuple[float, str]] = {}


def text(arn: str) -> str:
    """Return a secret's string."""
    at, value = _cache.get(arn, (0.0, ""))
    if not at or time.monotonic() - at > _TTL:
        try:
            value = client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
        except (BotoCoreError, ClientError) as error:
            logger.exception("A secret cannot be read", arn=arn)
            raise SecretUnavailable("Something that we need cannot be read. Try again.", retry_after=5) from error
        _cache[arn] = (time.monotonic(), value)
    return value


def document(arn: str) -> dict[str, Any]:
    """Return a secret that is a JSON object."""
    found: dict[str, Any] = json.loads(text(arn))
    return found


def forget(arn: str) -> None:
    """Read it again next time: it was rotated, or refused."""
    _cache.pop(arn, None)


def forget_all() -> None:
    """Read everything again: for tests, and after a restore from a snapshot."""
    _cache.clear()
