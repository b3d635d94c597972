"""What may go wrong with one post, on any network, and what must hold afterwards: nothing twice, nothing lost.

A network's own test module inherits from `Faults` and brings the fixture `place`.
"""

import threading
from typing import Any

import pytest

from functions.task_confirm_target.handler import handler as task_confirm_target
from socialflow.platform import database
from socialflow.publishing import ledger
from tests.integration.publishing.places import Place
from tests.wire import LIMITED, Fault

ARRIVED: tuple[Fault, ...] = ("answer lost", "garbage", "bad gateway")
NEVER_ARRIVED: tuple[Fault, ...] = ("question lost", "down", "redirect", 500, 502, 504, 408, 200)
REFUSED: tuple[tuple[int, str], ...] = (
    (400, "content-refused"),
    (401, "invalid-credentials"),
    (404, "network-refused"),
    (413, "content-refused"),
)
UNSEEN: tuple[Fault, ...] = ("down", "limited", "garbage", "answer lost", "question lost", 401, 404)


class Faults:
    """Every test is of one post for `place`."""

    refused = REFUSED

    @pytest.mark.parametrize("fault", ARRIVED)
    def test_what_arrived_is_found_and_not_sent_again(self, place: Place, fault: Fault) -> None:
        desk, post, run = _ready(place, f"Arrived, {fault}")
        place.wire.fail(*place.mutation, fault)
        assert desk.publish(post["id"], run)["outcome"] == "unconfirmed"
        assert desk.target(post["id"])["state"] == "attempting"
        assert desk.confirm(post["id"], run)["outcome"] == "done"
        assert desk.settle(post["id"], run)["outcome"] == "settled"
        _is_out_once(place, post)
        assert place.asked() == 1

    def test_an_answer_that_is_held_back_is_asked_for_later(self, place: Place) -> None:
        desk, post, run = _ready(place, "Held")
        place.wire.fail(*place.mutation, "answer held")
        assert desk.publish(post["id"], run, seconds=7.0)["outcome"] == "unconfirmed"
        place.wire.release.set()
        assert desk.confirm(post["id"], run)["outcome"] == "done"
        _is_out_once(place, post)

    @pytest.mark.parametrize("fault", NEVER_ARRIVED)
    def test_what_never_arrived_is_sent_once_more_or_a_persons_to_decide(self, place: Place, fault: Fault) -> None:
        desk, post, run = _ready(place, f"Never arrived, {fault}")
        place.wire.fail(*place.mutation, fault)
        assert desk.publish(post["id"], run)["outcome"] == "unconfirmed"
        assert place.listed() == []
        assert desk.confirm(post["id"], run)["outcome"] == "done"
        if not place.repeats:
            assert (place.listed(), desk.target(post["id"])["state"]) == ([], "unconfirmed")
            run = _post_again(place, post)
            assert desk.publish(post["id"], run)["outcome"] == "done"
        _is_out_once(place, post)

    def test_a_person_who_finds_it_there_ends_it(self, place: Place) -> None:
        desk, post, run = _ready(place, "Seen by a person")
        place.wire.fail(*place.mutation, "answer lost")
        desk.publish(post["id"], run)
        place.wire.fail(*place.evidence, "down", times=20)
        for _ in range(14):
            desk.confirm(post["id"], run)
        target = desk.target(post["id"])
        assert target["state"] == "unconfirmed"
        path = f"/v1/posts/{post['id']}/targets/{target['id']}/resolve"
        assert desk.editor.post(path, {"it_is_there": True, "remote_id": "seen"}).status == 200
        assert len(place.listed()) == 1
        assert desk.target(post["id"])["state"] == "published"
        assert place.asked() == 1

    def test_a_refusal_fails_it_in_words(self, place: Place) -> None:
        for status, code in self.refused:
            desk, post, run = _ready(place, f"Refused, {status}")
            place.wire.fail(*place.mutation, status)
            assert desk.publish(post["id"], run)["outcome"] == "done"
            target = desk.target(post["id"])
            assert (target["state"], target["problem"]["code"]) == ("failed", code), status
            assert target["problem"]["detail"].endswith(".")
        assert place.listed() == []

    def test_a_limit_is_waited_for_as_long_as_the_network_says(self, place: Place) -> None:
        desk, post, run = _ready(place, "Limited")
        place.wire.fail(*place.mutation, "limited")
        assert desk.publish(post["id"], run)["outcome"] == "wait"
        left = desk.value("SELECT extract(epoch FROM next_at - now())::float FROM t_acme.targets")
        assert LIMITED - 5 < left < LIMITED + 30
        desk.let_pause_pass(post["id"])
        assert desk.publish(post["id"], run)["outcome"] == "done"
        _is_out_once(place, post)

    def test_a_limit_that_names_no_time_is_waited_for_a_little(self, place: Place) -> None:
        desk, post, run = _ready(place, "Limited without a word")
        place.wire.fail(*place.mutation, 429)
        assert desk.publish(post["id"], run)["outcome"] == "wait"
        desk.let_pause_pass(post["id"])
        assert desk.publish(post["id"], run)["outcome"] == "done"
        _is_out_once(place, post)

    @pytest.mark.parametrize("fault", UNSEEN)
    def test_evidence_that_cannot_be_read_is_no_evidence(self, place: Place, fault: Fault) -> None:
        desk, post, run = _ready(place, f"Unseen, {fault}")
        place.wire.fail(*place.mutation, "answer lost")
        desk.publish(post["id"], run)
        place.wire.fail(*place.evidence, fault)
        outcome = desk.confirm(post["id"], run)["outcome"]
        if outcome == "unconfirmed":
            outcome = desk.confirm(post["id"], run)["outcome"]
        assert outcome == "done"
        assert len(place.listed()) == 1
        assert desk.target(post["id"])["state"] in ("published", "unconfirmed")
        assert place.asked() == 1 or place.repeats

    def test_who_dies_before_the_call_leaves_it_to_evidence(self, place: Place) -> None:
        desk, post, run = _ready(place, "Died before")
        desk.claim_and_die(post["id"], run)
        assert desk.publish(post["id"], run)["outcome"] == "unconfirmed"
        assert desk.confirm(post["id"], run)["outcome"] == "done"
        if not place.repeats:
            assert (place.listed(), desk.target(post["id"])["state"]) == ([], "unconfirmed")
            desk.publish(post["id"], _post_again(place, post))
        _is_out_once(place, post)

    def test_who_dies_after_the_call_leaves_it_to_evidence(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        desk, post, run = _ready(place, "Died after")
        with monkeypatch.context() as patch:
            patch.setattr(ledger, "report_attempt", _dies)
            with pytest.raises(_DeadError):
                desk.publish(post["id"], run)
        assert len(place.listed()) == 1
        assert desk.confirm(post["id"], run)["outcome"] == "done"
        _is_out_once(place, post)
        assert place.asked() == 1

    def test_a_newer_run_finds_what_an_older_has_sent(self, place: Place) -> None:
        desk, post, run = _ready(place, "Two runs")
        place.wire.fail(*place.mutation, "answer lost")
        desk.publish(post["id"], run)
        newer = desk.start(post["id"])
        assert desk.open(post["id"], newer)["outcome"] == "publish"
        assert desk.publish(post["id"], run)["outcome"] == "superseded"
        assert desk.publish(post["id"], newer)["outcome"] == "unconfirmed"
        assert desk.confirm(post["id"], newer)["outcome"] == "done"
        _is_out_once(place, post)
        assert place.asked() == 1

    def test_only_one_of_many_who_look_acts(self, place: Place) -> None:
        desk, post, run = _ready(place, "Many look")
        place.wire.fail(*place.mutation, "answer lost")
        desk.publish(post["id"], run)
        desk.let_lease_pass(post["id"])
        given = desk.given(post["id"], run, target_id=desk.target(post["id"])["id"])
        outcomes: list[str] = []
        threads = [threading.Thread(target=_look, args=(given, outcomes)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(outcomes) == 4
        _is_out_once(place, post)
        assert place.asked() == 1

    def test_an_account_of_the_same_text_by_another_hand_is_not_taken_for_it_twice(self, place: Place) -> None:
        first, second = (_ready(place, f"Twins {number}") for number in (1, 2))
        for desk, post, run in (first, second):
            place.wire.fail(*place.mutation, "answer lost")
            desk.publish(post["id"], run)
        for desk, post, run in (second, first):
            desk.confirm(post["id"], run)
        desk = first[0]
        ids = [desk.target(post["id"])["receipt"]["remote_id"] for _, post, _ in (first, second)]
        assert len(set(ids)) == 2
        assert len(place.listed()) == 2

    def test_pictures_without_words_are_told_apart(self, place: Place) -> None:
        """The first never arrived, the second did: what is there is the second's."""
        desk = place.desk
        posts = [place.post("", media=[{"id": desk.media()}]) for _ in range(2)]
        runs = [desk.ready(post["id"]) for post in posts]
        place.wire.fail(*place.mutation, "question lost")
        place.wire.fail(*place.mutation, "answer lost")
        for post, run in zip(posts, runs, strict=True):
            desk.publish(post["id"], run)
        for post, run in zip(posts, runs, strict=True):
            desk.confirm(post["id"], run)
        first, second = (desk.target(post["id"]) for post in posts)
        assert second["state"] == "published", second
        assert first["state"] == ("published" if place.repeats else "unconfirmed"), first
        assert len(place.listed()) == (2 if place.repeats else 1)


class _DeadError(RuntimeError):
    """The process that has sent it is gone."""


def _dies(*_args: object, **_more: object) -> None:
    raise _DeadError


def _look(given: dict[str, Any], outcomes: list[str]) -> None:
    try:
        outcomes.append(task_confirm_target(given, None)["outcome"])
    finally:
        database.forget()


def _ready(place: Place, text: str) -> tuple[Any, dict[str, Any], int]:
    post = place.post(text)
    return place.desk, post, place.desk.ready(post["id"])


def _post_again(place: Place, post: dict[str, Any]) -> int:
    desk = place.desk
    target = desk.target(post["id"])["id"]
    assert desk.editor.post(f"/v1/posts/{post['id']}/targets/{target}/resolve", {"post_again": True}).status == 200
    return desk.ready(post["id"])


def _is_out_once(place: Place, post: dict[str, Any]) -> None:
    target = place.desk.target(post["id"])
    assert target["state"] == "published", target
    assert target["receipt"]["remote_id"]
    assert place.listed() == [post["text"]]
