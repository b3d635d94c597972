"""Each provider's path through LiteLLM, against the vendor's wire shape: whatever happens is a known outcome."""

import base64
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from socialflow.ai import asking, gateway
from socialflow.ai.asking import Account, Answered, NotAnswered
from socialflow.ai.gateway import Route
from socialflow.ai.model import cost
from socialflow.captions.model import Draft
from socialflow.platform import settings
from tests.integration.ai.conftest import GOOD, QUESTION, read
from tests.integration.ai.providers import KEY, VENDORS, Vendor
from tests.integration.ai.servers import Wire, server

Ask = Callable[[], Answered[Draft]]
NAMES = sorted(VENDORS)


@pytest.fixture
def wire() -> Iterator[Wire]:
    """The provider, on loopback."""
    with server() as made:
        yield made


@pytest.fixture
def vendor(request: pytest.FixtureRequest) -> Vendor:
    return VENDORS[request.param]


@pytest.fixture
def ask(vendor: Vendor, wire: Wire, account: Account, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Ask the provider as a task does, the pauses left out."""
    monkeypatch.setattr(asking, "routes", lambda _tenant: [vendor.route(wire.base)])
    more = vendor.arguments(wire.base)

    def complete(**call: Any) -> Any:
        return gateway.litellm().completion(**call, **more)

    return lambda: asking.ask(account, QUESTION, read, complete=complete, pause=lambda _seconds: None)


def reason(ask: Ask) -> str:
    with pytest.raises(NotAnswered) as why:
        ask()
    return why.value.reason


def calls(owner: psycopg.Connection) -> list[tuple[str, int, int, int]]:
    query = "SELECT outcome, tokens_in, tokens_out, micros FROM cell.ai_calls ORDER BY begun_at, id"
    return owner.execute(query).fetchall()


@pytest.mark.parametrize("vendor", NAMES, indirect=True)
def test_an_answer_is_read_and_counted_as_the_provider_counts(
    vendor: Vendor, ask: Ask, wire: Wire, owner: psycopg.Connection
) -> None:
    wire.answers(200, vendor.says(GOOD, ""))
    assert ask().value.text == "A boat"
    assert calls(owner) == [("answered", 1_000, 100, cost(vendor.model, 1_000, 100))]
    # Ollama is also asked what the model can do.
    ((method, body),) = [(asked[0], asked[3]) for asked in wire.asked if asked[1].split("?")[0] == vendor.path]
    assert method == "POST"
    assert base64.b64encode(b"\xff\xd8picture") in body.replace(b"\\/", b"/")
    assert b"http://" not in body, "nothing is to be fetched by the provider"


@pytest.mark.parametrize("vendor", NAMES, indirect=True)
def test_no_secret_is_in_what_is_asked(vendor: Vendor, ask: Ask, wire: Wire) -> None:
    wire.answers(200, vendor.says(GOOD, ""))
    ask()
    for _, path, headers, body in wire.asked:
        assert KEY not in path
        for planted in (KEY, "planted", "arn:aws", "sf_", "postgres"):
            assert planted.encode() not in body
        where = {name.lower() for name, value in headers.items() if KEY in value}
        assert where <= {"authorization", "x-api-key", "x-goog-api-key"}


@pytest.mark.parametrize("vendor", NAMES, indirect=True)
@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (429, {"captioner-busy"}),
        (500, {"captioner-unreachable"}),
        (503, {"captioner-unreachable"}),
        (529, {"captioner-unreachable"}),
    ],
)
def test_what_passes_is_asked_three_times_by_us_and_by_nobody_else(
    vendor: Vendor, ask: Ask, wire: Wire, status: int, expected: set[str]
) -> None:
    kind = "rate_limit_error" if status == 429 else "overloaded_error"
    wire.answers(status, {"error": {"message": "Later", "type": kind}}, retry_after="7")
    assert reason(ask) in expected
    assert len([asked for asked in wire.asked if asked[1].split("?")[0] == vendor.path]) == 3


@pytest.mark.parametrize("vendor", NAMES, indirect=True)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_what_does_not_pass_is_asked_once(vendor: Vendor, ask: Ask, wire: Wire, status: int) -> None:
    wire.answers(status, {"error": {"message": "No", "type": "invalid_request_error"}})
    assert reason(ask) in {"captioner-denied", "captioner-failed"}
    # LiteLLM asks OpenAI a second time after a 422, without what it takes for the fault.
    assert len([asked for asked in wire.asked if asked[1].split("?")[0] == vendor.path]) <= (2 if status == 422 else 1)


@pytest.mark.parametrize("vendor", NAMES, indirect=True)
def test_a_provider_that_is_slow_is_given_up_and_counted(
    vendor: Vendor, ask: Ask, wire: Wire, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "CALL_SECONDS", 0.3)
    monkeypatch.setattr(asking, "PAUSES", ())
    wire.answers(200, vendor.says(GOOD, ""))
    wire.pause = 1.2
    assert reason(ask) == "captioner-unreachable"
    ((_, tokens, _, micros),) = calls(owner)
    assert tokens > 1_000
    assert micros == 0 or micros >= cost(vendor.model, tokens, 0)


@pytest.mark.parametrize("vendor", NAMES, indirect=True)
@pytest.mark.parametrize("what", ["cut", "no JSON", "another JSON"])
def test_an_answer_that_makes_no_sense_is_an_outcome(vendor: Vendor, ask: Ask, wire: Wire, what: str) -> None:
    raw = {"cut": b'{"id": "x", "cho', "no JSON": b"<html>Bad gateway</html>", "another JSON": b'{"hello": "world"}'}
    wire.answers(200, raw[what])
    wire.cut = what == "cut"
    assert reason(ask) in {"captioner-unreachable", "captioner-failed", "answer-unusable"}


@pytest.mark.parametrize("vendor", NAMES, indirect=True)
@pytest.mark.parametrize("said", ['{"caption": 5}', '{"captions": []}', "I am sorry", '{"caption": "@only"}', ""])
def test_a_text_that_is_no_answer_is_asked_for_again_and_left(
    vendor: Vendor, ask: Ask, wire: Wire, owner: psycopg.Connection, said: str
) -> None:
    wire.answers(200, vendor.says(said, ""))
    assert reason(ask) in {"answer-unusable", "captioner-failed"}
    assert all(call[0] in {"answered", "captioner-failed"} for call in calls(owner))
    assert owner.execute("SELECT sum(reserved_micros + reserved_tokens) FROM cell.ai_budget").fetchone() == (0,)


@pytest.mark.parametrize("vendor", [name for name in NAMES if VENDORS[name].declines], indirect=True)
def test_a_provider_that_declines_is_not_asked_again(vendor: Vendor, ask: Ask, wire: Wire) -> None:
    wire.answers(200, vendor.says(None, vendor.declines))
    assert reason(ask) == "content-policy"
    assert len(wire.asked) == 1


@pytest.mark.parametrize("vendor", ["openai"], indirect=True)
@pytest.mark.parametrize(
    "body",
    [
        {
            "error": {
                "code": "content_policy_violation",
                "type": "invalid_request_error",
                "message": "Your request was rejected by our safety system.",
            }
        },
        {"error": {"code": "content_filter", "message": "The response was filtered: content management policy."}},
    ],
)
def test_a_refusal_by_status_is_one_too(vendor: Vendor, ask: Ask, wire: Wire, body: dict[str, Any]) -> None:
    wire.answers(400, body)
    assert reason(ask) == "content-policy"


@pytest.mark.parametrize("vendor", ["openai"], indirect=True)
def test_a_second_choice_is_asked_where_the_first_one_fails(
    vendor: Vendor, wire: Wire, account: Account, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = VENDORS["anthropic"]
    with server() as second:
        monkeypatch.setattr(asking, "routes", lambda _tenant: [vendor.route(wire.base), other.route(second.base)])
        wire.answers(401, {"error": {"message": "No"}})
        second.answers(200, other.says(GOOD, ""))
        answered = asking.ask(account, QUESTION, read, pause=lambda _seconds: None)
    assert answered.value.text == "A boat"
    assert [call[0] for call in calls(owner)] == ["captioner-denied", "answered"]


@pytest.fixture
def own(account: Account, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ask]:
    """A server of the tenant's own, which the settings let be called."""
    vendor = VENDORS["openai"]
    monkeypatch.setenv("SOCIALFLOW_EGRESS_ALLOWED_HOSTS", wire.address)
    settings.forget()
    route = Route(vendor.model, "tenant", KEY, f"{wire.base}/v1")
    monkeypatch.setattr(asking, "routes", lambda _tenant: [route])
    yield lambda: asking.ask(account, QUESTION, read, pause=lambda _seconds: None)
    settings.forget()


def test_a_server_of_the_tenants_own_is_asked_by_the_one_way_out(own: Ask, wire: Wire) -> None:
    wire.answers(200, VENDORS["openai"].says(GOOD, ""))
    assert own().value.text == "A boat"
    ((_, path, headers, _),) = wire.asked
    assert path == "/v1/chat/completions"
    assert {name.lower(): value for name, value in headers.items()}["accept-encoding"] == "identity"


def test_a_server_of_the_tenants_own_leads_nobody_elsewhere(own: Ask, wire: Wire) -> None:
    wire.answers(307, {}, location="http://169.254.169.254/latest/meta-data")
    assert reason(own) in {"captioner-failed", "captioner-unreachable"}
    wire.answers(200, b"x" * 3_000_000)
    assert reason(own) in {"captioner-failed", "captioner-unreachable"}


def test_a_server_of_the_tenants_own_on_a_private_address_is_not_called(
    own: Ask, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOCIALFLOW_EGRESS_ALLOWED_HOSTS", "127.0.0.1:1")
    settings.forget()
    assert reason(own) in {"captioner-failed", "captioner-unreachable"}
    assert wire.asked == []
