"""Write Caption: the wish for a caption is fulfilled, or closed with the reason that people are shown.

A state of two workflows: Ingest Media, whose subject is the media item, and Write Caption, whose subject is the wish.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from socialflow.ai import asking, gateway, starting
from socialflow.ai.model import LONGEST_WAIT, captions_key
from socialflow.captions import prompt
from socialflow.captions import service as captions
from socialflow.captions.model import CaptionRequest, Draft, Skipped
from socialflow.captions.style import Style
from socialflow.media import gateway as storage
from socialflow.media import service as media
from socialflow.media.model import Derivative, MediaItem
from socialflow.platform import pace, work
from socialflow.platform.clock import now
from socialflow.platform.database import Transaction, transaction
from socialflow.platform.settings import (
    CaptionPaceSettings,
    CaptionSettings,
    DatabaseSettings,
    DoorbellSettings,
    EgressSettings,
    KeySettings,
    ModelSettings,
    StorageSettings,
)
from socialflow.platform.tasks import SUPERSEDED, TaskInput, task_entry
from socialflow.review import service as review
from socialflow.search import service as search

NEEDS = (
    DatabaseSettings,
    StorageSettings,
    DoorbellSettings,
    CaptionSettings,
    CaptionPaceSettings,
    ModelSettings,
    KeySettings,
    EgressSettings,
)
VARIANT = "small"

starting.at_start()


@dataclass(frozen=True)
class _Found:
    item: MediaItem
    request: CaptionRequest | None
    picture: Derivative | None = None
    examples: tuple[str, ...] = ()


@task_entry(*NEEDS)
def handler(task: TaskInput, _context: Any) -> dict[str, str]:
    """Take a task's input; return an outcome: captioned, skipped, later (with the moment) or superseded."""
    with transaction(task.tenant) as tx:
        found = _found(tx, task)
        if found is None:
            return _told(SUPERSEDED["outcome"])
        request = found.request
        if request is None or request.state != "open":
            _end(tx, task)
            return _told("captioned" if request and request.state == "written" else "skipped")
    if found.picture is None:  # deleted meanwhile, or a kind of file that has none
        return _close(task, request, prompt.skipped("no-picture"))
    turn_at = request.turn_at or _booked(task, request)
    if turn_at is None:
        return _close(task, request, prompt.skipped("rate-limited"))
    return _postponed(task, turn_at) if turn_at > now() else _close(task, request, _came(task, found, request))


def _found(tx: Transaction, task: TaskInput) -> _Found | None:
    """Return what is to be captioned, the media item locked and then the work; None to an older run."""
    if task.kind == "ingest":
        item = media.alive(tx, task.id, run=task.run, at=now())
        request = captions.latest_request(tx, task.id)
    else:
        request = captions.find_request(tx, task.id)
        item = media.remaining(tx, request.media_id) if request else None
        if not work.postpone(tx, task.kind, task.id, run=task.run, wake_at=now() + work.GRACE):
            item = None
    if item is None:
        return None
    picture = next((made for made in media.derivatives_of(tx, item.id) if made.variant == VARIANT), None)
    return _Found(item, request, picture, tuple(captions.examples(tx, item.id)))


def _booked(task: TaskInput, request: CaptionRequest) -> datetime | None:
    """Book the wish's turn and keep it: who waits for it does not ask again. None where it would be too late."""
    most = CaptionPaceSettings.from_env().captions_per_minute
    seconds = pace.book(captions_key(task.tenant.slug), most, longest=LONGEST_WAIT, cell=task.tenant.cell)
    if seconds is None:
        return None
    turn_at = now() + timedelta(seconds=seconds)
    with transaction(task.tenant) as tx:
        captions.take_turn(tx, request.id, turn_at)
    return turn_at


def _postponed(task: TaskInput, turn_at: datetime) -> dict[str, str]:
    with transaction(task.tenant) as tx:
        if not work.step_aside(tx, task.kind, task.id, run=task.run, wake_at=turn_at + work.GRACE):
            return _told(SUPERSEDED["outcome"])
    return _told("later", turn_at)


def _came(task: TaskInput, found: _Found, request: CaptionRequest) -> asking.Answered[list[Draft]] | Skipped:
    try:
        return _asked(task, found, request)
    except Skipped as why:
        return why


def _asked(task: TaskInput, found: _Found, request: CaptionRequest) -> asking.Answered[list[Draft]]:
    """Ask a model on the tenant's account; raises `Skipped`."""
    assert found.picture is not None
    subject = prompt.Subject(
        storage.read(found.picture.object_key, found.picture.object_version),
        found.picture.content_type,
        request.prompt,
        found.item.captured_at,
        Style.of(request.style),
        prompt.House.of(task.tenant.settings, found.examples),
    )
    account = asking.Account(task.tenant, "caption", subject=request.media_id, member=request.requested_by)
    question = gateway.Question(prompt.messages(subject), subject.form, subject.max_tokens)
    try:
        return asking.ask(account, question, partial(prompt.read, subject=subject))
    except asking.NotAnswered as why:
        raise prompt.skipped(why.reason) from None


def _close(task: TaskInput, request: CaptionRequest, came: asking.Answered[list[Draft]] | Skipped) -> dict[str, str]:
    """Close the wish, once; a decision that was made meanwhile keeps the caption that it was about."""
    with transaction(task.tenant) as tx:
        found = _found(tx, task)
        if found is None:
            return _told(SUPERSEDED["outcome"])
        if found.request is not None and found.request.state == "open":
            under_review = not request.style.get("network")
            if under_review and not isinstance(came, Skipped) and not review.recaptioned(tx, found.item.id, at=now()):
                came = prompt.skipped("review-decided")
            if isinstance(came, Skipped):
                captions.skip(tx, request, came, at=now())
            else:
                captions.fulfil(tx, request, came.value, model=came.model, at=now())
            if under_review:
                search.look_again(tx, found.item.id, at=now())
        _end(tx, task)
    return _told("skipped" if isinstance(came, Skipped) else "captioned")


def _end(tx: Transaction, task: TaskInput) -> None:
    """Put the wish's own workflow to rest; the media item's goes on."""
    if task.kind == "caption":
        work.finish(tx, task.kind, task.id, run=task.run)


def _told(outcome: str, at: datetime | None = None) -> dict[str, str]:
    # The engine knows whole seconds; rounded up, so that nobody comes before their turn.
    up = (at or now()) + timedelta(microseconds=999_999)
    return {"outcome": outcome, "at": up.strftime("%Y-%m-%dT%H:%M:%SZ")}
