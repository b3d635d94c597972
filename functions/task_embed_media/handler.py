"""Embed Media: a media item gets its places in the space of the tenant's model. No review waits for it.

What has no place afterwards (no budget, a provider in trouble) is looked at again by the hourly job.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from socialflow.ai import embedding, starting
from socialflow.ai.asking import Account, NotAnswered
from socialflow.ai.embedders import Embedder
from socialflow.ai.embedding import Embeddable, Picture
from socialflow.ai.gateway import Route
from socialflow.ai.routing import NoRoute, embedding_route
from socialflow.captions import service as captions
from socialflow.media import gateway as storage
from socialflow.media import service as media
from socialflow.media.model import Derivative
from socialflow.platform import work
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.observability import logger
from socialflow.platform.settings import (
    CaptionSettings,
    DatabaseSettings,
    DoorbellSettings,
    EgressSettings,
    EmbeddingSettings,
    KeySettings,
    StorageSettings,
)
from socialflow.platform.tasks import SUPERSEDED, TaskInput, task_entry
from socialflow.search import service as search
from socialflow.search.model import Placed, Source, Space, said_of

NEEDS = (
    DatabaseSettings,
    StorageSettings,
    DoorbellSettings,
    CaptionSettings,
    EmbeddingSettings,
    KeySettings,
    EgressSettings,
)
VARIANT, CONTENT_TYPE = "square", "image/jpeg"
BUSY = timedelta(seconds=60)
"""After so long a tenant that embeds many comes again."""

starting.at_start()


@dataclass(frozen=True)
class _Found:
    said: str
    picture: Derivative | None


@task_entry(*NEEDS)
def handler(task: TaskInput, _context: Any) -> dict[str, str]:
    """Take a task's input; return an outcome: embedded, left, later (with the moment) or superseded."""
    found = _found(task)
    if found is None:
        return _told(SUPERSEDED["outcome"])
    try:
        route = embedding_route(task.tenant)
        _embed(task, found, route)
    except (NoRoute, NotAnswered) as why:
        if why.reason == "rate-limited":
            return _later(task)
        logger.info("A media item has no vectors", reason=why.reason)
        return _ended(task, "left")
    return _ended(task, "embedded")


def _found(task: TaskInput) -> _Found | None:
    """Return what there is to embed; None to an older run."""
    with transaction(task.tenant) as tx:
        item = media.remaining(tx, task.id)
        if item is None or not work.postpone(tx, "embedding", task.id, run=task.run, wake_at=now() + work.GRACE):
            return None
        picture = next((made for made in media.derivatives_of(tx, item.id) if made.variant == VARIANT), None)
        caption = captions.current(tx, item.id)
        said = said_of(
            file_name=item.file_name,
            title=item.title,
            caption=caption.text if caption else "",
            alt_text=item.alt_text or (caption.alt_text if caption else ""),
            tags=item.tags,
        )
    return _Found(said, picture)


def _embed(task: TaskInput, found: _Found, route: Route) -> None:
    """Ask for what has changed since it was asked for; raises `NotAnswered`."""
    model = route.model
    assert isinstance(model, Embedder)
    space = Space(model.name, model.dimension, model.sees)
    sources = [Source("text", found.said)]
    if model.sees and found.picture is not None:
        sources.append(Source("picture", storage.read(found.picture.object_key, found.picture.object_version)))
    with transaction(task.tenant) as tx:
        missing = search.missing(tx, task.id, sources, space)
    account = Account(task.tenant, "embedding", subject=task.id)
    for source in missing:
        of = source.of if isinstance(source.of, str) else Picture(source.of, CONTENT_TYPE)
        vector = embedding.embed(account, Embeddable(model, of), route)
        with transaction(task.tenant) as tx:
            if media.remaining(tx, task.id) is not None:  # deleted meanwhile, it has no place any more
                search.place(tx, task.id, Placed(source, space, vector.values), at=now())


def _later(task: TaskInput) -> dict[str, str]:
    at = now() + BUSY
    with transaction(task.tenant) as tx:
        if not work.step_aside(tx, "embedding", task.id, run=task.run, wake_at=at + work.GRACE):
            return _told(SUPERSEDED["outcome"])
    return _told("later", at)


def _ended(task: TaskInput, outcome: str) -> dict[str, str]:
    with transaction(task.tenant) as tx:
        finished = work.finish(tx, "embedding", task.id, run=task.run)
    return _told(outcome if finished else SUPERSEDED["outcome"])


def _told(outcome: str, at: datetime | None = None) -> dict[str, str]:
    return {"outcome": outcome, "at": (at or now()).strftime("%Y-%m-%dT%H:%M:%SZ")}
