"""Asking for renditions: the same wish is one, what cannot be is refused in words, nothing crosses tenants."""

from functools import partial
from typing import Any
from uuid import UUID

import pytest

from functions.task_render_image.handler import handler as task_render_image
from socialflow.media import rendition_model, renditions
from socialflow.media.rendition_spec import Wish
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.ids import new_id
from tests.api import Client
from tests.integration.conftest import Member
from tests.integration.media.conftest import Studio
from tests.integration.media.test_together import together
from tests.integration.media.wishes import WISH, asked, processed, render
from tests.pictures import photo


def test_the_same_wish_is_the_same_rendition(studio: Studio) -> None:
    media_id = processed(studio)
    first = asked(studio, media_id)
    assert asked(studio, media_id, 200)["id"] == first["id"]
    assert asked(studio, media_id, 200, ratio="8:10")["id"] == first["id"]
    assert asked(studio, media_id, 200, focal_point=None)["id"] == first["id"]
    others = [
        asked(studio, media_id, **wish)["id"]
        for wish in ({"ratio": None}, {"fit": "pad"}, {"focal_point": {"x": 0.2, "y": 0.8}}, {"network": "threads"})
    ]
    assert len({first["id"], *others}) == 5
    render(studio, first["id"], studio.start(first["id"], "rendition"))
    again = asked(studio, media_id, 200)
    assert (again["state"], again["url"] is not None) == ("ready", True)
    assert studio.value("SELECT count(*) FROM cell.work WHERE kind = 'rendition'") == 5


def test_an_older_name_of_a_network_is_the_network(studio: Studio) -> None:
    media_id = processed(studio)
    assert asked(studio, media_id, network="twitter", ratio=None)["network"] == "x"


def test_the_media_items_own_point_counts_until_another_is_chosen(studio: Studio) -> None:
    media_id = processed(studio)
    plain = asked(studio, media_id)
    studio.owner.execute("UPDATE t_acme.media_items SET focal_x = 0.25, focal_y = 0.75 WHERE id = %s", (media_id,))
    own = asked(studio, media_id)
    assert (plain["focal_point"], own["focal_point"]) == (None, {"x": 0.25, "y": 0.75})
    assert asked(studio, media_id, 200, focal_point={"x": 0.25001, "y": 0.75})["id"] == own["id"]
    assert asked(studio, media_id, focal_point={"x": 0, "y": 1})["focal_point"] == {"x": 0, "y": 1}


def test_identical_wishes_at_once_are_one_rendition(studio: Studio) -> None:
    media_id = processed(studio)

    def wish() -> UUID:
        with transaction(studio.tenant) as tx:
            return renditions.ask(tx, UUID(media_id), Wish("instagram", "1:1"), by=new_id(), at=now())[0].id

    assert len(set(together(*[wish] * 8))) == 1
    assert studio.value("SELECT count(*) FROM t_acme.renditions") == 1
    assert studio.value("SELECT count(*) FROM cell.outbox WHERE type = 'rendition.requested'") == 1


def test_a_repeated_request_is_answered_with_what_is_so_now(studio: Studio) -> None:
    media_id = processed(studio)
    client = studio.client.with_headers(Idempotency_Key="a-key")
    first = client.post(f"/v1/media/{media_id}/renditions", WISH)
    render(studio, first.json["id"], studio.start(first.json["id"], "rendition"))
    again = client.post(f"/v1/media/{media_id}/renditions", WISH)
    assert (again.status, again.headers["idempotency-replayed"]) == (202, "true")
    assert (again.json["state"], again.json["url"] is not None) == ("ready", True)


