"""TikTok: asking it to fetch is the one mutation, everything else it tells afterwards; nothing twice, nothing lost."""

from typing import Any

import pytest

from socialflow.publishing.networks.port import Identity, Refused
from tests.integration.publishing.tiktok.conftest import Stage
from tests.wire import Fault

INIT = ("POST", "/v2/post/publish/content/init/")
STATUS = ("POST", "/v2/post/publish/status/fetch/")
LIST = ("POST", "/v2/video/list/")


def settled(stage: Stage, post: dict[str, Any], run: int, times: int = 1) -> dict[str, Any]:
    """Ask so often what became of it; return the target."""
    for _ in range(times):
        stage.desk.confirm(post["id"], run)
    return stage.desk.target(post["id"])


def test_photos_are_fetched_and_waited_for(stage: Stage) -> None:
    stage.server.works = 2
    media = [{"id": stage.desk.media()} for _ in range(3)]
    post, run = stage.ready("Dancing & <b>", media=media)
    assert stage.desk.publish(post["id"], run)["outcome"] == "unconfirmed"
    assert settled(stage, post, run)["state"] == "attempting"
    target = settled(stage, post, run, 2)
    (there,) = stage.creator.posts
    assert (target["state"], target["receipt"]["remote_id"]) == ("published", there["id"])
    assert (there["said"], there["level"], there["kind"]) == ("Dancing & <b>", "PUBLIC_TO_EVERYONE", "content")
    assert len(there["links"]) == 3
    assert all("/large.jpg?" in link for link in there["links"])


def test_a_private_post_is_known_by_its_publish_id(stage: Stage) -> None:
    options = {"tiktok": {"options": {"privacy_level": "SELF_ONLY"}}}
    post, run = stage.ready(variants=options)
    stage.desk.publish(post["id"], run)
    target = settled(stage, post, run)
    (there,) = stage.creator.posts
    assert (target["state"], target["receipt"]["remote_id"]) == ("published", there["publish_id"])


def test_a_video_is_fetched_too(stage: Stage) -> None:
    post, run = stage.ready("Moving", media=[{"id": stage.video(seconds=5.0)}])
    stage.desk.publish(post["id"], run)
    assert settled(stage, post, run)["state"] == "published"
    (there,) = stage.creator.posts
    assert (there["kind"], there["said"]) == ("video", "Moving")
    assert "/original.mp4?" in there["links"][0]


@pytest.mark.parametrize("fault", ["answer lost", "garbage", "bad gateway"])
def test_what_arrived_without_an_answer_is_found_by_its_text(stage: Stage, fault: Fault) -> None:
    post, run = stage.ready(f"Arrived, {fault}")
    stage.server.wire.fail(*INIT, fault)
    assert stage.desk.publish(post["id"], run)["outcome"] == "unconfirmed"
    assert settled(stage, post, run)["state"] == "published"
    assert len(stage.creator.posts) == 1
    assert stage.server.wire.asked(*INIT) == 1


def test_an_answer_that_is_held_back_is_found_too(stage: Stage) -> None:
    post, run = stage.ready("Held")
    stage.server.wire.fail(*INIT, "answer held")
    assert stage.desk.publish(post["id"], run, seconds=7.0)["outcome"] == "unconfirmed"
    stage.server.wire.release.set()
    assert settled(stage, post, run)["state"] == "published"
    assert stage.creator.said() == ["Held"]


@pytest.mark.parametrize("fault", ["question lost", "down", "redirect", 500, 502, 504, 408, 200])
def test_what_never_arrived_is_a_persons_to_decide(stage: Stage, fault: Fault) -> None:
    post, run = stage.ready(f"Never arrived, {fault}")
    stage.server.wire.fail(*INIT, fault)
    assert stage.desk.publish(post["id"], run)["outcome"] == "unconfirmed"
    assert settled(stage, post, run)["state"] == "unconfirmed"
    assert stage.creator.posts == []
    assert stage.server.wire.asked(*INIT) == 1


def test_where_its_posts_may_not_be_read_a_person_looks(stage: Stage) -> None:
    stage.server.lists = False
    post, run = stage.ready("Unread")
    stage.server.wire.fail(*INIT, "answer lost")
    stage.desk.publish(post["id"], run)
    assert settled(stage, post, run)["state"] == "unconfirmed"
    assert len(stage.creator.posts) == 1


def test_what_arrived_without_words_and_without_an_answer_is_a_persons_to_decide(stage: Stage) -> None:
    """Nothing tells it from another post of pictures alone."""
    post, run = stage.ready("")
    stage.server.wire.fail(*INIT, "answer lost")
    stage.desk.publish(post["id"], run)
    assert settled(stage, post, run)["state"] == "unconfirmed"


