"""Tenants' own keys of providers: verified before they are kept, sealed for the tenant, shown by their last letters."""

import hashlib
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

import httpx

from socialflow.ai import key_repository as repository
from socialflow.ai.catalogue import COMPATIBLE
from socialflow.ai.key_repository import StoredKey
from socialflow.errors import FieldError, Invalid, NotFound
from socialflow.platform import crypto, egress
from socialflow.platform.database import Transaction
from socialflow.platform.observability import logger
from socialflow.platform.tenancy import Tenant

TTL = 300.0
"""Seconds for which an opened key stays in memory."""
_KEY = re.compile(r"[\x21-\x7e]{8,512}")
_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,119}")
_PATH = re.compile(r"(/[A-Za-z0-9_~.-]*[A-Za-z0-9_~-])*/?")
_HINT = 4
_opened: dict[tuple[str, str, bytes], tuple[float, str]] = {}


class UnknownProvider(NotFound):
    """There is no such provider, or no key of it."""

    code, title = "unknown-provider", "No such provider"


class UnusableKey(Invalid):
    """The key, or the address with it, cannot be used."""

    code, title = "unusable-key", "This key cannot be used"


@dataclass(frozen=True)
class Provider:
    """A provider, and how it is asked for its models: the cheapest call that only a good key is answered."""

    name: str
    title: str
    base: str
    headers: Mapping[str, str]


_BEARER = {"Authorization": "Bearer {key}"}
PROVIDERS: Mapping[str, Provider] = {
    provider.name: provider
    for provider in (
        Provider("openai", "OpenAI", "https://api.openai.com/v1", _BEARER),
        Provider(
            "anthropic",
            "Anthropic",
            "https://api.anthropic.com/v1",
            {"x-api-key": "{key}", "anthropic-version": "2023-06-01"},
        ),
        Provider(
            "gemini",
            "Google Gemini",
            "https://generativelanguage.googleapis.com/v1beta",
            {"x-goog-api-key": "{key}"},
        ),
        Provider("mistral", "Mistral", "https://api.mistral.ai/v1", _BEARER),
        Provider("cohere", "Cohere", "https://api.cohere.com/v1", _BEARER),
        Provider(COMPATIBLE, "A server that speaks as OpenAI does", "", _BEARER),
    )
}


@dataclass(frozen=True)
class NewKey:
    """A key to keep."""

    provider: Provider
    key: str
    base_url: str | None = None
    model: str | None = None

    @property
    def hint(self) -> str:
        """What is shown of it."""
        return self.key[-_HINT:]


@dataclass(frozen=True)
class OpenedKey:
    """A key as a call needs it."""

    provider: str
    key: str
    base_url: str | None
    model: str | None


def provider(name: str) -> Provider:
    """Return a provider; raises `UnknownProvider`."""
    if name not in PROVIDERS:
        raise UnknownProvider(f"Providers are {', '.join(PROVIDERS)}.")
    return PROVIDERS[name]


def checked(name: str, key: str, *, base_url: str | None, model: str | None) -> NewKey:
    """Return a key that may be verified; raises `UnknownProvider`, `UnusableKey`, `UnusableHost` in words."""
    known = provider(name)
    if not _KEY.fullmatch(key):
        raise _unusable("/key", "A key has 8 to 512 visible ASCII characters. Copy it from the provider's own page.")
    if known.name != COMPATIBLE:
        if base_url or model:
            raise _unusable(
                "/base_url", f"{known.title} has its own address. Use the provider {COMPATIBLE} for others."
            )
        return NewKey(known, key)
    if not base_url:
        raise _unusable("/base_url", "Give the server's address, such as https://models.example.com/v1.")
    if not model or not _MODEL.fullmatch(model):
        raise _unusable("/model", "Give the name of the model that is asked there.")
    return NewKey(known, key, checked_base(base_url), model)


