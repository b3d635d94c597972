"""What a photo's way through review leaves in the audit, and by whom."""

from functions.ops_verify_audit.handler import handler as ops_verify_audit
from tests.integration.audit.ledger import lines
from tests.integration.media.conftest import Studio
from tests.pictures import photo


def test_a_photo_from_its_upload_to_its_approval(studio: Studio) -> None:
    media_id, run = studio.in_review()
    path = f"/v1/media/{media_id}/review"
    edited = studio.client.patch(path, {"caption": "Dusk"}, if_match="*")
    assert edited.status == 200, edited
    assert studio.client.post(f"{path}/approve", {}, if_match=edited.headers["etag"]).status == 200
    assert studio.settle(media_id, run) == "approved"
    found = lines(studio.owner)
    assert [line.told for line in found] == [
        "media.create by person: awaiting_upload",
        "caption_request.create by person: open",
        "media.update by person: processing",
        "media.update by system",
        "media.update by system",
        *["derivative.create by system"] * 5,
        "media.update by system: in_review",
        "review.create by system: open",
        "caption.create by person",
        "review.update by person",
        "review.update by person: approved",
        "media.update by system: approved",
    ]
    assert {line.subject_id for line in found} == {media_id}
    assert ops_verify_audit({"tenant": "acme"}, None)["outcome"] == "intact"


def test_who_it_was_from_where_and_in_which_request(studio: Studio) -> None:
    media_id = studio.announce(photo())["id"]
    studio.put(media_id, photo())
    studio.client.post(f"/v1/media/{media_id}/confirm", x_request_id="the-confirmation")
    studio.process(media_id, studio.start(media_id))
    editor = studio.value("SELECT id FROM control.users WHERE subject = 'acme-editor'")
    (created, confirmed, *later) = [line for line in lines(studio.owner) if line.action.startswith("media.")]
    assert (created.actor_id, created.actor_name, created.address) == (editor, "Editor of acme", "192.0.2.1")
    assert (confirmed.actor_id, confirmed.request_id) == (editor, "the-confirmation")
    assert confirmed.changes == {"state": ["awaiting_upload", "processing"]}
    assert {(line.actor_id, line.actor_name, line.address) for line in later} == {(None, "SocialFlow", "")}


def test_progress_and_what_is_refused_leave_nothing(studio: Studio) -> None:
    media_id, _ = studio.in_review()
    before = len(lines(studio.owner))
    path = f"/v1/media/{media_id}/review"
    assert studio.client.post(f"{path}/approve", {}, if_match='"99"').status == 412
    assert studio.client.patch(path, {"caption": "x"}).status == 428
    studio.owner.execute(
        "UPDATE t_acme.media_items SET percent = percent + 1, stage = 'captioning', updated_at = now()"
    )
    assert lines(studio.owner, after=before) == []