def test_only_what_is_processed_can_be_cut(studio: Studio) -> None:
    awaited = str(studio.announce(photo())["id"])
    refused = studio.uploaded(b"<html>not a picture</html>")
    studio.process(refused, studio.start(refused))
    begun = studio.uploaded()
    for media_id, state in ((awaited, "awaiting_upload"), (refused, "refused"), (begun, "processing")):
        for reply in (
            studio.client.post(f"/v1/media/{media_id}/renditions", WISH),
            studio.client.get(f"/v1/media/{media_id}/fit"),
        ):
            assert (reply.status, reply.code, reply.json["state"]) == (409, "media-not-ready", state)


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"network": "myspace"}, "unknown-network"),
        ({"network": "instagram", "ratio": "9:16"}, "ratio-refused"),
        ({"network": "instagram", "ratio": "0:0"}, "ratio-refused"),
        ({"network": "instagram", "ratio": "-4:5"}, "ratio-refused"),
        ({"network": "x", "ratio": "9999:1"}, "ratio-refused"),
        ({"network": "x", "ratio": "4/5"}, "ratio-refused"),
        ({"network": "x", "ratio": "\u0664:\u0665"}, "ratio-refused"),
        ({"network": "x", "focal_point": {"x": 1.1, "y": 0}}, "invalid"),
        ({"network": "x", "focal_point": {"x": 0.5}}, "invalid"),
        ({"network": "x", "fit": "stretch"}, "invalid"),
        ({"network": "x", "width": 9}, "invalid"),
        ({"network": "x" * 51}, "invalid"),
        ({}, "invalid"),
    ],
    ids=str,
)
def test_a_wish_that_cannot_be_is_refused_in_words(studio: Studio, wish: dict[str, Any], code: str) -> None:
    media_id = processed(studio)
    reply = studio.client.post(f"/v1/media/{media_id}/renditions", wish)
    assert reply.status == 422, reply
    assert reply.code == code
    assert studio.value("SELECT count(*) FROM t_acme.renditions") == 0


def test_a_tenant_cannot_queue_without_end(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renditions, "MOST_OPEN", 3)
    monkeypatch.setattr(renditions, "MOST_KEPT", 4)
    media_id, other = processed(studio), processed(studio, photo(1200, 900))
    made = [asked(studio, media_id, focal_point={"x": part / 10, "y": 0.5}) for part in range(3)]
    waiting = studio.client.post(f"/v1/media/{other}/renditions", WISH)
    assert (waiting.status, waiting.code, waiting.headers["retry-after"]) == (429, "renditions-waiting", "30")
    assert asked(studio, media_id, 200, focal_point={"x": 0, "y": 0.5})["id"] == made[0]["id"]
    for one in made:
        render(studio, one["id"], studio.start(one["id"], "rendition"))
    asked(studio, media_id, focal_point={"x": 0.9, "y": 0.5})
    full = studio.client.post(f"/v1/media/{media_id}/renditions", {"network": "x"})
    assert (full.status, full.code) == (409, "renditions-full")
    assert asked(studio, other)["state"] == "queued"


def test_the_cap_holds_when_many_ask_at_once(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renditions, "MOST_OPEN", 3)
    items = [UUID(processed(studio, photo(600 + number, 400))) for number in range(6)]

    def wish(media_id: UUID) -> int:
        try:
            with transaction(studio.tenant) as tx:
                renditions.ask(tx, media_id, Wish("instagram"), by=new_id(), at=now())
        except rendition_model.RenditionsWaiting as refused:
            return refused.status
        return 202

    assert sorted(together(*(partial(wish, media_id) for media_id in items))) == [202, 202, 202, 429, 429, 429]


def test_a_tenant_whose_storage_is_full_is_told_so(studio: Studio) -> None:
    media_id = processed(studio)
    studio.owner.execute("UPDATE cell.usage SET used = 10::bigint ^ 15 WHERE meter = 'storage_bytes'")
    reply = studio.client.post(f"/v1/media/{media_id}/renditions", WISH)
    assert (reply.status, reply.code, reply.json["meter"]) == (402, "limit-reached", "storage_bytes")
    assert studio.value("SELECT count(*) FROM t_acme.renditions") == 0


