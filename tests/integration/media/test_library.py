"""The library: lists in every order and through every filter, counts, tags, and many at once."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import psycopg
import pytest

from socialflow.platform.ids import new_id
from tests.api import Client
from tests.integration.conftest import Member
from tests.integration.media.shelf import SOMEBODY, Shelf, day

LIST = "/v1/media"


@pytest.fixture
def viewer(acme: object, member: Member) -> Client:
    """Acme's viewer."""
    return member("viewer")


def ids(client: Client, **query: Any) -> list[str]:
    """Return the ids of all pages of a list, one item at a time."""
    return [item["id"] for item in _items(client, query)]


def _items(client: Client, query: dict[str, Any]) -> Iterator[dict[str, Any]]:
    cursor: dict[str, str] = {}
    for _ in range(50):
        reply = client.get(f"{LIST}?{urlencode({**query, 'limit': 1, **cursor}, doseq=True)}")
        assert reply.status == 200, reply
        yield from reply.json["items"]
        if reply.json["next_cursor"] is None:
            return
        cursor = {"cursor": reply.json["next_cursor"]}
    pytest.fail("the list has no end")


def test_every_order_goes_through_all_items_once_whatever_is_missing_or_equal(shelf: Shelf, viewer: Client) -> None:
    rows: list[dict[str, Any]] = [
        {"created_at": day(1), "captured_at": None, "file_name": "b.jpg", "size": None, "declared_size": 70},
        {"created_at": day(2), "captured_at": "2020-01-01", "file_name": "B.JPG", "size": 70, "declared_size": 1},
        {"created_at": day(3), "captured_at": "1999-12-31 23:59:59.5", "file_name": "ä.jpg", "size": 5},
        {"created_at": day(3), "captured_at": None, "file_name": "a 🌊.jpg", "size": 9_000_000_000},
        {"created_at": day(4), "captured_at": "2020-01-01", "file_name": "Z.jpg", "size": 70},
    ]
    one, two, three, four, five = (shelf.item(**row) for row in rows)
    expected = {
        "created_at": [one, two, three, four, five],
        "captured_at": [one, four, three, two, five],
        "file_name": [four, one, two, five, three],
        "size": [three, one, two, five, four],
    }
    assert ids(viewer) == list(reversed(expected["created_at"]))
    for sort, ascending in expected.items():
        assert ids(viewer, sort=sort, order="asc") == ascending, sort
        assert ids(viewer, sort=sort, order="desc") == list(reversed(ascending)), sort


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"state": "in_review"}, "b"),
        ({"state": ["in_review", "refused"]}, "bc"),
        ({"state": "in_review,refused"}, "bc"),
        ({"kind": "video"}, "c"),
        ({"tag": "harbour"}, "ab"),
        ({"tag": ["#Harbour", "dusk"]}, "a"),
        ({"tag": "nobody's"}, ""),
        ({"uploaded_from": "2026-06-02T12:00:00Z"}, "bc"),
        ({"uploaded_before": "2026-06-02T14:00:00+02:00"}, "a"),
        ({"captured_from": "2024-05-06T00:00:00"}, "a"),
        ({"captured_before": "2024-05-06"}, "b"),
        ({"colour": "blue"}, "ac"),
        ({"colour": "Blue"}, "ac"),
        ({"colour": "#1010f0"}, "ac"),
        ({"colour": "1010f0", "kind": "image"}, "a"),
        ({"colour": "pink"}, ""),
        ({"uploader": str(SOMEBODY)}, "bc"),
        ({"used": "true"}, "a"),
        ({"used": "false"}, "bc"),
        ({"text": "HARBOUR, at"}, "a"),
        ({"text": "clip"}, "c"),
        ({"text": "%"}, ""),
        ({"text": "_"}, "c"),
        ({"text": "\\"}, ""),
        ({"text": "' OR 1=1 --"}, ""),
        ({"tag": "harbour", "state": "in_review", "used": "false"}, "b"),
    ],
    ids=str,
)
def test_a_filter_lets_through_what_it_says(shelf: Shelf, viewer: Client, query: dict[str, Any], found: str) -> None:
    a = shelf.item(
        title="Harbour, at dusk",
        tags=["harbour", "dusk"],
        created_at=day(1),
        captured_at="2024-05-06 07:08:09",
        created_by=new_id(),
        colour_names=["orange", "blue"],
    )
    b = shelf.item(state="in_review", tags=["harbour"], created_at=day(2), captured_at="2024-05-05 23:59:59")
    c = shelf.item(
        state="refused", declared_type="video/mp4", file_name="clip_1.mp4", created_at=day(3), colour_names=["blue"]
    )
    shelf.item(state="deleted", deleted_at=day(1), tags=["harbour", "dusk"], file_name="harbour clip_")
    shelf.post("draft", a)
    shelf.post("cancelled", b, variants={"x": [c]})
    known = {"a": a, "b": b, "c": c}
    assert ids(viewer, **query, order="asc") == [known[name] for name in found]


