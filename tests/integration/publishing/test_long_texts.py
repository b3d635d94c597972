"""A post may be as long as the network with the most room takes; each network says what is too long for it."""

from functions.api_posts.schemas import MOST_TEXT
from socialflow.limits import NETWORKS, texts
from tests.integration.publishing.conftest import Desk

ROOM = 6_000_000
"""Bytes of an answer of Lambda's."""


def test_the_longest_text_is_what_the_widest_network_takes() -> None:
    assert max(texts(network).max_characters for network in NETWORKS) == MOST_TEXT


def test_each_network_says_what_is_too_long_for_it(desk: Desk) -> None:
    reply = desk.editor.post("/v1/posts/validate", {"text": "x" * MOST_TEXT, "networks": list(NETWORKS)})
    assert reply.status == 200
    fits = {
        one["network"]: not [found for found in one["findings"] if found["code"] == "too-long"]
        for one in reply.json["networks"]
    }
    assert fits == {network: network == "facebook" for network in NETWORKS}
    over = desk.editor.post("/v1/posts/validate", {"text": "x" * (MOST_TEXT + 1)})
    assert (over.status, over.json["errors"][0]["pointer"]) == (422, "/text")


def test_a_long_draft_is_kept_and_may_not_go_where_it_does_not_fit(desk: Desk) -> None:
    account = desk.account()
    text = "\u4e2d" * MOST_TEXT
    draft = desk.post(text, accounts=[account], at=None)
    assert desk.read(draft["id"])["text"] == text
    reply = desk.try_post(text, accounts=[account])
    assert (reply.status, reply.json["errors"][0]["code"]) == (422, "too-long")


def test_a_list_of_long_posts_comes_in_pages_that_an_answer_has_room_for(desk: Desk) -> None:
    """Half a page of the longest texts would be more than an answer may have: it is told by the cursor."""
    text = "\u4e2d" * MOST_TEXT
    made = {desk.post(text, accounts=[], at=None)["id"] for _ in range(20)}
    found: list[str] = []
    path: str | None = "/v1/posts?limit=200"
    while path is not None:
        page = desk.editor.get(path)
        assert page.status == 200
        assert len(page.text.encode()) * 3 < ROOM
        assert page.json["items"]
        found += [one["id"] for one in page.json["items"]]
        cursor = page.json["next_cursor"]
        path = f"/v1/posts?limit=200&cursor={cursor}" if cursor else None
    assert (len(found), set(found)) == (20, made)


def test_a_calendar_of_long_posts_comes_in_pages_too(desk: Desk) -> None:
    account = desk.account()
    made = {desk.post(f"{number}", accounts=[account], at=desk.in_minutes(number + 5))["id"] for number in range(20)}
    desk.owner.execute("UPDATE t_acme.posts SET text = repeat('\u4e2d', %s)", (MOST_TEXT,))
    first, last = desk.in_minutes(0)[:10], desk.in_minutes(1440)[:10]
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = desk.editor.get(
            f"/v1/calendar?from={first}&to={last}&limit=200" + (f"&cursor={cursor}" if cursor else "")
        )
        assert page.status == 200
        assert len(page.text.encode()) * 3 < ROOM
        found += [one["post"]["id"] for one in page.json["items"]]
        cursor = page.json["next_cursor"]
    assert (len(found), set(found)) == (20, made)
