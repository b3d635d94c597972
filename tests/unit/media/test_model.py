"""What may be announced, and where a restarted workflow goes on."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from socialflow.media.model import MediaItem, Outcome, Stage, State, object_key

ID = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
THEN = datetime(2026, 3, 1, tzinfo=UTC)
ITEM = MediaItem(
    id=ID,
    version=1,
    state=State.PROCESSING,
    stage=Stage.UPLOADED,
    percent=5,
    file_name="harbour.jpg",
    declared_type="image/jpeg",
    declared_size=1000,
    object_key=object_key("acme", ID, "original", "jpg"),
    object_version=None,
    content_type=None,
    size=None,
    sha256=None,
    width=None,
    height=None,
    captured_at=None,
    camera=None,
    refusal_code=None,
    refusal_detail=None,
    inspections=0,
    upload_expires_at=THEN,
    created_by=ID,
    created_at=THEN,
    updated_at=THEN,
)


def test_keys_are_the_seeds() -> None:
    assert ITEM.object_key == f"tenants/acme/media/{ID}/original.jpg"
    assert object_key("acme", ID, "thumb", "jpg") == f"tenants/acme/media/{ID}/thumb.jpg"


def test_progress_rises_with_every_stage() -> None:
    percents = [stage.percent for stage in Stage]
    assert percents == [5, 10, 30, 50, 60, 70, 100]


@pytest.mark.parametrize(
    ("state", "stage", "reached"),
    [
        (State.PROCESSING, Stage.UPLOADED, None),
        (State.PROCESSING, Stage.INSPECTING, None),
        (State.PROCESSING, Stage.PROCESSING, None),
        (State.PROCESSING, Stage.CAPTIONING, "processed"),
        (State.IN_REVIEW, Stage.IN_REVIEW, "in_review"),
        (State.APPROVED, Stage.DONE, "settled"),
        (State.REJECTED, Stage.DONE, "settled"),
        (State.EXPIRED, Stage.DONE, "settled"),
        (State.REFUSED, Stage.DONE, "refused"),
    ],
)
def test_a_restarted_workflow_goes_on_where_the_row_stands(state: State, stage: Stage, reached: Outcome | None) -> None:
    assert replace(ITEM, state=state, stage=stage, percent=stage.percent).reached == reached
