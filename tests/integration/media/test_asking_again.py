"""Another caption: asked for by a person, written by its own workflow beside the review."""

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest

from functions.cron_reconcile.handler import handler as cron_reconcile
from functions.task_write_caption.handler import handler as task_write_caption
from socialflow.ai import asking
from socialflow.ai.asking import Account, Answered, NotAnswered
from socialflow.ai.gateway import Question
from socialflow.captions.model import Draft
from socialflow.platform import pace, work
from socialflow.platform.clock import now
from socialflow.platform.settings import CaptionPaceSettings
from tests.api import Reply
from tests.integration.conftest import Member
from tests.integration.media.conftest import Studio


class Model:
    """Whatever is asked of models, with answers as scripted; they are read as the task reads them."""

    def __init__(self, *texts: str) -> None:
        self.texts = list(texts)
        self.told: list[dict[str, Any]] = []
        self.refuses = ""

    def __call__(
        self, account: Account, question: Question, read: Callable[[str], list[Draft]]
    ) -> Answered[list[Draft]]:
        self.told.append(json.loads(question.messages[1]["content"][0]["text"]))
        if self.refuses:
            raise NotAnswered(self.refuses)
        captions = [{"caption": text, "hashtags": ["sea"], "description": "A harbour."} for text in self.texts]
        return Answered(read(json.dumps({"captions": captions})), "a-model")


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Model:
    made = Model("A quiet harbour.", "Boats at rest.", "Blue hour.", "Still water.")
    monkeypatch.setattr(asking, "ask", made)
    return made


def ask(studio: Studio, media_id: str, wish: dict[str, Any] | None = None, **headers: str) -> Reply:
    client = studio.client.with_headers(**headers) if headers else studio.client
    return client.post(f"/v1/media/{media_id}/captions", {} if wish is None else wish)


def asked(studio: Studio, media_id: str, **wish: Any) -> str:
    reply = ask(studio, media_id, wish)
    assert reply.status == 202, reply
    assert reply.json["state"] == "open"
    where = f"/v1/media/{media_id}/captions/requests/{reply.json['id']}"
    assert reply.headers["location"] == where
    return str(reply.json["id"])


def written(studio: Studio, request_id: str, run: int | None = None) -> str:
    event = {
        "v": 1,
        "tenant": "acme",
        "kind": "caption",
        "id": request_id,
        "run": run or studio.start(request_id, "caption"),
    }
    return str(task_write_caption(event, None)["outcome"])


def read(studio: Studio, media_id: str, request_id: str) -> dict[str, Any]:
    return dict(studio.client.get(f"/v1/media/{media_id}/captions/requests/{request_id}").json)


def test_a_new_caption_becomes_the_present_one_and_its_review_is_to_be_read_again(studio: Studio, model: Model) -> None:
    media_id, _ = studio.in_review(caption={"skip": True})
    before = studio.client.get(f"/v1/media/{media_id}/review").headers["etag"]
    request_id = asked(studio, media_id, prompt="About the sea", tone="playful", length="short", language="de-at")
    assert written(studio, request_id) == "captioned"
    told = read(studio, media_id, request_id)
    assert (told["state"], [one["text"] for one in told["captions"]]) == ("written", ["A quiet harbour."])
    assert model.told[0] == {
        "taken_at": "2024-05-06T07:08:09",
        "wish": "About the sea",
        "tone": "playful",
        "length": "one sentence",
        "language": "de-AT",
    }
    shown = studio.read(media_id)["caption"]
    assert (shown["text"], shown["alt_text"]) == ("A quiet harbour.", "A harbour.")
    assert studio.client.get(f"/v1/media/{media_id}/review").headers["etag"] != before
    assert {"caption.requested", "caption.generated"} <= set(studio.facts(media_id))
    assert studio.value("SELECT wake_at FROM cell.work WHERE id = %s", request_id) is None


