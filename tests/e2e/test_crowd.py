"""A crowd of photos, and the function that processes them killed in the middle: every one comes to its review."""

import pytest

from tests.e2e.crowd import killing, see_through
from tests.e2e.stack import LocalStack

pytestmark = pytest.mark.e2e

PHOTOS, KILLS = 24, 3
LIMIT_S = 300.0


def test_every_photo_of_a_crowd_comes_to_its_review_whatever_is_killed(stack: LocalStack) -> None:
    editor = stack.signed_in("editor@acme.test")
    with killing(stack, "task_process_media", KILLS, every=1.0) as killed:
        crowd, _ = see_through(editor, PHOTOS, seconds=LIMIT_S)
        assert killed() > 0
    assert len(crowd) == PHOTOS
    for each in crowd:
        seen = editor.get(f"/media/{each.media_id}")
        assert {made["variant"] for made in seen["derivatives"]} >= {"thumb", "small", "medium", "large"}
        assert len(editor.get(f"/media/{each.media_id}/captions")["items"]) == 1