def test_what_is_deleted_is_listed_to_those_who_ask_for_it_and_for_ninety_days(
    shelf: Shelf, viewer: Client, owner: psycopg.Connection
) -> None:
    there, gone, old = shelf.item(), shelf.item(state="deleted"), shelf.item(state="deleted")
    owner.execute("UPDATE t_acme.media_items SET deleted_at = now() - interval '91 days' WHERE id = %s", (old,))
    assert ids(viewer) == [there]
    (tombstone,) = _items(viewer, {"state": "deleted"})
    assert (tombstone["id"], tombstone["state"]) == (gone, "deleted")
    assert tombstone["deleted_at"] is not None
    assert set(ids(viewer, state=["deleted", "approved"])) == {there, gone}


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("state=nonsense", 422),
        ("state=approved,nonsense", 422),
        ("kind=audio", 422),
        ("tag=" + "x" * 51, 422),
        ("tag=", 422),
        ("&".join(f"tag={number}" for number in range(51)), 422),
        ("uploaded_from=yesterday", 422),
        ("uploaded_from=2026-06-01T12:00:00", 422),
        ("captured_from=2026-06-01T12:00:00Z", 422),
        ("colour=infrared", 422),
        ("colour=%23fff", 422),
        ("uploader=me", 422),
        ("used=perhaps", 422),
        ("text=", 422),
        ("text=" + "x" * 101, 422),
        ("text=%00", 422),
        ("sort=version", 422),
        ("sort=id%3B%20DROP%20TABLE", 422),
        ("order=random", 422),
        ("limit=0", 422),
        ("limit=201", 422),
        ("cursor=nonsense", 400),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(viewer: Client, query: str, status: int) -> None:
    assert viewer.get(f"{LIST}?{query}").status == status


def test_a_cursor_is_of_its_filters_and_order_alone(shelf: Shelf, viewer: Client) -> None:
    for number in range(3):
        shelf.item(tags=["sea"], size=number)
    query = "tag=sea&sort=size&order=asc&limit=1"
    cursor = quote(viewer.get(f"{LIST}?{query}").json["next_cursor"])
    assert viewer.get(f"{LIST}?{query}&cursor={cursor}").status == 200
    others = ["tag=sea&sort=size&order=desc", "tag=sea&sort=file_name&order=asc", "sort=size&order=asc", "", "tag=lake"]
    for other in others:
        reply = viewer.get(f"{LIST}?{other}&limit=1&cursor={cursor}")
        assert (reply.status, reply.code) == (400, "cursor-expired"), other


def test_a_long_name_fits_into_its_cursor(shelf: Shelf, viewer: Client) -> None:
    names = sorted("🌊" * 254 + last for last in "ab")
    made = [shelf.item(file_name=name) for name in names]
    assert ids(viewer, sort="file_name", order="asc") == made


def test_an_item_that_comes_while_somebody_reads_moves_nothing(shelf: Shelf, viewer: Client) -> None:
    old = [shelf.item(created_at=day(number)) for number in (1, 2, 3)]
    first = viewer.get(f"{LIST}?limit=2").json
    shelf.item(created_at=day(9))
    second = viewer.get(f"{LIST}?limit=2&cursor={first['next_cursor']}").json
    assert [item["id"] for item in first["items"] + second["items"]] == list(reversed(old))


def test_counts_are_of_what_is_there(shelf: Shelf, viewer: Client) -> None:
    assert viewer.get(f"{LIST}/counts").json == {"items": [], "total": 0}
    for state, kind in (("approved", "image/jpeg"), ("approved", "image/png"), ("in_review", "video/mp4")):
        shelf.item(state=state, declared_type=kind)
    shelf.item(state="deleted")
    found = viewer.get(f"{LIST}/counts").json
    assert sorted((one["state"], one["kind"], one["count"]) for one in found["items"]) == [
        ("approved", "image", 2),
        ("in_review", "video", 1),
    ]
    assert found["total"] == 3


def test_tags_are_offered_by_what_they_begin_with_the_most_used_first(shelf: Shelf, viewer: Client) -> None:
    for tags in (["harbour", "sea"], ["harbour"], ["harvest", "a%"], ["港"]):
        shelf.item(tags=tags)

    def offered(query: str) -> list[tuple[str, int]]:
        return [(one["tag"], one["count"]) for one in viewer.get(f"{LIST}/tags{query}").json["items"]]

    assert offered("") == [("harbour", 2), ("a%", 1), ("harvest", 1), ("sea", 1), ("港", 1)]
    assert offered("?beginning=%23HAR") == [("harbour", 2), ("harvest", 1)]
    assert offered("?beginning=%25") == []
    assert offered("?limit=1") == [("harbour", 2)]
    assert viewer.get(f"{LIST}/tags?beginning=" + "x" * 51).status == 422