def test_four_alternatives_are_four_versions_and_the_first_is_the_present_one(studio: Studio, model: Model) -> None:
    media_id, _ = studio.in_review(caption={"skip": True})
    request_id = asked(studio, media_id, alternatives=4)
    assert written(studio, request_id) == "captioned"
    told = read(studio, media_id, request_id)["captions"]
    assert [(one["alternative"], one["version"], one["text"]) for one in told] == [
        (1, 4, "A quiet harbour."),
        (2, 3, "Boats at rest."),
        (3, 2, "Blue hour."),
        (4, 1, "Still water."),
    ]
    assert studio.read(media_id)["caption"]["text"] == "A quiet harbour."
    assert model.told[0]["alternatives"] == 4


def test_a_variant_for_a_network_fits_it_and_is_not_the_caption_under_review(studio: Studio, model: Model) -> None:
    media_id, _ = studio.in_review(caption={"skip": True})
    studio.client.post(f"/v1/media/{media_id}/review/approve", {"caption": "By hand"})
    model.texts = ["A sentence about boats that goes on for a while. " * 20]
    studio.value("UPDATE t_acme.media_items SET state = 'approved' WHERE id = %s RETURNING 1", media_id)
    request_id = asked(studio, media_id, network="twitter")
    assert written(studio, request_id) == "captioned"
    (variant,) = read(studio, media_id, request_id)["captions"]
    assert (variant["network"], variant["notes"]) == ("x", ["shortened"])
    assert len(variant["rendered"]) <= 280
    assert studio.read(media_id)["caption"]["text"] == "By hand"
    assert model.told[0]["characters"] == 280


def test_the_teams_voice_and_what_it_has_approved_are_told_and_banned_words_are_not_used(
    studio: Studio, model: Model, member: Member
) -> None:
    other, _ = studio.in_review(caption={"skip": True})
    studio.client.post(f"/v1/media/{other}/review/approve", {"caption": "What we liked before"})
    contoso = member("owner", "contoso").with_headers(**{"if-match": "*"})
    assert contoso.patch("/v1/tenant", {"settings": {"brand_voice": "Loud"}}).status == 200
    settings = {"brand_voice": "Warm and short", "banned_words": ["Quiet"], "languages": ["pt-BR"]}
    admin = member("admin").with_headers(**{"if-match": "*"})
    assert admin.patch("/v1/tenant", {"settings": settings}).status == 200
    media_id, _ = studio.in_review(caption={"skip": True})
    request_id = asked(studio, media_id, alternatives=2)
    model.texts = ["A quiet harbour.", "Boats at rest, quietly."]  # part of another word is another word
    assert written(studio, request_id) == "captioned"
    assert [one["text"] for one in read(studio, media_id, request_id)["captions"]] == ["Boats at rest, quietly."]
    told = model.told[0]
    assert (told["voice"], told["banned"], told["language"]) == ("Warm and short", ["Quiet"], "pt-BR")
    assert told["examples"] == ["What we liked before"]


def test_a_repetition_of_the_task_or_the_request_writes_nothing_twice(studio: Studio, model: Model) -> None:
    media_id, _ = studio.in_review(caption={"skip": True})
    first, again = (ask(studio, media_id, None, **{"idempotency-key": "one-wish"}) for _ in range(2))
    assert first.json == again.json
    assert again.headers["idempotency-replayed"] == "true"
    request_id = str(first.json["id"])
    run = studio.start(request_id, "caption")
    assert [written(studio, request_id, run), written(studio, request_id, run)] == ["captioned", "superseded"]
    assert written(studio, request_id) == "captioned"
    assert len(studio.client.get(f"/v1/media/{media_id}/captions").json["items"]) == 1
    assert len(model.told) == 1


def test_an_older_run_writes_nothing(studio: Studio, model: Model) -> None:
    media_id, _ = studio.in_review(caption={"skip": True})
    request_id = asked(studio, media_id)
    old = studio.start(request_id, "caption")
    studio.start(request_id, "caption")
    assert written(studio, request_id, old) == "superseded"
    assert model.told == []


def test_one_at_a_time(studio: Studio, model: Model) -> None:
    media_id, _ = studio.in_review(caption={"skip": True})
    asked(studio, media_id)
    refused = ask(studio, media_id)
    assert (refused.status, refused.code) == (409, "caption-under-way")
    assert refused.headers["retry-after"]


