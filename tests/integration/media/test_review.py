"""The review: opened once, decided once and about what was read, ended by its row's time."""

from typing import Any

import pytest

from socialflow.platform import work
from tests.integration.conftest import Member
from tests.integration.media.conftest import Studio


def approve(studio: Studio, media_id: str, body: dict[str, Any] | None = None, **headers: str) -> Any:
    return studio.client.post(f"/v1/media/{media_id}/review/approve", body, **headers)


def edit(studio: Studio, media_id: str, body: dict[str, Any], version: int) -> Any:
    return studio.client.patch(f"/v1/media/{media_id}/review", body, if_match=f'"{version}"')


def expire(studio: Studio, media_id: str) -> None:
    studio.owner.execute("UPDATE t_acme.reviews SET expires_at = now() WHERE media_id = %s", (media_id,))


def test_from_upload_to_approval_with_an_edited_caption(studio: Studio) -> None:
    media_id, run = studio.in_review()
    shown = studio.client.get(f"/v1/media/{media_id}/review")
    assert (shown.json["state"], shown.json["caption"], shown.headers["etag"]) == ("open", None, '"1"')
    assert studio.value("SELECT token FROM cell.work WHERE id = %s AND token_run = run", media_id) == "token-1"
    decided = approve(studio, media_id, {"caption": "Harbour at dawn", "hashtags": ["#harbour", "dawn"]})
    assert (decided.status, decided.json["state"]) == (200, "approved")
    assert decided.json["caption"]["rendered"] == "Harbour at dawn\n\n#harbour #dawn"
    assert decided.json["decided_by_name"] == "Editor of acme"
    assert studio.answers.given == []  # the token is answered by the fact's consumer, after the commit
    assert studio.settle(media_id, run) == "approved"
    item = studio.read(media_id)
    assert (item["state"], item["stage"], item["percent"]) == ("approved", "done", 100)
    assert (item["caption"]["source"], item["caption"]["version"]) == ("person", 1)
    assert studio.facts(media_id) == [
        "media.uploaded",
        "media.processed",
        "review.requested",
        "caption.edited",
        "review.decided",
        "media.approved",
    ]
    assert studio.value("SELECT count(*) FROM cell.work WHERE wake_at IS NOT NULL AND kind <> 'embedding'") == 0


def test_a_rejection_keeps_its_reason(studio: Studio) -> None:
    media_id, run = studio.in_review()
    reply = studio.client.post(f"/v1/media/{media_id}/review/reject", {"reason": "  out of focus "})
    assert (reply.json["state"], reply.json["reason"]) == ("rejected", "out of focus")
    assert studio.settle(media_id, run) == "rejected"
    assert studio.read(media_id)["state"] == "rejected"


@pytest.mark.parametrize("second", ["approve", "reject", "request-changes"])
def test_what_is_decided_cannot_be_decided_again_by_anybody(studio: Studio, member: Member, second: str) -> None:
    media_id, _ = studio.in_review()
    assert approve(studio, media_id, {}).status == 200
    body = {"reason": "no"} if second != "approve" else {}
    again = member("owner").post(f"/v1/media/{media_id}/review/{second}", body)
    assert (again.status, again.code) == (409, "review-already-settled")
    assert (again.json["verdict"], again.json["decided_by_name"]) == ("approved", "Editor of acme")
    late = edit(studio, media_id, {"caption": "Changed afterwards"}, 2)
    assert (late.status, late.code) == (409, "review-already-settled")
    assert studio.client.get(f"/v1/media/{media_id}/captions").json == {"items": [], "next_cursor": None}


def test_approving_needs_no_body(studio: Studio) -> None:
    media_id, _ = studio.in_review()
    assert approve(studio, media_id).json["state"] == "approved"


def test_an_approval_is_about_the_caption_that_was_read(studio: Studio) -> None:
    media_id, _ = studio.in_review()
    assert edit(studio, media_id, {"caption": "First"}, 1).json["caption"]["version"] == 1
    assert edit(studio, media_id, {"caption": "Second"}, 2).json["caption"]["version"] == 2
    by_number = approve(studio, media_id, {"caption_version": 1})
    assert (by_number.status, by_number.code, by_number.json["caption_version"]) == (412, "caption-changed", 2)
    by_etag = approve(studio, media_id, {}, if_match='"2"')
    assert (by_etag.status, by_etag.headers["etag"]) == (412, '"3"')
    assert studio.client.get(f"/v1/media/{media_id}/review").json["state"] == "open"
    assert approve(studio, media_id, {"caption_version": 2}, if_match='"3"').json["state"] == "approved"


