"""However a file is damaged, it is processed or refused: a few tries of each run, thousands by `make fuzz`."""

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from socialflow.media.model import UnfitFile
from tests import fuzz

KNOWN = {"processed", "damaged", "not-a-picture", "type-differs", "too-many-pixels", "too-long", "too-complex"}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.randoms(use_true_random=False), st.data())
def test_a_damaged_file_is_processed_or_refused(rng: random.Random, data: st.DataObject) -> None:
    declared, whole = data.draw(st.sampled_from(fuzz.seeds()))
    _, other = data.draw(st.sampled_from(fuzz.seeds()))
    assert fuzz.outcome(fuzz.damaged(rng, whole, other), declared) in KNOWN


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(fuzz.TYPES))
def test_bytes_that_nobody_chose_are_refused(data: bytes, declared: str) -> None:
    assert fuzz.outcome(data, declared) in {"damaged", "not-a-picture", "type-differs"}


def test_what_is_no_refusal_is_told() -> None:
    """The fuzz would hide a mistake if it took every exception for a refusal."""
    assert not issubclass(UnfitFile, (OSError, ValueError, RuntimeError))