def checked_base(address: str) -> str:
    """Return the address of a server as it is called: an origin that may be called, and a plain path."""
    given = address.strip()
    try:
        parts = urlsplit(given)
    except ValueError:
        raise _unusable("/base_url", "That is no web address.") from None
    origin = egress.origin(f"{parts.scheme}://{parts.netloc}")
    if parts.query or parts.fragment or "?" in given or "#" in given or len(parts.path) > 200:
        raise _unusable("/base_url", "Give the address without anything after its path.")
    if not _PATH.fullmatch(parts.path) or ".." in parts.path:
        raise _unusable("/base_url", "The address's path has letters, digits and hyphens only.")
    return origin + parts.path.rstrip("/")


def verify(new: NewKey, *, seconds: float) -> None:
    """Ask the provider for its models with the key; raises `UnusableKey` in words. Nothing is kept."""
    base = new.base_url or new.provider.base
    headers = {name: value.format(key=new.key) for name, value in new.provider.headers.items()}
    try:
        with egress.client(base, seconds=seconds, headers=headers) as opened:
            status = egress.send(opened, opened.build_request("GET", f"{base}/models")).status_code
    except egress.HostRefused:
        raise _unusable("/base_url", "That address cannot be called: it is not one of the public internet.") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        logger.warning("A provider does not answer", provider=new.provider.name, cause=type(error).__name__)
        raise _unusable("/key", f"{new.provider.title} does not answer. Nothing was kept; try again later.") from None
    if status == 200:
        return
    if status in {401, 403}:
        raise _unusable("/key", f"{new.provider.title} does not take this key. Make a new one there, and send that.")
    raise _unusable("/key", f"{new.provider.title} answers with {status}. Nothing was kept; try again later.")


def seal(tenant: Tenant, new: NewKey) -> bytes:
    """Seal a key for its tenant and provider: a call to KMS, never inside a transaction."""
    return crypto.seal(tenant, _purpose(new.provider.name), new.key.encode())


def keep(tx: Transaction, new: NewKey, sealed: bytes, *, by: UUID, at: datetime) -> StoredKey:
    """Keep a verified key, in the place of the one that was there."""
    return repository.put(
        tx,
        {
            "provider": new.provider.name,
            "secret": sealed,
            "hint": new.hint,
            "base_url": new.base_url,
            "model": new.model,
            "by": by,
            "at": at,
        },
    )


def listed(tx: Transaction) -> list[StoredKey]:
    """Return the tenant's keys, by provider."""
    return repository.all_of(tx)


def forget(tx: Transaction, name: str) -> None:
    """Throw a key away; raises `UnknownProvider` where there is none."""
    if not repository.delete(tx, provider(name).name):
        raise UnknownProvider(f"There is no key of {PROVIDERS[name].title}. GET /v1/ai/keys lists them.")


def opened(tenant: Tenant, stored: StoredKey) -> OpenedKey:
    """Open a key, from memory within five minutes; raises `crypto.CannotOpen`, `crypto.KeysUnavailable`.

    What was rotated or deleted is another row: nothing old is used because it was in memory.
    """
    sealed = bytes(stored.secret)
    known = (tenant.slug, stored.provider, hashlib.sha256(sealed).digest())
    at, key = _opened.get(known, (0.0, ""))
    if not key or time.monotonic() - at > TTL:
        key = crypto.open_sealed(tenant, _purpose(stored.provider), sealed).decode()
        for old in [each for each, (when, _) in _opened.items() if time.monotonic() - when > TTL]:
            del _opened[old]
        _opened[known] = (time.monotonic(), key)
    return OpenedKey(stored.provider, key, stored.base_url, stored.model)


def forget_opened() -> None:
    """Drop what is in memory: after a restore from a snapshot, and for tests."""
    _opened.clear()


def _purpose(name: str) -> str:
    return f"ai-key {name}"


def _unusable(pointer: str, detail: str) -> UnusableKey:
    return UnusableKey(detail, errors=[FieldError(pointer, "unusable-key", detail)])