def test_without_an_answer_the_request_says_why_and_the_caption_stays(studio: Studio, model: Model) -> None:
    media_id, _ = studio.in_review(caption={"skip": True})
    model.refuses = "budget-exceeded"
    request_id = asked(studio, media_id)
    assert written(studio, request_id) == "skipped"
    told = read(studio, media_id, request_id)
    assert (told["state"], told["reason"]) == ("skipped", "budget-exceeded")
    assert told["detail"].endswith("Write the caption yourself.")
    assert studio.client.post(f"/v1/media/{media_id}/review/approve", {"caption": "By hand"}).status == 200


def test_a_decided_or_unprocessed_media_item_gets_no_new_caption(studio: Studio, model: Model) -> None:
    waiting = studio.uploaded()
    refused = ask(studio, waiting)
    assert (refused.status, refused.code) == (409, "cannot-caption")
    media_id, run = studio.in_review(caption={"skip": True})
    studio.client.post(f"/v1/media/{media_id}/review/reject", {"reason": "No"})
    assert studio.settle(media_id, run) == "rejected"
    assert (ask(studio, media_id).status, ask(studio, media_id, {"network": "x"}).status) == (409, 409)


def test_a_caption_that_comes_after_the_decision_changes_no_decision(studio: Studio, model: Model) -> None:
    media_id, _ = studio.in_review(caption={"skip": True})
    request_id = asked(studio, media_id)
    assert studio.client.post(f"/v1/media/{media_id}/review/approve", {"caption": "By hand"}).status == 200
    decided = studio.client.get(f"/v1/media/{media_id}/review").json
    assert written(studio, request_id) == "skipped"
    assert read(studio, media_id, request_id)["reason"] == "review-decided"
    after = studio.client.get(f"/v1/media/{media_id}/review").json
    assert (after["state"], after["version"]) == (decided["state"], decided["version"])
    assert studio.read(media_id)["caption"]["text"] == "By hand"


