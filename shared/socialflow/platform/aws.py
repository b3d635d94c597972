"""Clients of AWS services: made on first use, shared by the sandbox, with bounded waits."""

from functools import cache
from typing import TYPE_CHECKING, Any, Literal, overload

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
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


@overload
def client(service: Literal["events"]) -> "EventBridgeClient": ...
@overload
def client(service: Literal["kms"]) -> "KMSClient": ...
@overload
def client(service: Literal["s3"]) -> "S3Client": ...
@overload
def client(service: Literal["secretsmanager"]) -> "SecretsManagerClient": ...
@overload
def client(service: Literal["sqs"]) -> "SQSClient": ...
@overload
def client(service: Literal["stepfunctions"]) -> "SFNClient": ...
def client(service: str) -> Any:
    """Return the sandbox's client of a service; region, credentials and endpoint come from the environment."""
    return _client(service)


@cache
def _client(service: str) -> Any:
    config = _CONFIG.merge(_S3) if service == "s3" else _CONFIG
    return boto3.client(service, config=config)  # type: ignore[call-overload] # the overloads above name them


def forget() -> None:
    """Drop the clients: for tests, and after a restore from a snapshot."""
    _client.cache_clear()
