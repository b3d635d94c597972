"""One media item, as the API shows it."""

import pytest

from tests.integration.conftest import Member
from tests.integration.media.shelf import SOMEBODY, Shelf, day


def test_a_media_item_is_shown_with_all_that_its_row_knows(shelf: Shelf, member: Member) -> None:
    media_id = shelf.item(
        declared_type="video/quicktime",
        title="Dusk",
        alt_text="A harbour",
        tags=["harbour", "dusk"],
        focal_x=0.25,
        focal_y=0.75,
        sha256=b"\xab" * 32,
        width=1080,
        height=1920,
        animated=True,
        duration_ms=12_500,
        video_codec="hevc",
        audio_codec="aac",
        frame_rate=29.97,
        blurhash="LKO2?U%2Tw=w]~RBVZRi};RPxuwH",
        colours=["#102030", "#ffffff"],
        colour_names=["blue", "white"],
        camera="ACME Snap 3",
        created_at=day(1),
    )
    shown = member("viewer").get(f"/v1/media/{media_id}").json
    assert shown["kind"] == "video"
    assert (shown["title"], shown["alt_text"], shown["tags"]) == ("Dusk", "A harbour", ["harbour", "dusk"])
    assert shown["focal_point"] == {"x": 0.25, "y": 0.75}
    assert (shown["duration_ms"], shown["frame_rate"], shown["animated"]) == (12_500, 29.97, True)
    assert (shown["video_codec"], shown["audio_codec"]) == ("hevc", "aac")
    assert (shown["colours"], shown["colour_names"]) == (["#102030", "#ffffff"], ["blue", "white"])
    assert shown["blurhash"] == "LKO2?U%2Tw=w]~RBVZRi};RPxuwH"
    assert (shown["created_by"], shown["deleted_at"], shown["used"]) == (str(SOMEBODY), None, False)


def test_a_plain_one_has_its_defaults(shelf: Shelf, member: Member) -> None:
    shown = member("viewer").get(f"/v1/media/{shelf.item()}").json
    assert (shown["kind"], shown["title"], shown["alt_text"], shown["tags"]) == ("image", "", "", [])
    assert (shown["focal_point"], shown["duration_ms"], shown["animated"]) == (None, None, False)


@pytest.mark.parametrize(("state", "used"), [("draft", True), ("published", True), ("cancelled", False)])
@pytest.mark.parametrize("own", [True, False], ids=["its-own", "a-networks"])
def test_it_is_used_where_a_post_that_is_not_cancelled_has_it(
    shelf: Shelf, member: Member, state: str, used: bool, own: bool
) -> None:
    one, other = shelf.item(), shelf.item()
    shelf.post(state, one) if own else shelf.post(state, variants={"bluesky": [one], "mastodon": []})
    shelf.post("draft", variants={"x": []})
    client = member("viewer")
    assert [client.get(f"/v1/media/{each}").json["used"] for each in (one, other)] == [used, False]
