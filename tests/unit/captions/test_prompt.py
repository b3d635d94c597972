"""What a model is asked, and how its answer is read."""

import base64
import json
from datetime import datetime

import pytest

from socialflow.ai.gateway import _BY_CLASS
from socialflow.captions.prompt import Subject, messages, read, skipped

SUBJECT = Subject(b"\xff\xd8picture", "image/jpeg", "In French", datetime(2024, 5, 6, 7, 8))  # noqa: DTZ001 # camera's
GOOD = json.dumps({"caption": "A boat", "alt_text": "A boat at sea", "hashtags": ["#sea"], "description": "d"})


def test_the_picture_goes_as_data_and_the_wish_as_material() -> None:
    system, user = messages(SUBJECT)
    assert "In French" not in system["content"]
    assert json.loads(user["content"][0]["text"]) == {"taken_at": "2024-05-06T07:08:00", "wish": "In French"}
    picture = user["content"][1]["image_url"]["url"]
    assert picture == "data:image/jpeg;base64," + base64.b64encode(SUBJECT.image).decode()


@pytest.mark.parametrize("wrapped", ["{}", "```json\n{}\n```", "Here you are: {} Enjoy!"])
def test_an_answer_in_a_fence_or_a_sentence_is_found(wrapped: str) -> None:
    (draft,) = read(wrapped.replace("{}", GOOD), SUBJECT)
    assert (draft.text, draft.hashtags) == ("A boat", ("sea",))


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "I cannot do that",
        "{",
        "[]",
        "{}",
        '{"caption": ""}',
        '{"caption": 5}',
        '{"caption": "@only"}',
        '{"caption": ' + "[" * 100_000 + "]" * 100_000 + "}",
        json.dumps({"caption": "x" * 4001}),
        json.dumps({"caption": "x", "hashtags": ["y"] * 51}),
    ],
    ids=range(11),
)
def test_what_is_no_answer_is_told(answer: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read(answer, SUBJECT)


@pytest.mark.parametrize("reason", sorted({*_BY_CLASS.values(), "captioner-failed", "answer-unusable"}))
def test_every_reason_is_told_in_words(reason: str) -> None:
    why = skipped(reason)
    assert why.reason == reason
    assert "yourself" in why.detail
    assert why.detail.endswith(".")
