"""The table of models is LiteLLM's; what a call may come to is never less than what it comes to."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from socialflow.ai.catalogue import MODELS, Model, known
from socialflow.ai.gateway import litellm
from socialflow.ai.model import MICROS, Caps, Purse, caps, cost, most

NAMES = sorted(MODELS)


@pytest.mark.parametrize("name", NAMES)
def test_a_price_is_the_one_of_the_library(name: str) -> None:
    model, table = MODELS[name], litellm().model_cost
    listed = table.get(name) or table[name.partition("/")[2]]
    assert model.usd_in == pytest.approx(listed["input_cost_per_token"] * MICROS)
    assert model.usd_out == pytest.approx(listed["output_cost_per_token"] * MICROS)
    assert listed["supports_vision"]
    for tokens in ((1, 1), (1_234, 321), (1_000_000, 0)):
        told = sum(litellm().cost_per_token(model=name, prompt_tokens=tokens[0], completion_tokens=tokens[1]))
        assert told * MICROS <= cost(model, *tokens) < told * MICROS + 1 + 1e-6


@settings(deadline=None)  # the first of them loads a tokenizer
@given(st.text(max_size=2_000), st.integers(0, 4), st.integers(1, 4_000), st.sampled_from(NAMES))
def test_what_is_reserved_is_enough(text: str, pictures: int, max_tokens: int, name: str) -> None:
    model = MODELS[name]
    reserved = most(model, text=text, pictures=pictures, max_tokens=max_tokens)
    tokens_in = litellm().token_counter(text=text) + pictures * model.picture_tokens
    assert reserved.tokens >= tokens_in + max_tokens
    assert reserved.micros >= cost(model, tokens_in, max_tokens)


def test_a_model_without_a_price_is_asked_on_ones_own_server_only() -> None:
    assert known("openai/offline", own_server=True) == Model("openai/offline", "offline", 0.0, 0.0)
    assert known("openai/offline", own_server=False) is None


@pytest.mark.parametrize(
    ("plan", "own", "owner", "expected"),
    [
        ("free", None, "platform", Caps(1 * MICROS, 250_000)),
        ("free", 0.25, "platform", Caps(250_000, 250_000)),
        ("free", 900, "platform", Caps(1 * MICROS, 250_000)),
        ("free", 0, "platform", Caps(0, 250_000)),
        ("enterprise", None, "platform", Caps(5_000 * MICROS, None)),
        ("free", None, "tenant", Caps(None, None)),
        ("free", 7, "tenant", Caps(7 * MICROS, None)),
    ],
)
def test_the_lower_of_two_caps_holds(plan: str, own: float | None, owner: str, expected: Caps) -> None:
    assert caps(plan, {} if own is None else {"ai_budget_usd": own}, owner) == expected  # type: ignore[arg-type] # either owner


@pytest.mark.parametrize(
    ("purse", "close"),
    [
        (Purse(90, 10, 0, 0), None),
        (Purse(91, 0, 0, 0), "ai_budget_usd"),
        (Purse(0, 100, 0, 100), None),
        (Purse(0, 0, 910, 0), "ai_tokens"),
    ],
)
def test_a_warning_is_about_what_is_spent(purse: Purse, close: str | None) -> None:
    assert purse.close_to(Caps(100, 1_000)) == close
    assert purse.close_to(Caps(None, None)) is None