def test_an_edit_says_what_it_has_read(studio: Studio) -> None:
    media_id, _ = studio.in_review()
    path = f"/v1/media/{media_id}/review"
    assert studio.client.patch(path, {"caption": "x"}).code == "precondition-required"
    assert edit(studio, media_id, {"caption": "x"}, 7).code == "caption-changed"
    assert edit(studio, media_id, {}, 1).code == "invalid"
    kept = edit(studio, media_id, {"caption": "Text", "alt_text": "Alt", "hashtags": ["a", "A", "ö1"]}, 1).json
    assert (kept["version"], kept["caption"]["hashtags"]) == (2, ["a", "ö1"])
    changed = edit(studio, media_id, {"alt_text": "Other"}, 2).json["caption"]
    assert (changed["text"], changed["alt_text"], changed["hashtags"]) == ("Text", "Other", ["a", "ö1"])


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"caption": "x" * 2201}, "/caption"),
        ({"caption": "be\u0007ep"}, "/caption"),
        ({"alt_text": "x" * 1501}, "/alt_text"),
        ({"hashtags": ["two words"]}, "/hashtags/0"),
        ({"hashtags": ["fine", "#1"]}, "/hashtags/1"),
        ({"hashtags": [f"tag{i}" for i in range(31)]}, "/hashtags"),
        ({"source": "ai", "caption": "x"}, "/source"),
    ],
)
def test_a_caption_over_its_limits_is_refused_with_its_place(
    studio: Studio, body: dict[str, Any], pointer: str
) -> None:
    media_id, _ = studio.in_review()
    reply = edit(studio, media_id, body, 1)
    assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, pointer)
    assert studio.value("SELECT count(*) FROM t_acme.captions") == 0


def test_a_caption_of_the_persons_own_device_says_so(studio: Studio) -> None:
    media_id, _ = studio.in_review()
    edit(studio, media_id, {"caption": "By llava", "source": "device", "model": "llava:7b"}, 1)
    edit(studio, media_id, {"caption": "By hand"}, 2)
    versions = studio.client.get(f"/v1/media/{media_id}/captions").json["items"]
    assert [(v["version"], v["source"], v["model"]) for v in versions] == [
        (1, "device", "llava:7b"),
        (2, "person", None),
    ]
    assert versions[0]["author"] == versions[1]["author"]


def test_requested_changes_wait_until_somebody_edits(studio: Studio) -> None:
    media_id, run = studio.in_review()
    path = f"/v1/media/{media_id}/review"
    assert studio.client.post(f"{path}/request-changes", {}).status == 422
    asked = studio.client.post(f"{path}/request-changes", {"reason": "Name the ship"}).json
    assert (asked["state"], asked["reason"]) == ("changes_requested", "Name the ship")
    assert studio.settle(media_id, run) == "waiting"
    assert [one["review"]["media_id"] for one in studio.client.get("/v1/reviews").json["items"]] == [media_id]
    assert edit(studio, media_id, {"caption": "The Hispaniola"}, 2).json["state"] == "open"
    assert approve(studio, media_id, {}).json["state"] == "approved"


def test_a_viewer_decides_and_edits_nothing(studio: Studio, member: Member) -> None:
    media_id, _ = studio.in_review()
    viewer = member("viewer")
    assert viewer.get(f"/v1/media/{media_id}/review").status == 200
    for action in ("approve", "reject", "request-changes"):
        reply = viewer.post(f"/v1/media/{media_id}/review/{action}", {"reason": "x"})
        assert (reply.status, reply.json["permission"]) == (403, "review:decide")
    assert viewer.patch(f"/v1/media/{media_id}/review", {"caption": "x"}, if_match="*").status == 403


def test_there_is_no_review_before_its_time(studio: Studio, member: Member) -> None:
    media_id = studio.uploaded()
    for reply in (studio.client.get(f"/v1/media/{media_id}/review"), approve(studio, media_id, {})):
        assert (reply.status, reply.code) == (404, "review-not-found")
    foreign = member("owner", "contoso").post(f"/v1/media/{media_id}/review/approve", {})
    assert (foreign.status, foreign.code) == (404, "media-not-found")


