"""A server that a tenant names may answer anything: nothing of it stops a post for ever, or a page from being read."""

import pytest

from tests.integration.publishing.conftest import Desk

STATUSES = "/api/v1/statuses"
WORDS = ("No\x00", "\x1b[31mno\u202e")


@pytest.mark.parametrize("words", WORDS)
def test_a_refusal_in_signs_that_cannot_be_kept_is_a_refusal(desk: Desk, words: str) -> None:
    post = desk.post(accounts=[desk.account()])
    run = desk.ready(post["id"])
    desk.mastodon.fault("POST", STATUSES, type="status", status=422, body={"error": words})
    assert desk.publish(post["id"], run)["outcome"] == "done"
    problem = desk.target(post["id"])["problem"]
    assert problem["code"] == "content-refused"
    assert "no" in problem["detail"].lower()


@pytest.mark.parametrize(
    "moment", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00", "2999-01-01T00:00:00Z", "yesterday", 7, None]
)
def test_a_moment_that_no_calendar_has_is_none(desk: Desk, moment: object) -> None:
    post = desk.post(accounts=[desk.account()])
    run = desk.ready(post["id"])
    body = {"id": "4711", "url": "https://example.social/4711", "created_at": moment}
    desk.mastodon.fault("POST", STATUSES, type="status", status=200, body=body)
    assert desk.publish(post["id"], run)["outcome"] == "done"
    target = desk.target(post["id"])
    assert (target["state"], target["receipt"]["remote_id"]) == ("published", "4711")
    assert not target["receipt"]["published_at"].startswith(("0", "1", "29", "9"))
    assert desk.editor.get("/v1/posts").status == 200


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "data:text/html,x", "https://a\x00b", 7, "https://" + "a" * 5000]
)
def test_an_address_that_no_page_may_link_to_is_none(desk: Desk, address: object) -> None:
    post = desk.post(accounts=[desk.account()])
    run = desk.ready(post["id"])
    body = {"id": "4711", "url": address, "uri": address}
    desk.mastodon.fault("POST", STATUSES, type="status", status=200, body=body)
    assert desk.publish(post["id"], run)["outcome"] == "done"
    receipt = desk.target(post["id"])["receipt"]
    assert (receipt["remote_id"], receipt["url"]) in (("4711", None), ("4711", "https://a?b"))


@pytest.mark.parametrize("number", ["1", "\x00", "1/../2", "9" * 100_000, {}])
@pytest.mark.parametrize("name", ["acme\x00", "a" * 100_000])
def test_a_name_that_cannot_be_kept_is_no_error_of_ours(desk: Desk, name: str, number: object) -> None:
    own = {"id": number, "acct": name, "username": name}
    desk.mastodon.fault("GET", "/api/v1/accounts/verify_credentials", type="status", status=200, body=own)
    body = {"network": "mastodon", "base_url": desk.mastodon.url, "access_token": "any"}
    assert desk.admin.post("/v1/accounts", body).status == (201 if number == "1" else 422)
    assert all(len(one["remote_name"]) < 300 for one in desk.editor.get("/v1/accounts").json["items"])
