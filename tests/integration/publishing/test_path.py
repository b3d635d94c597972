"""A post on its way, from the API to the network and back."""

from tests.integration.publishing.conftest import Desk


def test_a_post_of_text_and_two_photos_goes_out(desk: Desk) -> None:
    account = desk.account()
    media = [desk.media(alt_text="First"), desk.media()]
    post = desk.post(
        "Two photos of the harbour", accounts=[account], media=[{"id": media[0]}, {"id": media[1], "alt_text": "Mine"}]
    )
    assert (post["state"], post["version"]) == ("scheduled", 1)
    run = desk.ready(post["id"])
    assert desk.publish(post["id"], run)["outcome"] == "done"
    assert desk.settle(post["id"], run)["outcome"] == "settled"
    (status,) = desk.mastodon.statuses()
    assert [one["description"] for one in status["media_attachments"]] == ["First", "Mine"]
    assert desk.mastodon.texts() == ["Two photos of the harbour"]
    shown = desk.read(post["id"])
    assert shown["state"] == "published"
    target = shown["targets"][0]
    assert (target["state"], target["attempts"]) == ("published", 1)
    assert target["receipt"]["remote_id"] == status["id"]
    assert [attempt["outcome"] for attempt in target["attempted"]] == ["published"]
    assert desk.facts(post["id"]) == ["post.scheduled", "post.started", "post.published"]
    assert desk.value("SELECT count(*) FROM cell.work WHERE wake_at IS NOT NULL") == 0