def test_the_time_of_a_review_begins_once(studio: Studio) -> None:
    media_id, _ = studio.in_review()
    expires = "SELECT expires_at FROM t_acme.reviews WHERE media_id = %s"
    first = studio.value(expires, media_id)
    assert studio.value("SELECT wake_at FROM cell.work WHERE id = %s", media_id) == first
    run = studio.start(media_id)
    assert studio.wait(media_id, run, "token-2") == "waiting"
    assert studio.value(expires, media_id) == first
    assert studio.value("SELECT token FROM cell.work WHERE id = %s", media_id) == "token-2"
    assert studio.facts(media_id).count("review.requested") == 1


def test_after_its_time_nobody_decides_whatever_the_engine_says(studio: Studio) -> None:
    media_id, run = studio.in_review()
    expire(studio, media_id)
    late = approve(studio, media_id, {})
    assert (late.status, late.code) == (409, "review-expired")
    assert studio.client.get(f"/v1/media/{media_id}/review").json["state"] == "expired"
    assert studio.settle(media_id, run) == "expired"
    assert studio.read(media_id)["state"] == "expired"
    assert studio.facts(media_id)[-2:] == ["review.decided", "media.expired"]
    assert approve(studio, media_id, {}).code == "review-expired"


def test_a_timer_that_rings_early_ends_nothing(studio: Studio) -> None:
    media_id, run = studio.in_review()
    assert studio.settle(media_id, run) == "waiting"
    assert studio.read(media_id)["state"] == "in_review"


def test_a_decision_made_before_the_wait_is_answered_at_once(studio: Studio) -> None:
    media_id, _ = studio.in_review()
    approve(studio, media_id, {})
    run = studio.start(media_id)
    assert studio.wait(media_id, run, "token-2") == "decided"
    assert studio.answers.given == [("token-2", {"outcome": "decided"})]


def test_an_older_runs_wait_ends_at_once(studio: Studio) -> None:
    media_id, old = studio.in_review()
    studio.start(media_id)
    assert studio.wait(media_id, old, "late-token") == "superseded"
    assert studio.answers.given == [("late-token", {"outcome": "superseded"})]
    assert studio.settle(media_id, old) == "superseded"
    assert studio.read(media_id)["state"] == "in_review"


def test_a_lost_doorbell_costs_a_grace_period(studio: Studio) -> None:
    media_id, _ = studio.in_review()
    approve(studio, media_id, {})
    soon = studio.value("SELECT wake_at - now() < %s FROM cell.work WHERE id = %s", work.GRACE, media_id)
    assert soon is True


def test_settling_twice_tells_once(studio: Studio) -> None:
    media_id, run = studio.in_review()
    approve(studio, media_id, {})
    assert [studio.settle(media_id, run) for _ in range(2)] == ["approved", "superseded"]
    assert studio.facts(media_id).count("media.approved") == 1


def test_a_replayed_approval_is_the_first_ones_answer(studio: Studio) -> None:
    media_id, _ = studio.in_review()
    first = approve(studio, media_id, {"caption": "Once"}, idempotency_key="key-1")
    again = approve(studio, media_id, {"caption": "Once"}, idempotency_key="key-1")
    assert (again.status, again.json) == (200, first.json)
    assert studio.value("SELECT count(*) FROM t_acme.captions") == 1


def test_the_queue_shows_who_waits_longest_first(studio: Studio) -> None:
    ids = [studio.in_review()[0] for _ in range(3)]
    approve(studio, ids[1], {})
    first = studio.client.get("/v1/reviews?limit=1").json
    assert first["items"][0]["review"]["media_id"] == ids[0]
    assert first["items"][0]["media"]["thumb_url"]
    second = studio.client.get(f"/v1/reviews?limit=1&cursor={first['next_cursor']}").json
    assert (second["items"][0]["review"]["media_id"], second["next_cursor"]) == (ids[2], None)
    approved = studio.client.get("/v1/reviews?state=approved").json["items"]
    assert [one["review"]["media_id"] for one in approved] == [ids[1]]
