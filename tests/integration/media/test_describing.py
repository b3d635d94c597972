"""PATCH: what people say of a media item, held against the version that they have read."""

from functools import partial
from typing import Any
from uuid import UUID

import psycopg
import pytest

from socialflow.media import library
from socialflow.media.changes import Changes
from socialflow.media.library import MediaChanged
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.ids import new_id
from socialflow.platform.tenancy import Tenant
from tests.integration.audit.ledger import lines
from tests.integration.conftest import Member
from tests.integration.media.shelf import Shelf
from tests.integration.media.test_together import together


def test_what_is_written_is_read_and_what_is_left_out_stays(shelf: Shelf, member: Member) -> None:
    media_id, editor = shelf.item(tags=["sea"]), member("editor")
    path = f"/v1/media/{media_id}"
    body = {"title": " Dusk ", "alt_text": "A harbour\nat dusk", "focal_point": {"x": 0.25, "y": 1}}
    changed = editor.patch(path, body, if_match=editor.get(path).headers["etag"])
    assert (changed.status, changed.headers["etag"]) == (200, '"2"')
    shown = editor.get(path).json
    assert shown == changed.json
    assert (shown["title"], shown["alt_text"], shown["tags"]) == ("Dusk", "A harbour\nat dusk", ["sea"])
    assert (shown["focal_point"], shown["version"]) == ({"x": 0.25, "y": 1.0}, 2)
    emptied = editor.patch(path, {"title": "", "tags": [], "focal_point": None}, if_match='"2"').json
    assert (emptied["title"], emptied["tags"], emptied["focal_point"]) == ("", [], None)
    assert emptied["alt_text"] == "A harbour\nat dusk"


def test_the_same_again_is_no_change(shelf: Shelf, member: Member) -> None:
    media_id = shelf.item(title="Dusk", tags=["sea"], focal_x=0.3, focal_y=0.7)
    body = {"title": "Dusk", "tags": ["#SEA"], "focal_point": {"x": 0.3, "y": 0.7}}
    assert member("editor").patch(f"/v1/media/{media_id}", body, if_match="*").headers["etag"] == '"1"'


def test_a_change_is_of_the_version_that_was_read(shelf: Shelf, member: Member) -> None:
    path, editor = f"/v1/media/{shelf.item()}", member("editor")
    missing = editor.patch(path, {"title": "Dusk"})
    assert (missing.status, missing.code) == (428, "precondition-required")
    assert editor.patch(path, {"title": "Dusk"}, if_match='"1"').status == 200
    for tag in ('"1"', '"nonsense"', "1", '"99999999999"'):
        stale = editor.patch(path, {"title": "Dawn"}, if_match=tag)
        assert (stale.status, stale.code, stale.json["current_version"]) == (412, "media-changed", 2)
        assert stale.headers["etag"] == '"2"'
    assert editor.get(path).json["title"] == "Dusk"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "nothing-to-change"),
        ({"title": None}, "nothing-to-change"),
        ({"file_name": "other.jpg"}, "invalid"),
        ({"state": "approved"}, "invalid"),
        ({"title": "x" * 201}, "description-invalid"),
        ({"title": "one\ntwo"}, "description-invalid"),
        ({"title": "nul\0"}, "malformed-body"),
        ({"title": 1}, "invalid"),
        ({"alt_text": "x" * 1_501}, "description-invalid"),
        ({"tags": [str(number) for number in range(51)]}, "invalid"),
        ({"tags": ["x" * 51]}, "description-invalid"),
        ({"tags": "sea"}, "invalid"),
        ({"tags": [None]}, "invalid"),
        ({"focal_point": {"x": 0.5}}, "invalid"),
        ({"focal_point": {"x": 1.01, "y": 0}}, "invalid"),
        ({"focal_point": {"x": "0.5", "y": 0}}, "invalid"),
        ({"focal_point": {"x": True, "y": 0}}, "invalid"),
        ({"focal_point": [0.5, 0.5]}, "invalid"),
        ({"focal_point": {"x": 0, "y": 0, "z": 0}}, "invalid"),
    ],
    ids=str,
)
def test_what_cannot_be_written_is_refused_and_changes_nothing(
    shelf: Shelf, member: Member, body: dict[str, Any], code: str
) -> None:
    media_id = shelf.item(title="Dusk")
    before = shelf.row(media_id)
    reply = member("editor").patch(f"/v1/media/{media_id}", body, if_match="*")
    assert (reply.status, reply.code) == (422, code)
    assert shelf.row(media_id) == before


def test_it_says_what_is_not_there_and_what_is_no_more(shelf: Shelf, member: Member) -> None:
    editor = member("editor")
    nobodys = editor.patch(f"/v1/media/{new_id()}", {"title": "Dusk"}, if_match="*")
    assert (nobodys.status, nobodys.code) == (404, "media-not-found")
    gone = editor.patch(f"/v1/media/{shelf.item(state='deleted')}", {"title": "Dusk"}, if_match="*")
    assert (gone.status, gone.code) == (410, "media-deleted")
    assert gone.json["deleted_at"]


def test_it_is_in_the_audit_with_its_author(shelf: Shelf, member: Member, owner: psycopg.Connection) -> None:
    media_id = shelf.item()
    assert member("editor").patch(f"/v1/media/{media_id}", {"title": "Dusk"}, if_match="*").status == 200
    line = lines(owner)[-1]
    assert (line.action, line.actor_name) == ("media.update", "Editor of acme")
    assert line.changes == {"title": ["", "Dusk"]}


def test_of_many_who_change_the_same_version_one_does(shelf: Shelf, acme: Tenant) -> None:
    def change(media_id: UUID, title: str) -> str:
        try:
            with transaction(acme) as tx:
                return library.change(tx, media_id, Changes(title=title), version=1, at=now()).title
        except MediaChanged as refused:
            return refused.code

    for _ in range(5):
        media_id = UUID(shelf.item())
        told = together(*(partial(change, media_id, f"by {number}") for number in range(4)))
        assert told.count("media-changed") == 3
        (title,) = set(told) - {"media-changed"}
        assert shelf.row(str(media_id))["title"] == title
