"""Write Caption: through LiteLLM to the offline captioner, and on without it where there is none."""

import base64
import io
import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
import uvicorn
from PIL import Image

from functions.task_write_caption.handler import handler as task_write_caption
from infra_cdk.local.offline_ai import app
from socialflow.ai import asking
from socialflow.ai.asking import Account, Answered, NotAnswered
from socialflow.ai.gateway import Question
from socialflow.captions.model import Draft
from socialflow.platform import secrets, settings, work
from socialflow.platform.clock import now
from tests.integration.media.conftest import Studio
from tests.pictures import photo


@pytest.fixture(scope="module")
def offline() -> Iterator[str]:
    """The offline captioner on loopback; its base URL."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        server.should_exit = True
        thread.join()


@pytest.fixture
def captioner(offline: str, studio: Studio, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A function that is told to use the offline captioner."""
    monkeypatch.setattr(asking, "PAUSES", ())
    secret = boto3.client("secretsmanager").create_secret(Name=f"captioner-{time.time_ns()}", SecretString="offline")
    told(monkeypatch, CAPTION_API_BASE=offline, CAPTION_API_KEY_SECRET=secret["ARN"])
    yield
    monkeypatch.undo()
    settings.forget()
    secrets.forget_all()


def told(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(settings.PREFIX + name, value)
    settings.forget()


def processed(studio: Studio, data: bytes | None = None, **changed: object) -> tuple[str, int]:
    media_id = studio.uploaded(data, **changed)
    run = studio.start(media_id)
    assert studio.process(media_id, run) == "processed"
    return media_id, run


def caption(studio: Studio, media_id: str, run: int) -> str:
    return str(task_write_caption(studio.given(media_id, run), None)["outcome"])


def test_a_photo_is_described_by_its_colours_light_and_date(studio: Studio, captioner: None) -> None:
    media_id, run = processed(studio)
    assert caption(studio, media_id, run) == "captioned"
    shown = studio.read(media_id)
    assert shown["caption"]["text"] == "Brown and blue in even light. May 2024."
    assert shown["caption"]["rendered"].endswith("\n\n#brown #blue #portrait #photo")
    assert (shown["caption"]["source"], shown["caption"]["model"]) == ("ai", "offline-basic")
    assert shown["caption"]["alt_text"].startswith("A portrait-format picture, mostly brown and blue")
    assert shown["caption_request"] == {"state": "written", "reason": None, "detail": None}
    assert "caption.generated" in studio.facts(media_id)


def test_an_upload_whose_captions_turn_is_later_leaves_its_room_and_is_written_in_its_turn(
    studio: Studio, captioner: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(monkeypatch, CAPTIONS_PER_MINUTE="1")
    first, second = processed(studio), processed(studio, photo(sky="darkgreen"))
    assert caption(studio, *first) == "captioned"
    begun = "SELECT begun_at FROM cell.work WHERE id = %s"
    studio.value("UPDATE cell.work SET begun_at = now() WHERE id = %s RETURNING 1", second[0])
    assert caption(studio, *second) == "later"
    assert studio.value(begun, second[0]) is None
    assert studio.value("SELECT wake_at FROM cell.work WHERE id = %s", second[0]) > now() + work.GRACE
    studio.value("UPDATE t_acme.caption_requests SET turn_at = now() WHERE media_id = %s RETURNING 1", second[0])
    assert caption(studio, *second) == "captioned"


def test_two_swapped_photos_swap_their_captions(studio: Studio, captioner: None) -> None:
    sea, wood = photo(), photo(sky="darkgreen", ground="black")

    def both(first: bytes, second: bytes) -> list[str]:
        told_of = []
        for data in (first, second):
            media_id, run = processed(studio, data)
            caption(studio, media_id, run)
            told_of.append(studio.read(media_id)["caption"]["rendered"])
        return told_of

    there, back = both(sea, wood), both(wood, sea)
    assert there[0] != there[1]
    assert there == back[::-1]


def test_a_repetition_writes_no_second_caption(studio: Studio, captioner: None) -> None:
    media_id, run = processed(studio)
    assert [caption(studio, media_id, run) for _ in range(2)] == ["captioned", "captioned"]
    assert caption(studio, media_id, studio.start(media_id)) == "captioned"
    assert len(studio.client.get(f"/v1/media/{media_id}/captions").json["items"]) == 1


def test_an_answer_that_two_runs_had_asked_for_is_written_once(
    studio: Studio, captioner: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    media_id, old = processed(studio)
    ask = asking.ask

    def overtaken(*asked: Any) -> Answered[list[Draft]]:
        monkeypatch.setattr(asking, "ask", ask)
        assert caption(studio, media_id, studio.start(media_id)) == "captioned"
        return ask(*asked)

    monkeypatch.setattr(asking, "ask", overtaken)
    assert caption(studio, media_id, old) == "superseded"
    assert studio.value("SELECT count(*) FROM t_acme.captions") == 1


def test_two_answers_of_one_run_are_written_once(
    studio: Studio, captioner: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine retries a task whose answer got lost: both calls belong to the newest run."""
    media_id, run = processed(studio)
    ask = asking.ask

    def doubled(*asked: Any) -> Answered[list[Draft]]:
        monkeypatch.setattr(asking, "ask", ask)
        assert caption(studio, media_id, run) == "captioned"
        return ask(*asked)

    monkeypatch.setattr(asking, "ask", doubled)
    assert caption(studio, media_id, run) == "captioned"
    assert studio.value("SELECT count(*) FROM t_acme.captions") == 1
    assert studio.facts(media_id).count("caption.generated") == 1


def test_the_small_derivative_is_what_the_captioner_sees(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Question] = []

    def look(_account: Account, question: Question, _read: object) -> Answered[list[Draft]]:
        seen.append(question)
        return Answered([Draft("Seen")], "a-model")

    monkeypatch.setattr(asking, "ask", look)
    media_id, run = processed(studio, photo(3000, 2000), caption={"prompt": "In French"})
    assert caption(studio, media_id, run) == "captioned"
    told, picture = seen[0].messages[1]["content"]
    assert json.loads(told["text"])["wish"] == "In French"
    data = base64.b64decode(picture["image_url"]["url"].partition(";base64,")[2])
    assert Image.open(io.BytesIO(data)).size == (600, 900)


def test_without_a_captioner_the_review_goes_on_and_says_why(
    studio: Studio, captioner: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(monkeypatch, CAPTION_API_BASE="http://127.0.0.1:9/v1")
    media_id, run = processed(studio)
    assert caption(studio, media_id, run) == "skipped"
    assert studio.read(media_id)["caption_request"] == {
        "state": "skipped",
        "reason": "captioner-unreachable",
        "detail": "The captioner does not answer. Write the caption yourself.",
    }
    assert studio.wait(media_id, run) == "waiting"
    assert studio.client.post(f"/v1/media/{media_id}/review/approve", {"caption": "By hand"}).status == 200


def test_a_skipped_wish_stays_skipped_for_later_runs(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_asked: object) -> Answered[list[Draft]]:
        raise NotAnswered("budget-exceeded")

    monkeypatch.setattr(asking, "ask", refuse)
    media_id, run = processed(studio)
    assert caption(studio, media_id, run) == "skipped"
    monkeypatch.undo()
    settings.forget()
    assert caption(studio, media_id, studio.start(media_id)) == "skipped"


def test_whoever_wants_no_caption_gets_none(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "ask", lambda *_asked: pytest.fail("the captioner was asked"))
    media_id, run = processed(studio, caption={"skip": True})
    assert caption(studio, media_id, run) == "skipped"
    assert studio.read(media_id)["caption_request"] is None


def test_an_older_run_asks_nobody(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "ask", lambda *_asked: pytest.fail("the captioner was asked"))
    media_id, old = processed(studio)
    studio.start(media_id)
    assert caption(studio, media_id, old) == "superseded"