def test_what_is_asked_for_is_started_within_a_minute(
    studio: Studio, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    media_id, _ = studio.in_review(caption={"skip": True})
    request_id = asked(studio, media_id)
    started: list[tuple[str, work.Run]] = []
    monkeypatch.setattr(work, "_start", lambda machine, run: started.append((machine, run)))
    cron_reconcile({}, None)
    assert [(machine, run.id) for machine, run in started if run.kind == "caption"] == [
        (studio.cloud.caption, UUID(request_id))
    ]


def test_the_twenty_first_caption_of_a_minute_waits_its_turn_once(studio: Studio, model: Model) -> None:
    media_id, _ = studio.in_review(caption={"skip": True})
    for _ in range(20):
        assert pace.book("ai:caption:acme", 20, longest=0) == 0
    request_id = asked(studio, media_id)
    run = studio.start(request_id, "caption")
    event = {"v": 1, "tenant": "acme", "kind": "caption", "id": request_id, "run": run}
    told = task_write_caption(event, None)
    assert told["outcome"] == "later"
    assert task_write_caption(event, None) == told  # it has its turn, and does not ask for another
    wakes = studio.value("SELECT wake_at FROM cell.work WHERE id = %s", request_id)
    assert wakes > now() + work.GRACE
    assert model.told == []
    studio.value("UPDATE t_acme.caption_requests SET turn_at = now() WHERE id = %s RETURNING 1", request_id)
    assert task_write_caption(event, None)["outcome"] == "captioned"


@pytest.mark.parametrize("most", [20, 5])
def test_who_would_wait_longer_than_a_minute_is_told_to_come_again(
    studio: Studio, model: Model, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(CaptionPaceSettings, "from_env", lambda: CaptionPaceSettings(most))
    media_id, _ = studio.in_review(caption={"skip": True})
    for _ in range(2 * most + 1):
        assert pace.book("ai:caption:acme", most, longest=120) is not None
    refused = ask(studio, media_id)
    assert (refused.status, refused.code) == (429, "too-many-requests")
    assert refused.headers["retry-after"] == "60"
    assert f"{most} captions a minute" in refused.json["detail"]


def test_turns_are_never_more_than_twenty_a_minute(studio: Studio) -> None:
    waits = [pace.book("ai:caption:acme", 20, longest=300) for _ in range(80)]
    assert waits[:20] == [0.0] * 20
    later = [wait for wait in waits if wait]
    assert all(2.5 < second - first <= 3.0 for first, second in pairwise(later))
    assert pace.book("ai:caption:acme", 20, longest=60) is None
    assert pace.book("ai:caption:contoso", 20, longest=0) == 0


def test_two_versions_are_compared(studio: Studio, model: Model) -> None:
    media_id, _ = studio.in_review(caption={"skip": True})
    written(studio, asked(studio, media_id))
    tag = studio.client.get(f"/v1/media/{media_id}/review").headers["etag"]
    edit = {"caption": "A loud harbour.", "hashtags": ["boats"]}
    assert studio.client.with_headers(**{"if-match": tag}).patch(f"/v1/media/{media_id}/review", edit).status == 200
    told = studio.client.get(f"/v1/media/{media_id}/captions/diff?from=1&to=2").json
    assert [(part["op"], part["text"]) for part in told["text"]] == [
        ("equal", "A "),
        ("delete", "quiet"),
        ("insert", "loud"),
        ("equal", " harbour."),
    ]
    assert (told["hashtags_removed"], told["hashtags_added"]) == (["sea"], ["boats"])
    for query, status in (("from=1&to=9", 404), ("from=0&to=1", 422), ("from=1", 422), ("from=x&to=1", 422)):
        assert studio.client.get(f"/v1/media/{media_id}/captions/diff?{query}").status == status, query


def test_versions_come_in_pages(studio: Studio, model: Model) -> None:
    media_id, _ = studio.in_review(caption={"skip": True})
    written(studio, asked(studio, media_id, alternatives=4))
    seen, where = [], f"/v1/media/{media_id}/captions?limit=3"
    page = studio.client.get(where).json
    seen += [one["version"] for one in page["items"]]
    page = studio.client.get(f"{where}&cursor={page['next_cursor']}").json
    assert seen + [one["version"] for one in page["items"]] == [1, 2, 3, 4]
    assert page["next_cursor"] is None


def test_a_request_of_another_media_item_or_tenant_is_nobodys(studio: Studio, model: Model, member: Member) -> None:
    media_id, _ = studio.in_review(caption={"skip": True})
    other, _ = studio.in_review(caption={"skip": True})
    request_id = asked(studio, media_id)
    assert studio.client.get(f"/v1/media/{other}/captions/requests/{request_id}").status == 404
    contoso = member("owner", "contoso")
    assert contoso.get(f"/v1/media/{media_id}/captions/requests/{request_id}").status == 404
    assert contoso.post(f"/v1/media/{media_id}/captions", {}).status == 404


@pytest.mark.parametrize(
    "wish",
    [
        {"prompt": "x" * 1001},
        {"prompt": "a\x00b"},
        {"tone": "rude"},
        {"alternatives": 5},
        {"alternatives": "2"},
        {"network": "myspace"},
        {"language": "nonsense!"},
        {"surprise": 1},
    ],
)
def test_a_wish_that_cannot_be_is_told_in_words(studio: Studio, model: Model, wish: dict[str, Any]) -> None:
    media_id, _ = studio.in_review(caption={"skip": True})
    refused = ask(studio, media_id, wish)
    assert refused.status == 422, refused
    assert refused.json["errors"]
    assert studio.value("SELECT count(*) FROM cell.work WHERE kind = 'caption'") == 0


def test_nothing_that_is_hidden_from_the_reviewer_is_left_in_a_caption(studio: Studio, model: Model) -> None:
    media_id, _ = studio.in_review(caption={"skip": True})
    model.texts = ["Win at https://evil.example with @evil\u202e now"]
    request_id = asked(studio, media_id)
    assert written(studio, request_id) == "captioned"
    (caption,) = read(studio, media_id, request_id)["captions"]
    assert caption["text"] == "Win at with now"
    assert caption["notes"] == ["hidden-characters-removed", "link-removed", "mention-removed"]
