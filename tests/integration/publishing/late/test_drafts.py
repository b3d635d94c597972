"""What was prepared at Late for a post that was cancelled lies there for nothing, and is deleted within the hour."""

import pytest

from functions.cron_check_accounts.handler import handler as check_accounts
from tests.integration.publishing.late.conftest import Desked

POSTS = "/api/v1/posts/"


def cancelled(ldesk: Desked, text: str = "Not any more") -> str:
    """Cancel a post that is prepared; return its id."""
    post = str(ldesk.desk.post(text, accounts=[ldesk.account()])["id"])
    ldesk.desk.ready(post)
    assert ldesk.desk.editor.post(f"/v1/posts/{post}/cancel").status == 200
    return post


def an_hour(ldesk: Desked) -> None:
    assert check_accounts({}, None)["failed"] == []


def deletions(ldesk: Desked) -> int:
    return sum(1 for one in ldesk.server.wire.seen if one[0] == "DELETE")


def test_a_draft_of_a_cancelled_post_is_deleted_once(ldesk: Desked) -> None:
    cancelled(ldesk)
    kept = ldesk.desk.post("Still to come", accounts=[ldesk.account()])
    ldesk.desk.ready(kept["id"])
    assert len(ldesk.server.posts) == 2
    an_hour(ldesk)
    an_hour(ldesk)
    assert [one["content"] for one in ldesk.server.posts.values()] == ["Still to come"]
    assert deletions(ldesk) == 1
    assert ldesk.said() == []


@pytest.mark.parametrize("ends", ["published", "publishing", "unknown"])
def test_what_late_was_told_to_publish_by_another_hand_is_not_touched(ldesk: Desked, ends: str) -> None:
    cancelled(ldesk)
    ldesk.server.finish(next(iter(ldesk.server.posts)), ends)
    an_hour(ldesk)
    assert len(ldesk.server.posts) == 1
    assert deletions(ldesk) == 0


def test_a_draft_that_is_anothers_under_that_id_is_not_touched(ldesk: Desked) -> None:
    cancelled(ldesk)
    next(iter(ldesk.server.posts.values()))["metadata"] = {"socialflow": "another"}
    an_hour(ldesk)
    assert (len(ldesk.server.posts), deletions(ldesk)) == (1, 0)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_where_late_does_not_answer_the_next_hour_deletes_it(ldesk: Desked, method: str) -> None:
    cancelled(ldesk)
    ldesk.server.wire.fail(method, POSTS, "down")
    an_hour(ldesk)
    assert len(ldesk.server.posts) == 1
    an_hour(ldesk)
    assert ldesk.server.posts == {}


def test_a_deletion_whose_answer_is_lost_is_done(ldesk: Desked) -> None:
    cancelled(ldesk)
    ldesk.server.wire.fail("DELETE", POSTS, "answer lost")
    an_hour(ldesk)
    an_hour(ldesk)
    assert ldesk.server.posts == {}
    assert ldesk.desk.value("SELECT count(*) FROM t_acme.targets WHERE prepared IS NOT NULL") == 0


def test_what_is_cancelled_while_it_is_prepared_is_deleted_too(ldesk: Desked) -> None:
    post = str(ldesk.desk.post("Just now", accounts=[ldesk.account()])["id"])
    run = ldesk.desk.start(post)
    ldesk.desk.open(post, run)
    cancel = f"/v1/posts/{post}/cancel"
    ldesk.desk.meanwhile_at(ldesk.server.wire, "POST", POSTS.rstrip("/"), lambda: ldesk.desk.editor.post(cancel))
    assert ldesk.desk.prepare(post, run)["outcome"] == "left"
    assert len(ldesk.server.posts) == 1
    an_hour(ldesk)
    assert ldesk.server.posts == {}


def test_without_a_key_of_late_nothing_is_asked(ldesk: Desked) -> None:
    cancelled(ldesk)
    assert ldesk.desk.admin.request("DELETE", "/v1/networks/late").status == 204
    seen = len(ldesk.server.wire.seen)
    an_hour(ldesk)
    assert len(ldesk.server.wire.seen) == seen
