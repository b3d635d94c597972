"""Everybody at once: no deadlock, one verdict, and a wait that never misses it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import TypeVar
from uuid import UUID

from socialflow.captions import service as captions
from socialflow.captions.model import Author, Edit
from socialflow.media import service as media
from socialflow.media import uploads
from socialflow.platform import database
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.review import service as review
from socialflow.review.model import Decider, Decision, ReviewAlreadySettled, Seen, Verdict
from tests.integration.media.conftest import Studio
from tests.pictures import photo

T = TypeVar("T")
ROUNDS = 6


def together(*calls: Callable[[], T]) -> list[T]:
    """Make all calls at one moment, each on a connection of its own."""
    barrier = Barrier(len(calls))

    def call(one: Callable[[], T]) -> T:
        barrier.wait()
        try:
            return one()
        finally:
            database.forget()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(call, calls))


def decide(studio: Studio, media_id: str, verdict: Verdict, edit: str = "") -> str:
    """Decide as the API does: its application serves one request at a time, so each thread goes around it."""
    item, at = UUID(media_id), now()
    try:
        with transaction(studio.tenant) as tx:
            media.held(tx, item)
            caption = captions.current(tx, item)
            begun = review.begin(tx, item, seen=Seen(), caption_version=caption.version if caption else None, at=at)
            if edit:
                caption = captions.edit(tx, item, Edit(text=edit), author=Author("person", user=item), at=at)
            decision = Decision(verdict, caption.id if caption else None)
            return review.decide(tx, begun, decision, by=Decider(item, "Somebody"), at=at).state
    except ReviewAlreadySettled as refused:
        return refused.code


def test_of_many_who_decide_at_once_one_does(studio: Studio) -> None:
    verdicts: tuple[Verdict, ...] = ("approved", "rejected", "approved", "rejected")
    for _ in range(ROUNDS):
        media_id, run = studio.in_review()
        ended = together(*(partial(decide, studio, media_id, verdict, "Mine") for verdict in verdicts))
        assert sorted(ended)[1:] == ["review-already-settled"] * 3
        assert studio.settle(media_id, run) == min(ended)
        assert studio.facts(media_id).count("review.decided") == 1
        assert studio.value("SELECT count(*) FROM t_acme.captions WHERE media_id = %s", media_id) == 1


def test_a_wait_that_begins_while_somebody_decides_is_answered_or_parked_for_the_fact(studio: Studio) -> None:
    for round_ in range(ROUNDS):
        media_id, _ = studio.in_review()
        run, token = studio.start(media_id), f"token-of-round-{round_}"
        waited, decided = together(
            partial(studio.wait, media_id, run, token), partial(decide, studio, media_id, "approved")
        )
        assert decided == "approved"
        parked = studio.value("SELECT token FROM cell.work WHERE id = %s AND token_run = run", media_id)
        assert parked == token
        assert (waited == "decided") == (token in [given for given, _ in studio.answers.given])


def arrive(studio: Studio, media_id: str) -> bool:
    """Confirm as the API does."""
    with transaction(studio.tenant) as tx:
        return uploads.arrive(tx, UUID(media_id), at=now()) is not None


def test_a_confirmation_and_the_event_at_once_count_once(studio: Studio) -> None:
    for _ in range(ROUNDS):
        data = photo()
        media_id = str(studio.announce(data)["id"])
        studio.put(media_id, data)
        key = studio.key(media_id)
        replies = together(partial(studio.event, key), partial(arrive, studio, media_id), partial(studio.event, key))
        assert replies == [True, True, True]
        assert studio.facts(media_id) == ["media.uploaded"]
