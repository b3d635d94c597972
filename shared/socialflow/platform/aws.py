"""Clients of AWS services: made on first use, shared by the sandbox, with bounded waits."""

from functools import cache
from typing import TYPE_CHECKING, Any, Literal, overload

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient

_CONFIG = Config(
    connect_timeout=3,
    read_timeout=20,
    retries={"mode": "standard", "max_attempts": 3},
    signature_version="v4",
)
# Virtual addresses: a signed URL then names the bucket's region. The global host redirects, which breaks the signature.
_S3 = Config(signature_version="s3v4", s3={"addressing_style": "virtual"})
# Whoever invokes a function waits for its answer, and asks once: the caller knows whether it may be repeated.
_LAMBDA = Config(read_timeout=15, retries={"mode": "standard", "total_max_attempts": 1})

_instead: dict[str, Any] = {}


@overload
def client(service: Literal["events"]) -> "EventBridgeClient": ...
@overload
def client(service: Literal["kms"]) -> "KMSClient": ...
@overload
def client(service: Literal["lambda"]) -> "LambdaClient": ...
@overload
def client(service: Literal["s3"]) -> "S3Client": ...
@overload
def client(service: Literal["secretsmanager"]) -> "SecretsManagerClient": ...
@overload
def client(service: Literal["sesv2"]) -> "SESV2Client": ...
@overload
def client(service: Literal["sqs"]) -> "SQSClient": ...
@overload
def client(service: Literal["stepfunctions"]) -> "SFNClient": ...
def client(service: str) -> Any:
    """Return the sandbox's client of a service; region, credentials and endpoint come from the environment."""
    return _instead.get(service) or _client(service)


@cache
def _client(service: str) -> Any:
    config = _CONFIG.merge({"s3": _S3, "lambda": _LAMBDA}.get(service, Config()))
    return boto3.client(service, config=config)  # type: ignore[call-overload] # the overloads above name them


def use(service: str, instead: Any) -> None:
    """Let something else be the client of a service, None for the real one again: for tests."""
    _instead[service] = instead


def forget() -> None:
    """Drop the clients: for tests, and after a restore from a snapshot."""
    _client.cache_clear()
