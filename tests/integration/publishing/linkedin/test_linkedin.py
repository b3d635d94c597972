"""LinkedIn under the faults of every network; and what is its own: little text, media, duplicates, hidden posts."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialflow.limits import little_text
from socialflow.publishing.networks import gateway, linkedin_api
from socialflow.publishing.networks.grants import Grant
from socialflow.publishing.networks.linkedin import LinkedIn
from socialflow.publishing.networks.port import Gone, Identity, Later, Refused
from tests.integration.publishing.faults import Faults
from tests.integration.publishing.linkedin.conftest import Office
from tests.integration.publishing.test_videos import CONTENT, hashed
from tests.peers.linkedin import _shown as shown_there


class TestLinkedIn(Faults):
    """Nothing twice, nothing lost."""


def acting(office: Office, **more: str) -> LinkedIn:
    made = gateway("linkedin", base_url=office.server.url, token=Grant(office.member.token, more=more).document())
    assert isinstance(made, LinkedIn)
    return made


@given(st.text(max_size=200))
def test_every_text_is_shown_whole(text: str) -> None:
    assert shown_there(little_text.escaped(text)) == text
    assert little_text.unescaped(little_text.escaped(text)) == text


@pytest.mark.parametrize("text", ["A (b) [c] {d} <e> #f *g* _h_ ~i~ | @j \\ k", "\\(", "Zwei\n\nZeilen 👩‍👩‍👧", "#"])
def test_what_was_written_is_what_is_shown_and_found(office: Office, text: str) -> None:
    desk = office.desk
    post = desk.post(text, accounts=[office.account()])
    run = desk.ready(post["id"])
    office.server.wire.fail("POST", "/rest/posts", "answer lost")
    desk.publish(post["id"], run)
    desk.confirm(post["id"], run)
    target = desk.target(post["id"])
    assert office.server.said(office.member) == [text]
    urn = office.member.posts[0]["id"]
    assert target["receipt"]["remote_id"] == urn
    assert target["receipt"]["url"] == f"https://www.linkedin.com/feed/update/{urn}/"


@pytest.mark.parametrize("number", [1, 3])
def test_pictures_keep_their_order_and_their_alt_text(office: Office, number: int) -> None:
    media = [{"id": office.desk.media(alt_text=f"Picture {each}")} for each in range(number)]
    office.publish("Look", media=media)
    content = office.member.posts[0]["content"]
    shown = [content["media"]] if number == 1 else content["multiImage"]["images"]
    assert [one["altText"] for one in shown] == [f"Picture {each}" for each in range(number)]
    assert all(office.server.media[one["id"]]["content"] for one in shown)


def test_a_video_goes_up_in_the_parts_that_are_asked_for(office: Office) -> None:
    office.publish("Moving", media=[{"id": hashed(office.desk, seconds=4.0)}])
    urn = office.member.posts[0]["content"]["media"]["id"]
    assert office.server.media[urn]["content"] == CONTENT
    assert len(office.server.media[urn]["parts"]) == 2


@pytest.mark.parametrize(
    "address", ["https://169.254.169.254", "http://127.0.0.1:1", "file:///etc", "https://user@example.com", "nonsense"]
)
def test_media_are_sent_nowhere_that_is_not_called(office: Office, address: str) -> None:
    desk = office.desk
    office.server.elsewhere = address
    post = desk.post("Look", accounts=[office.account()], media=[{"id": desk.media()}])
    run = desk.start(post["id"])
    desk.open(post["id"], run)
    assert desk.prepare(post["id"], run)["outcome"] == "done"
    assert desk.target(post["id"])["problem"]["code"] == "host-refused"


def test_where_a_members_posts_are_hidden_a_person_looks(office: Office) -> None:
    desk = office.desk
    office.server.shows_posts = False
    post = desk.post("Hidden", accounts=[office.account()])
    run = desk.ready(post["id"])
    office.server.wire.fail("POST", "/rest/posts", "answer lost")
    desk.publish(post["id"], run)
    assert desk.confirm(post["id"], run)["outcome"] == "done"
    assert desk.target(post["id"])["state"] == "unconfirmed"
    assert len(office.member.posts) == 1


@pytest.mark.parametrize("status", [400, 409, 422])
def test_a_duplicate_is_known_by_its_words(status: int) -> None:
    said = {"message": "Content is a duplicate of urn:li:share:7"}
    found = linkedin_api.refusal(httpx.Response(status, json=said))
    assert isinstance(found, Refused)
    assert (found.code, "urn:li:share:7" in found.detail) == ("duplicate-content", True)
    for unclear in (httpx.Response(409, json={"message": "Conflict"}), httpx.Response(500, json=said)):
        assert linkedin_api.refusal(unclear) is None


@pytest.mark.parametrize("ghosts", [False, True])
def test_the_same_text_again_is_refused_and_a_person_looks(office: Office, ghosts: bool) -> None:
    office.publish("Each day the same")
    office.member.posts[0]["createdAt"] -= 86_400_000
    office.server.ghosts = ghosts
    desk = office.desk
    post = desk.post("Each day the same", accounts=[office.account()])
    run = desk.ready(post["id"])
    assert desk.publish(post["id"], run)["outcome"] == "unconfirmed"
    desk.confirm(post["id"], run)
    target = desk.target(post["id"])
    assert (target["state"], target["problem"]["code"]) == ("unconfirmed", "duplicate-content")
    assert "change the text" in target["problem"]["detail"]
    assert len(office.member.posts) == 1


@pytest.mark.parametrize("ghosts", [False, True])
def test_a_duplicate_is_the_receipt_only_where_it_can_be_read(office: Office, ghosts: bool) -> None:
    desk = office.desk
    office.server.shows_posts = False
    post = desk.post("Was there", accounts=[office.account()])
    run = desk.ready(post["id"])
    office.server.wire.fail("POST", "/rest/posts", "answer lost")
    desk.publish(post["id"], run)
    desk.confirm(post["id"], run)
    office.server.shows_posts, office.server.ghosts = True, ghosts
    resolve = f"/v1/posts/{post['id']}/targets/{desk.target(post['id'])['id']}/resolve"
    assert desk.editor.post(resolve, {"post_again": True}).status == 200
    run = desk.ready(post["id"])
    if desk.publish(post["id"], run)["outcome"] == "unconfirmed":
        office.server.shows_posts = False
        desk.confirm(post["id"], run)
    assert desk.target(post["id"])["state"] == ("unconfirmed" if ghosts else "published")
    assert len(office.member.posts) == 1


def test_a_version_that_has_ended_is_told_to_who_runs_the_stage(office: Office) -> None:
    desk = office.desk
    post = desk.post("Late", accounts=[office.account()])
    run = desk.ready(post["id"])
    office.server.wire.fail("POST", "/rest/posts", 426)
    desk.publish(post["id"], run)
    problem = desk.target(post["id"])["problem"]
    assert problem["code"] == "network-refused"
    assert "newer SocialFlow" in problem["detail"]


def test_a_spent_token_is_renewed_before_it_is_used(office: Office) -> None:
    desk = office.desk
    post = desk.post("Renewed", accounts=[office.account(expires_in=-1)])
    desk.publish(post["id"], desk.ready(post["id"]))
    assert office.server.said(office.member) == ["Renewed"]
    assert office.member.token.endswith("n")


def test_it_says_whose_token_it_is(office: Office) -> None:
    assert acting(office).identify(seconds=5) == Identity(office.member.urn, "Acme Ltd", {})
    page = acting(office, author="urn:li:organization:5", name="Acme Pages").identify(seconds=5)
    assert page == Identity("urn:li:organization:5", "Acme Pages", {})


def test_a_post_is_deleted_as_often_as_asked(office: Office) -> None:
    urn = office.publish("Short life")["receipt"]["remote_id"]
    office.server.wire.fail("DELETE", "/rest/posts/", "answer lost")
    assert isinstance(acting(office).delete(urn, seconds=5), Later)
    assert isinstance(acting(office).delete(urn, seconds=5), Gone)
    assert office.member.posts == []
    for hostile in ("urn:li:share:1/../2", "urn:li:person:1", "", "urn:li:share:x"):
        assert isinstance(acting(office).delete(hostile, seconds=5), Refused)