@pytest.mark.parametrize("fault", ["down", "limited", "garbage", "answer lost", "question lost", 401, 404])
def test_a_state_that_cannot_be_read_is_asked_for_again(stage: Stage, fault: Fault) -> None:
    post, run = stage.ready(f"Unread, {fault}")
    stage.desk.publish(post["id"], run)
    stage.server.wire.fail(*STATUS, fault)
    assert settled(stage, post, run)["state"] == "attempting"
    assert settled(stage, post, run)["state"] == "published"
    assert len(stage.creator.posts) == 1


def test_who_dies_before_the_call_leaves_it_to_a_person(stage: Stage) -> None:
    post, run = stage.ready("Died before")
    stage.desk.claim_and_die(post["id"], run)
    assert settled(stage, post, run)["state"] == "unconfirmed"
    assert stage.creator.posts == []


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("picture_size_check_failed", "content-refused"),
        ("photo_pull_failed", "network-refused"),
        ("internal", "network-refused"),
        ("auth_removed", "invalid-credentials"),
        ("spam_risk_too_many_posts", "quota-used-up"),
        ("spam_risk_user_banned_from_posting", "account-unavailable"),
        ("something_new", "content-refused"),
    ],
)
def test_what_fails_afterwards_is_told_in_words(stage: Stage, reason: str, code: str) -> None:
    post, run = stage.ready()
    stage.desk.publish(post["id"], run)
    stage.server.fails = reason
    target = settled(stage, post, run)
    assert (target["state"], target["problem"]["code"]) == ("failed", code)
    assert reason in target["problem"]["detail"]
    assert target["problem"]["detail"].endswith(".")


@pytest.mark.parametrize(
    ("status", "code", "state", "told"),
    [
        (401, "access_token_invalid", "failed", "invalid-credentials"),
        (200, "access_token_invalid", "failed", "invalid-credentials"),
        (403, "spam_risk_too_many_posts", "failed", "quota-used-up"),
        (200, "unaudited_client_can_only_post_to_private_accounts", "failed", "permission-missing"),
        (403, "url_ownership_unverified", "failed", "permission-missing"),
        (400, "invalid_params", "failed", "content-refused"),
        (429, "rate_limit_exceeded", "prepared", "network-unavailable"),
        (200, "rate_limit_exceeded", "prepared", "network-unavailable"),
        (500, "internal_error", "attempting", "outcome-unknown"),
        (200, "internal_error", "attempting", "outcome-unknown"),
        (200, "something_new", "attempting", "outcome-unknown"),
    ],
)
def test_what_each_code_means(stage: Stage, status: int, code: str, state: str, told: str) -> None:
    post, run = stage.ready()
    stage.server.refuses = (status, code)
    stage.desk.publish(post["id"], run)
    target = stage.desk.target(post["id"])
    assert (target["state"], target["problem"]["code"]) == (state, told)
    assert stage.creator.posts == []


def test_a_level_that_the_account_may_not_use_is_told_before(stage: Stage) -> None:
    stage.creator.levels = ("SELF_ONLY",)
    post, run = stage.post()
    assert stage.desk.prepare(post["id"], run)["outcome"] == "done"
    problem = stage.desk.target(post["id"])["problem"]
    assert problem["code"] == "content-refused"
    assert "Choose privacy_level: SELF_ONLY." in problem["detail"]


def test_a_video_that_is_too_long_for_the_account_is_told_before(stage: Stage) -> None:
    post, run = stage.post(media=[{"id": stage.video(seconds=301.0)}])
    stage.desk.prepare(post["id"], run)
    assert "300 seconds" in stage.desk.target(post["id"])["problem"]["detail"]


def test_an_unknown_level_is_refused_when_the_post_is_made(stage: Stage) -> None:
    media = [{"id": stage.desk.media()}]
    variants = {"tiktok": {"options": {"privacy_level": "EVERYBODY"}}}
    reply = stage.desk.try_post("x", accounts=[stage.account()], media=media, variants=variants)
    assert [error["code"] for error in reply.json["errors"]] == ["unusable-option"]


def test_a_token_of_yesterday_is_exchanged_and_one_that_is_over_says_so(stage: Stage) -> None:
    post, run = stage.post(media=[{"id": stage.desk.media()}])
    stage.desk.prepare(post["id"], run)
    for over in (False, True):
        account = stage.account(expires_in=-1)
        if over:
            stage.creator.refresh = "another"
        post = stage.desk.post("Renewed", accounts=[account], media=[{"id": stage.desk.media()}])
        run = stage.desk.start(post["id"])
        stage.desk.open(post["id"], run)
        outcome = stage.desk.prepare(post["id"], run)["outcome"]
        assert outcome == ("done" if over else "prepared")
    assert stage.desk.target(post["id"])["problem"]["code"] == "invalid-credentials"
    assert stage.creator.token.endswith("n")


def test_it_says_whose_token_it_is_and_deletes_nothing(stage: Stage) -> None:
    assert stage.acting().identify(seconds=5) == Identity(stage.creator.open_id, "Acme", {})
    answer = stage.acting().delete("1", seconds=5)
    assert isinstance(answer, Refused)
    assert "in the app" in answer.detail
