"""The one way to a model: whatever it does ends in an answer or a reason, and every call is settled."""

from collections.abc import Callable, Iterator

import httpx
import psycopg
import pytest

from socialflow.ai import gateway, service
from socialflow.ai.asking import Account, Answered, NotAnswered, ask
from socialflow.ai.model import RESERVED_FOR
from socialflow.captions.model import Draft
from socialflow.platform import settings
from socialflow.platform.clock import now
from socialflow.platform.database import engine_room
from tests.integration.ai.conftest import GOOD, QUESTION, Library, error, read

Outcomes = Callable[[], list[tuple[str, str | None, int]]]


@pytest.fixture(autouse=True)
def environment(account: Account, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SOCIALFLOW_CAPTION_MODEL", "openai/gpt-4.1-mini")
    settings.forget()
    yield
    settings.forget()


def asked(account: Account, library: Library) -> Answered[Draft]:
    return ask(account, QUESTION, read, complete=library, pause=lambda _seconds: None)


def refused(account: Account, library: Library) -> str:
    with pytest.raises(NotAnswered) as why:
        asked(account, library)
    return why.value.reason


def test_an_answer_is_read_and_paid_for(account: Account, outcomes: Outcomes) -> None:
    library = Library(GOOD)
    answered = asked(account, library)
    assert (answered.value.text, answered.model) == ("A boat", "a-model")
    call = library.calls[0]
    assert (call["model"], call["api_base"], call["api_key"]) == ("openai/gpt-4.1-mini", None, None)
    assert (call["max_tokens"], call["num_retries"], call["max_retries"]) == (500, 0, 0)
    assert outcomes() == [("settled", "answered", 560)]


@pytest.mark.parametrize(
    ("raised", "reason", "tries", "billed"),
    [
        (error("RateLimitError"), "captioner-busy", 3, False),
        (error("Timeout"), "captioner-unreachable", 3, True),
        (error("APIConnectionError"), "captioner-unreachable", 3, True),
        (error("APIConnectionError", cause=httpx.ConnectError("refused")), "captioner-unreachable", 3, False),
        (error("InternalServerError"), "captioner-unreachable", 3, False),
        (error("BudgetExceededError"), "budget-exceeded", 1, False),
        (error("ContentPolicyViolationError"), "content-policy", 1, False),
        (error("AuthenticationError"), "captioner-denied", 1, False),
        (error("OfAProvider", type(error("RateLimitError"))), "captioner-busy", 3, False),
        (RuntimeError("a bug of the library"), "captioner-failed", 1, True),
        (KeyError("choices"), "captioner-failed", 1, True),
        (ValueError("from inside the library"), "captioner-failed", 1, True),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_every_failure_is_a_reason_and_counted_where_it_may_be_billed(  # noqa: PLR0917 # pytest gives them by name
    account: Account, outcomes: Outcomes, raised: Exception, reason: str, tries: int, billed: bool
) -> None:
    library = Library(raised)
    assert refused(account, library) == reason
    assert len(library.calls) == tries
    found = outcomes()
    assert [call[:2] for call in found] == [("settled", reason)] * tries
    assert all((call[2] > 0) is billed for call in found)


def test_an_unusable_answer_is_paid_for_asked_for_again_and_then_left(account: Account, outcomes: Outcomes) -> None:
    library = Library("I cannot do that")
    assert refused(account, library) == "answer-unusable"
    assert outcomes() == [("settled", "answered", 560)] * 3
    assert asked(account, Library("{", GOOD)).value.text == "A boat"


def test_an_answer_that_does_not_say_what_it_used_is_counted_in_full(account: Account, outcomes: Outcomes) -> None:
    asked(account, Library(GOOD, tokens=None))
    ((state, outcome, micros),) = outcomes()
    assert (state, outcome) == ("settled", "answered")
    assert micros > 560


def test_pauses_grow_and_end(account: Account) -> None:
    pauses: list[float] = []
    with pytest.raises(NotAnswered):
        ask(account, QUESTION, read, complete=Library(error("RateLimitError")), pause=pauses.append)
    assert pauses == [1.0, 2.0]


def test_no_further_try_that_would_pass_the_deadline(account: Account) -> None:
    clock = iter([0.0, 30.0])
    library = Library(error("Timeout"))
    with pytest.raises(NotAnswered):
        ask(
            account,
            QUESTION,
            read,
            complete=library,
            pause=lambda _seconds: pytest.fail("it waits"),
            clock=lambda: next(clock),
        )
    assert len(library.calls) == 1


def test_without_a_budget_nobody_is_asked(account: Account, outcomes: Outcomes) -> None:
    account.tenant.settings["ai_budget_usd"] = 0  # type: ignore[index] # a row's own dictionary
    library = Library(GOOD)
    assert refused(account, library) == "budget-exceeded"
    assert library.calls == []
    assert outcomes() == []


def test_a_model_without_a_price_is_not_asked_elsewhere(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOCIALFLOW_CAPTION_MODEL", "openai/whatever-is-new")
    settings.forget()
    library = Library(GOOD)
    assert refused(account, library) == "captioner-failed"
    assert library.calls == []


def test_a_function_that_is_killed_during_a_call_leaves_nothing_reserved(
    account: Account, outcomes: Outcomes, owner: psycopg.Connection
) -> None:
    with pytest.raises(SystemExit):
        asked(account, Library(SystemExit()))
    assert outcomes() == [("open", None, 0)]
    with engine_room() as connection:
        assert service.sweep(connection, at=now() + RESERVED_FOR) == 1
    ((state, outcome, micros),) = outcomes()
    assert (state, outcome) == ("lost", "lost")
    assert micros > 0
    assert owner.execute("SELECT reserved_micros, reserved_tokens FROM cell.ai_budget").fetchall() == [(0, 0)]


@pytest.mark.parametrize("told", [(10**30, 1), (1, 10**30), (-1, 1)])
def test_a_count_that_cannot_be_is_not_believed(account: Account, outcomes: Outcomes, told: tuple[int, int]) -> None:
    assert asked(account, Library(GOOD, tokens=told)).value.text == "A boat"
    ((state, outcome, micros),) = outcomes()
    assert (state, outcome) == ("settled", "answered")
    assert 0 < micros < 10_000, "what was reserved"


def test_the_real_library_is_asked_for_what_it_knows(account: Account) -> None:
    """LiteLLM's own errors have the names that the gateway goes by, and its mock answers pass through it."""
    library = gateway.litellm()
    for name in gateway._BY_CLASS:
        assert isinstance(getattr(library, name, None) or getattr(library.exceptions, name), type), name
    made = ask(account, QUESTION, read, complete=lambda **call: library.completion(**call, mock_response=GOOD))
    assert made.value.text == "A boat"
    with pytest.raises(NotAnswered) as why:
        ask(
            account,
            QUESTION,
            read,
            complete=lambda **call: library.completion(**call, mock_response="litellm.RateLimitError"),
            pause=lambda _seconds: None,
        )
    assert why.value.reason == "captioner-busy"