def test_renditions_are_listed_the_newest_first_and_by_network(studio: Studio) -> None:
    media_id = processed(studio)
    made = [asked(studio, media_id, network=network, ratio="1:1")["id"] for network in ("instagram", "x", "threads")]
    path = f"/v1/media/{media_id}/renditions"
    first = studio.client.get(f"{path}?limit=2").json
    assert [one["id"] for one in first["items"]] == [made[2], made[1]]
    second = studio.client.get(f"{path}?limit=2&cursor={first['next_cursor']}").json
    assert ([one["id"] for one in second["items"]], second["next_cursor"]) == ([made[0]], None)
    assert [one["id"] for one in studio.client.get(f"{path}?network=twitter").json["items"]] == [made[1]]
    assert studio.client.get(f"{path}?network=myspace").status == 422
    assert studio.client.get(f"{path}?network=x&cursor={first['next_cursor']}").status == 400


def test_viewers_look_and_do_not_ask(studio: Studio, member: Member) -> None:
    media_id = processed(studio)
    made = asked(studio, media_id)
    viewer = member("viewer")
    for path in (f"/v1/media/{media_id}/renditions", f"/v1/media/{media_id}/renditions/{made['id']}"):
        assert viewer.get(path).status == 200
    assert viewer.get(f"/v1/media/{media_id}/fit").status == 200
    assert viewer.post(f"/v1/media/{media_id}/renditions", WISH).status == 403


def test_nothing_is_told_of_another_tenants_media(studio: Studio, member: Member) -> None:
    media_id = processed(studio)
    made = asked(studio, media_id)
    other: Client = member("owner", "contoso")
    assert other.post(f"/v1/media/{media_id}/renditions", WISH).status == 404
    for path in ("renditions", f"renditions/{made['id']}", "fit"):
        assert other.get(f"/v1/media/{media_id}/{path}").status == 404
    assert task_render_image({"v": 1, "tenant": "contoso", "kind": "rendition", "id": made["id"], "run": 1}, None) == {
        "outcome": "superseded"
    }


def test_a_rendition_is_not_found_under_another_media_item(studio: Studio) -> None:
    made = asked(studio, processed(studio))
    other = processed(studio, photo(500, 400))
    reply = studio.client.get(f"/v1/media/{other}/renditions/{made['id']}")
    assert (reply.status, reply.code) == (404, "rendition-not-found")
    assert studio.client.get(f"/v1/media/{other}/renditions").json["items"] == []


def test_who_asked_is_in_the_audit_and_progress_is_not(studio: Studio) -> None:
    made = asked(studio, processed(studio))
    render(studio, made["id"], studio.start(made["id"], "rendition"))
    rows = studio.owner.execute(
        "SELECT actor_kind, action, changes FROM t_acme.audit_log WHERE item->>'id' = %s ORDER BY seq", (made["id"],)
    ).fetchall()
    assert [row[0] for row in rows] == ["person"] + ["system"] * (len(rows) - 1)
    assert all(set(row[2]) - {"percent", "tries"} for row in rows[1:])


def test_each_network_says_whether_it_takes_a_photo(studio: Studio) -> None:
    upright = processed(studio)  # 1200 by 1800
    verdicts = {one["network"]: one for one in studio.client.get(f"/v1/media/{upright}/fit").json["items"]}
    assert verdicts["instagram"]["verdict"] == "needs_rendition"
    assert [reason["code"] for reason in verdicts["instagram"]["reasons"]] == ["ratio"]
    assert "4:5" in verdicts["instagram"]["reasons"][0]["detail"]
    assert (verdicts["x"]["verdict"], verdicts["x"]["reasons"]) == ("fits", [])
    assert verdicts["mastodon"]["verdict"] == "fits"
    square = processed(studio, photo(900, 900))
    verdicts = {one["network"]: one["verdict"] for one in studio.client.get(f"/v1/media/{square}/fit").json["items"]}
    assert set(verdicts.values()) == {"fits"}
