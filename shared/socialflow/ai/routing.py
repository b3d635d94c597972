"""Where a tenant's question may go: by its own keys where it has any, else by the platform's."""

import re
from collections.abc import Collection, Iterator, Mapping

from socialflow.ai import embedders, keys
from socialflow.ai.catalogue import COMPATIBLE, MODELS, Model, known
from socialflow.ai.embedders import EMBEDDERS, Embedder
from socialflow.ai.gateway import FAILED, Route
from socialflow.ai.key_repository import StoredKey
from socialflow.ai.keys import OpenedKey
from socialflow.platform import crypto, secrets
from socialflow.platform.database import transaction
from socialflow.platform.observability import logger
from socialflow.platform.settings import CaptionSettings, CommonSettings, EmbeddingSettings, ModelSettings
from socialflow.platform.tenancy import Tenant

_LOOPBACK = re.compile(r"http://(127\.0\.0\.1|\[::1\]):[1-9][0-9]{1,4}(/[a-z0-9/]*)?")
"""The only spellings of an address of this machine's own models."""


class NoRoute(Exception):
    """There is nobody who may be asked."""

    def __init__(self, reason: str) -> None:
        """Take a reason in kebab case."""
        super().__init__(reason)
        self.reason = reason


def routes(tenant: Tenant) -> list[Route]:
    """Return where a tenant's question may go, the first choice first; raises `NoRoute`.

    Who has keys of their own, or has chosen models, is asked for there and nowhere else: no picture goes to a provider
    that the tenant did not choose, because another one has failed.
    """
    with transaction(tenant) as tx:
        stored = keys.listed(tx)
    own = {each.provider: _opened(tenant, each) for each in stored}
    chosen = list(tenant.settings.get("ai_models", ())) or [_usual(name) for name in own]
    found = [route for name in chosen for route in _route(name, own)] if chosen else list(_platforms())
    if not found:
        raise NoRoute("captioner-denied" if chosen else FAILED)
    return found


def embedder(tenant: Tenant, providers: Collection[str]) -> Embedder | None:
    """Return the model that makes a tenant's vectors, `providers` being those that it has keys of; None: there is none.

    Who has keys of their own, or has chosen models, has vectors of a provider that they have a key of, and of no other.
    """
    if providers or tenant.settings.get("ai_models"):
        return next((each for each in EMBEDDERS.values() if each.provider in providers), None)
    return embedders.known(EmbeddingSettings.from_env().embedding_model)


def embedding_route(tenant: Tenant) -> Route:
    """Return where a tenant's vectors are asked for, its model an `Embedder`; raises `NoRoute`."""
    with transaction(tenant) as tx:
        stored = {each.provider: each for each in keys.listed(tx)}
    model = embedder(tenant, stored.keys())
    if model is None:
        raise NoRoute("no-embedder")
    if model.provider in stored:
        return Route(model, "tenant", _opened(tenant, stored[model.provider]).key)
    place = CaptionSettings.from_env()
    key = secrets.text(place.caption_api_key_secret) if place.caption_api_key_secret else None
    return Route(model, "platform", key, place.caption_api_base or None)


def is_loopback(base: str) -> bool:
    """Tell whether an address is one of this machine, written so that nobody can read it as another."""
    return _LOOPBACK.fullmatch(base) is not None


def _opened(tenant: Tenant, stored: StoredKey) -> OpenedKey:
    try:
        return keys.opened(tenant, stored)
    except crypto.CannotOpen:
        logger.exception("A tenant's key does not open")
        raise NoRoute("captioner-denied") from None


def _usual(provider: str) -> str:
    """Return the model of a provider for whoever has a key and has chosen none."""
    return next((name for name, model in MODELS.items() if model.provider == provider), provider)


def _route(name: str, own: Mapping[str, OpenedKey]) -> Iterator[Route]:
    """Yield the way to a model that a tenant has chosen, by its own key or else the platform's."""
    model = MODELS.get(name)
    key = own.get(model.provider if model else name)
    if key is not None and name == COMPATIBLE:
        yield Route(Model(f"openai/{key.model}", str(key.model), 0.0, 0.0), "tenant", key.key, key.base_url)
    elif key is not None and model is not None:
        yield Route(model, "tenant", key.key)
    elif model is not None:
        yield from (route for route in _platforms() if route.model == model)


def _platforms() -> Iterator[Route]:
    """Yield the platform's models, each with its place and key."""
    models, place = ModelSettings.from_env(), CaptionSettings.from_env()
    key = secrets.text(place.caption_api_key_secret) if place.caption_api_key_secret else None
    for name in (models.caption_model, *models.caption_fallbacks):
        model = known(name, own_server=bool(place.caption_api_base))
        if model is None:
            logger.error("A model of the stage has no known price, and is not asked", model=name)
        elif model.provider.startswith("ollama") and not _may_be_ollama(place.caption_api_base):
            logger.error("Ollama is asked on this machine only, and in the local stage", model=name)
        else:
            yield Route(model, "platform", key, place.caption_api_base or None)


def _may_be_ollama(base: str) -> bool:
    return CommonSettings.from_env().stage == "local" and is_loopback(base)