def test_where_a_hundred_stand_is_told_at_once(shelf: Shelf, viewer: Client) -> None:
    made = [shelf.item(state="processing", stage="inspecting", percent=10) for _ in range(98)]
    gone, nobody = shelf.item(state="deleted"), str(new_id())
    asked = [*made, gone, nobody]
    reply = viewer.post(f"{LIST}/batch", {"ids": asked})
    results = reply.json["results"]
    assert [one["id"] for one in results] == asked
    assert [one["status"] for one in results] == [200] * 99 + [404]
    assert results[0]["media"] == {
        "version": 1,
        "state": "processing",
        "stage": "inspecting",
        "percent": 10,
        "refusal_code": None,
        "thumb_url": None,
    }
    assert results[98]["media"]["state"] == "deleted"
    assert results[99]["problem"]["code"] == "media-not-found"
    assert len(reply.text) < 25_000
    assert [one["id"] for one in viewer.post(f"{LIST}/batch", {"ids": [gone, gone]}).json["results"]] == [gone]


def test_thumbs_come_to_those_who_ask_for_them(shelf: Shelf, viewer: Client) -> None:
    media_id = shelf.item()
    thumb = {"object_key": "k/thumb.jpg", "object_version": "v1", "content_type": "image/jpeg"}
    size = {"width": 1, "height": 1, "size": 1, "sha256": b""}
    shelf.insert("derivatives", {"media_id": media_id, "variant": "thumb", **thumb, **size})
    plain, shown = (
        viewer.post(f"{LIST}/batch", {"ids": [media_id], "thumbs": wish}).json["results"][0]["media"]["thumb_url"]
        for wish in (False, True)
    )
    assert plain is None
    assert "k/thumb.jpg?" in shown
    assert "versionId=v1" in shown


@pytest.mark.parametrize("path", [f"{LIST}/batch", f"{LIST}/batch/tags"])
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"ids": []},
        {"ids": ["x"]},
        {"ids": [str(new_id()) for _ in range(101)]},
        {"ids": [str(SOMEBODY)], "more": 1},
        {"ids": str(SOMEBODY)},
    ],
    ids=["nothing", "none", "no-id", "too-many", "unknown-field", "no-list"],
)
def test_a_batch_that_is_none_is_refused(member: Member, acme: object, path: str, body: dict[str, Any]) -> None:
    assert member("editor").post(path, body).status == 422


def test_many_are_tagged_at_once_each_answered_for_itself(shelf: Shelf, member: Member) -> None:
    editor = member("editor")
    plain, full = shelf.item(tags=["sea"]), shelf.item(tags=[f"t{number}" for number in range(50)])
    gone, nobody, same = shelf.item(state="deleted"), str(new_id()), shelf.item(tags=["dusk"])
    body = {"ids": [plain, full, gone, nobody, same, plain], "add": ["#Dusk"], "remove": ["sea"]}
    reply = editor.post(f"{LIST}/batch/tags", body, idempotency_key="once")
    told = [
        (one["id"], one["status"], one["version"], (one["problem"] or {}).get("code")) for one in reply.json["results"]
    ]
    assert told == [
        (plain, 200, 2, None),
        (full, 422, None, "too-many-tags"),
        (gone, 410, None, "media-deleted"),
        (nobody, 404, None, "media-not-found"),
        (same, 200, 1, None),
    ]
    assert shelf.row(plain)["tags"] == ["dusk"]
    assert len(shelf.row(full)["tags"]) == 50
    again = editor.post(f"{LIST}/batch/tags", body, idempotency_key="once")
    assert (again.json, again.headers["idempotency-replayed"]) == (reply.json, "true")
    assert shelf.row(plain)["version"] == 2


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, "nothing-to-change"),
        ({"add": ["a,b"]}, "description-invalid"),
        ({"add": ["a"], "remove": ["#A"]}, "description-invalid"),
        ({"add": [str(number) for number in range(51)]}, "invalid"),
    ],
)
def test_a_retagging_that_makes_no_sense_is_refused_as_a_whole(
    shelf: Shelf, member: Member, change: dict[str, Any], code: str
) -> None:
    media_id = shelf.item(tags=["sea"])
    reply = member("editor").post(f"{LIST}/batch/tags", {"ids": [media_id], **change})
    assert (reply.status, reply.code) == (422, code)
    assert shelf.row(media_id)["tags"] == ["sea"]
