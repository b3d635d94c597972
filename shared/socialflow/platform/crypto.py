"""Envelope encryption: each secret under a data key of its own, each data key under the stage's KMS key.

What is sealed for one tenant and one purpose opens for no other: both are the encryption context of the data key and
the associated data of the cipher.
"""

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from socialflow.errors import Unavailable
from socialflow.platform.aws import client
from socialflow.platform.settings import KeySettings
from socialflow.platform.tenancy import Tenant

_VERSION = 1
_HEAD = struct.Struct(">BH")  # version, length of the encrypted data key
_NONCE = 12
_FOR_GOOD = ("InvalidCiphertextException", "IncorrectKeyException", "AccessDeniedException", "ValidationException")


class CannotOpen(RuntimeError):
    """What was to be opened was not sealed for this tenant and purpose, or was changed since."""


class KeysUnavailable(Unavailable):
    """The key service does not answer now."""

    code, title = "keys-unavailable", "The key service does not answer"


def seal(tenant: Tenant, purpose: str, plaintext: bytes) -> bytes:
    """Encrypt for a tenant and a purpose (such as one account's token); raises `KeysUnavailable`.

    A call to KMS, never inside a transaction.
    """
    with _asking():
        made = client("kms").generate_data_key(
            KeyId=KeySettings.from_env().key_id, KeySpec="AES_256", EncryptionContext=_context(tenant)
        )
    wrapped, nonce = made["CiphertextBlob"], os.urandom(_NONCE)
    body = AESGCM(made["Plaintext"]).encrypt(nonce, plaintext, _bound(tenant, purpose))
    return _HEAD.pack(_VERSION, len(wrapped)) + wrapped + nonce + body


def open_sealed(tenant: Tenant, purpose: str, sealed: bytes) -> bytes:
    """Decrypt what `seal` made for the same tenant and purpose; raises `CannotOpen`, `KeysUnavailable`."""
    wrapped, nonce, body = _split(sealed)
    with _asking():
        key = client("kms").decrypt(CiphertextBlob=wrapped, EncryptionContext=_context(tenant))["Plaintext"]
    try:
        return AESGCM(key).decrypt(nonce, body, _bound(tenant, purpose))
    except (InvalidTag, ValueError) as error:
        raise CannotOpen("It was not sealed for this tenant and purpose") from error


@contextmanager
def _asking() -> Iterator[None]:
    """Tell what KMS refuses for good from what it cannot do now."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] in _FOR_GOOD:
            raise CannotOpen("The key refuses it for this tenant") from error
        raise KeysUnavailable("The key service does not answer. Nothing was changed; try again.") from error
    except BotoCoreError as error:
        raise KeysUnavailable("The key service does not answer. Nothing was changed; try again.") from error


def _split(sealed: bytes) -> tuple[bytes, bytes, bytes]:
    try:
        version, length = _HEAD.unpack_from(sealed)
    except struct.error:
        raise CannotOpen("It is too short to be sealed") from None
    if version != _VERSION:
        raise CannotOpen(f"It was sealed in version {version}, which is not known here")
    rest = sealed[_HEAD.size :]
    return rest[:length], rest[length : length + _NONCE], rest[length + _NONCE :]


def _context(tenant: Tenant) -> dict[str, str]:
    return {"tenant": tenant.slug}


def _bound(tenant: Tenant, purpose: str) -> bytes:
    return f"{tenant.slug}\x00{purpose}".encode()
