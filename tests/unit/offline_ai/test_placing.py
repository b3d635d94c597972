"""Texts as points by their words."""

import json
import math

import pytest

from infra_cdk.local.offline_ai.placing import DIMENSION, placed
from infra_cdk.local.offline_ai.server import BadRequest, embedded
from socialflow.ai.embedders import OFFLINE


def near(one: str, other: str) -> float:
    return sum(a * b for a, b in zip(placed(one), placed(other), strict=True))


@pytest.mark.parametrize("text", ["A boat in the harbour", "", "  ", "🙂", "Ein Schiff, ein Boot", "船" * 5_000])
def test_a_vector_has_length_one_and_the_size_that_the_table_says(text: str) -> None:
    assert len(placed(text)) == DIMENSION == OFFLINE.dimension
    assert math.isclose(math.hypot(*placed(text)), 1.0)
    assert placed(text) == placed(text)


def test_what_shares_words_lies_nearer_than_what_does_not() -> None:
    boat = "A boat in the harbour"
    assert near(boat, "Boats in harbours") > near(boat, "A motorcycle on a road")
    assert near(boat, "a BOAT, in the Harbour!") == pytest.approx(1.0)
    assert near("boat", "ship") < 0.3, "it knows words, and nothing that they mean"


def test_it_answers_as_openai_does() -> None:
    told = embedded(json.dumps({"model": "any", "input": ["a boat", "a dog"]}).encode())
    assert [each["index"] for each in told["data"]] == [0, 1]
    assert told["data"][0]["embedding"] == placed("a boat")
    assert embedded(b'{"input": "a boat"}')["data"][0]["embedding"] == placed("a boat")


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b'{"input": 5}', b'{"input": [5]}', b'{"input": null}', b"\xff"])
def test_nonsense_is_refused_in_words(raw: bytes) -> None:
    with pytest.raises(BadRequest, match="cannot be read"):
        embedded(raw)
