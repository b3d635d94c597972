"""Each maker of vectors through LiteLLM, against the vendor's wire shape: whatever happens is a known outcome."""

import base64
import json
import math
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from socialflow.ai import asking, embedding, gateway
from socialflow.ai.asking import Account, NotAnswered
from socialflow.ai.embedders import EMBEDDERS
from socialflow.ai.embedding import Embeddable, Picture, Side, Vector
from socialflow.ai.model import cost, embeddings_key
from socialflow.platform.ids import new_id
from socialflow.platform.tenancy import Tenant
from tests.integration.ai.embedding_providers import EMBEDDING_VENDORS, EmbeddingVendor
from tests.integration.ai.providers import KEY
from tests.integration.ai.servers import Wire, server

Embed = Callable[..., Vector]
NAMES = sorted(EMBEDDING_VENDORS)
SEEING = [name for name in NAMES if EMBEDDING_VENDORS[name].embedder.sees]
PICTURE = Picture(b"\xff\xd8picture-of-a-boat", "image/jpeg")
every = pytest.mark.parametrize("vendor", NAMES, indirect=True)


@pytest.fixture
def wire() -> Iterator[Wire]:
    with server() as made:
        yield made


@pytest.fixture
def vendor(request: pytest.FixtureRequest) -> EmbeddingVendor:
    return EMBEDDING_VENDORS[request.param]


@pytest.fixture
def asker(acme: Tenant) -> Account:
    return Account(acme, "embedding", subject=new_id())


@pytest.fixture
def embed(vendor: EmbeddingVendor, wire: Wire, asker: Account) -> Embed:
    """Ask the provider, the pauses left out."""
    more = vendor.arguments(wire.base)

    def complete(**call: Any) -> Any:
        return gateway.litellm().embedding(**call, **more)

    def asked(of: Picture | str = "A boat", side: Side = "document") -> Vector:
        wanted = Embeddable(vendor.embedder, of, side)
        return embedding.embed(asker, wanted, vendor.route(wire.base), complete=complete, pause=lambda _seconds: None)

    return asked


def numbers(vendor: EmbeddingVendor, first: float = 3.0, second: float = 4.0) -> list[Any]:
    return [first, second, *[0.0] * (vendor.embedder.dimension - 2)]


def reason(embed: Embed, *of: Any) -> str:
    with pytest.raises(NotAnswered) as why:
        embed(*of)
    return why.value.reason


def calls(owner: psycopg.Connection) -> list[tuple[str, str, int, int]]:
    query = "SELECT purpose, outcome, tokens_in, micros FROM cell.ai_calls ORDER BY begun_at, id"
    return owner.execute(query).fetchall()


def nothing_reserved(owner: psycopg.Connection) -> bool:
    return owner.execute("SELECT sum(reserved_micros + reserved_tokens) FROM cell.ai_budget").fetchone() == (0,)


@every
def test_a_text_becomes_a_vector_of_the_models_space(
    vendor: EmbeddingVendor, embed: Embed, wire: Wire, owner: psycopg.Connection
) -> None:
    wire.answers(200, vendor.says(numbers(vendor)))
    vector = embed()
    assert (vector.model, vector.dimension) == (vendor.embedder.name, vendor.embedder.dimension)
    assert vector.values[:2] == pytest.approx((0.6, 0.8)), "of length one, whatever the provider gives"
    ((method, path, _, body),) = wire.asked
    assert (method, path) == ("POST", vendor.path)
    assert json.loads(body) == vendor.asked_text
    tokens = vendor.text_tokens
    assert calls(owner) == [("embedding", "answered", tokens, cost(vendor.embedder, tokens, 0))]


@pytest.mark.parametrize("vendor", SEEING, indirect=True)
def test_a_picture_becomes_a_vector_of_the_same_space(
    vendor: EmbeddingVendor, embed: Embed, wire: Wire, owner: psycopg.Connection
) -> None:
    assert vendor.asked_picture is not None
    wire.answers(200, vendor.says(numbers(vendor)))
    vector = embed(PICTURE)
    assert (vector.model, vector.dimension) == (vendor.embedder.name, vendor.embedder.dimension)
    assert json.loads(wire.asked[0][3]) == vendor.asked_picture(base64.b64encode(PICTURE.data).decode())
    counted = vendor.embedder.picture_tokens
    assert calls(owner) == [("embedding", "answered", counted, cost(vendor.embedder, counted, 0))]


@pytest.mark.parametrize("vendor", ["cohere", "cohere-bedrock", "cohere-3-bedrock"], indirect=True)
def test_a_question_is_embedded_as_one(vendor: EmbeddingVendor, embed: Embed, wire: Wire) -> None:
    wire.answers(200, vendor.says(numbers(vendor)))
    embed("a boat?", "query")
    assert json.loads(wire.asked[0][3])["input_type"] == "search_query"


@pytest.mark.parametrize("vendor", ["openai"], indirect=True)
def test_who_sees_no_pictures_is_sent_none(embed: Embed, wire: Wire, owner: psycopg.Connection) -> None:
    assert reason(embed, PICTURE) == "no-pictures"
    assert (wire.asked, calls(owner)) == ([], [])


@every
def test_nothing_is_not_asked_about(embed: Embed, wire: Wire, owner: psycopg.Connection) -> None:
    assert reason(embed, " \n ") == "nothing-to-embed"
    assert (wire.asked, calls(owner)) == ([], [])


@every
def test_no_secret_is_in_what_is_asked(vendor: EmbeddingVendor, embed: Embed, wire: Wire) -> None:
    wire.answers(200, vendor.says(numbers(vendor)))
    embed()
    ((_, path, headers, body),) = wire.asked
    assert KEY not in path
    assert not [planted for planted in (KEY, "planted", "postgres") if planted.encode() in body]
    assert {name.lower() for name, value in headers.items() if KEY in value} <= {"authorization"}


@every
@pytest.mark.parametrize(
    ("status", "expected"),
    [(429, "captioner-busy"), (500, "captioner-unreachable"), (503, "captioner-unreachable")],
)
def test_what_passes_is_asked_three_times_by_us_and_by_nobody_else(
    embed: Embed, wire: Wire, owner: psycopg.Connection, status: int, expected: str
) -> None:
    wire.answers(status, {"message": "Later", "error": {"message": "Later"}}, retry_after="7")
    assert reason(embed) == expected
    assert len(wire.asked) == 3
    assert calls(owner) == [("embedding", expected, 0, 0)] * 3
    assert nothing_reserved(owner)


@every
def test_a_provider_that_has_time_again_answers(vendor: EmbeddingVendor, embed: Embed, wire: Wire) -> None:
    wire.answers(429, {"message": "Later", "error": {"message": "Later"}}, retry_after="1")
    wire.answers(200, vendor.says(numbers(vendor)))
    assert embed().dimension == vendor.embedder.dimension


@every
@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_what_does_not_pass_is_asked_once(embed: Embed, wire: Wire, owner: psycopg.Connection, status: int) -> None:
    wire.answers(status, {"message": "No", "error": {"message": "No", "type": "invalid_request_error"}})
    assert reason(embed) in {"captioner-denied", "captioner-failed"}
    assert len(wire.asked) == 1
    assert nothing_reserved(owner)


@every
def test_a_provider_that_is_slow_is_given_up_and_counted(
    vendor: EmbeddingVendor, embed: Embed, wire: Wire, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "CALL_SECONDS", 0.3)
    monkeypatch.setattr(asking, "PAUSES", ())
    wire.answers(200, vendor.says(numbers(vendor)))
    wire.pause = 1.2
    assert reason(embed) == "captioner-unreachable"
    ((_, outcome, tokens, micros),) = calls(owner)
    assert outcome == "captioner-unreachable"
    assert tokens > 1_000, "all of what was reserved"
    assert micros == cost(vendor.embedder, tokens, 0)


@every
@pytest.mark.parametrize("what", ["cut", "no JSON", "another JSON"])
def test_an_answer_that_makes_no_sense_is_an_outcome(
    embed: Embed, wire: Wire, owner: psycopg.Connection, what: str
) -> None:
    raw = {"cut": b'{"embeddi', "no JSON": b"<html>Bad gateway</html>", "another JSON": b'{"hello": "world"}'}
    wire.answers(200, raw[what])
    wire.cut = what == "cut"
    assert reason(embed) in {"captioner-unreachable", "captioner-failed", "answer-unusable"}
    assert nothing_reserved(owner)


@every
def test_a_vector_of_another_size_is_asked_for_again_and_left(
    vendor: EmbeddingVendor, embed: Embed, wire: Wire, owner: psycopg.Connection
) -> None:
    wire.answers(200, vendor.says([0.1] * 384))
    assert reason(embed) == "answer-unusable"
    assert len(wire.asked) == 3
    counted = cost(vendor.embedder, vendor.text_tokens, 0)
    assert calls(owner) == [("embedding", "answered", vendor.text_tokens, counted)] * 3, "it was billed"
    assert nothing_reserved(owner)


@pytest.mark.parametrize("vendor", ["titan", "cohere"], indirect=True)
@pytest.mark.parametrize("wrong", [math.nan, math.inf, 10**400, "3", None, True, 1.7e308], ids=str)
def test_a_vector_of_anything_but_numbers_is_none(
    vendor: EmbeddingVendor, embed: Embed, wire: Wire, owner: psycopg.Connection, wrong: Any
) -> None:
    wire.answers(200, vendor.says([wrong, wrong, *numbers(vendor)[2:]]))
    assert reason(embed) in {"answer-unusable", "captioner-failed"}
    assert nothing_reserved(owner)


@pytest.mark.parametrize("vendor", ["titan"], indirect=True)
def test_a_vector_without_a_direction_is_none(vendor: EmbeddingVendor, embed: Embed, wire: Wire) -> None:
    wire.answers(200, vendor.says(numbers(vendor, 0.0, 0.0)))
    assert reason(embed) == "answer-unusable"


@pytest.mark.parametrize("vendor", ["titan"], indirect=True)
def test_a_hundred_a_minute_are_asked_for_then_one_waits_and_then_none_is(
    vendor: EmbeddingVendor, wire: Wire, asker: Account, owner: psycopg.Connection
) -> None:
    wire.answers(200, vendor.says(numbers(vendor)))
    waited: list[float] = []

    def embed() -> Vector:
        def complete(**call: Any) -> Any:
            return gateway.litellm().embedding(**call, **vendor.arguments(wire.base))

        wanted = Embeddable(vendor.embedder, "A boat")
        return embedding.embed(asker, wanted, vendor.route(wire.base), complete=complete, pause=waited.append)

    def used(seconds: int) -> None:
        owner.execute(
            "INSERT INTO cell.rate_limit (key, tat) VALUES (%s, clock_timestamp() + make_interval(secs => %s))"
            " ON CONFLICT (key) DO UPDATE SET tat = excluded.tat",
            [embeddings_key(asker.tenant.slug), seconds],
        )

    embed()
    assert waited == [], "there is room"
    used(64)
    embed()
    assert len(waited) == 1
    assert 0 < waited[0] <= 10
    used(120)
    with pytest.raises(NotAnswered, match="rate-limited"):
        embed()
    assert len(wire.asked) == 2


@pytest.mark.parametrize("vendor", ["cohere"], indirect=True)
def test_without_budget_nobody_is_asked(embed: Embed, wire: Wire, acme: Tenant, owner: psycopg.Connection) -> None:
    owner.execute(
        "INSERT INTO cell.ai_budget (tenant, period, key_owner, spent_micros, spent_tokens)"
        " SELECT %s, to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM'), 'platform', 10^15, 10^15",
        [acme.slug],
    )
    assert reason(embed) == "budget-exceeded"
    assert wire.asked == []


def test_the_table_is_litellms_own() -> None:
    prices = gateway.litellm().model_cost
    for name, embedder in EMBEDDERS.items():
        entry = prices.get(name) or prices[name.partition("/")[2]]
        assert embedder.usd_in == pytest.approx(entry["input_cost_per_token"] * 1_000_000)
        assert entry.get("output_vector_size", embedder.dimension) == embedder.dimension
        assert bool(entry.get("supports_embedding_image_input")) == embedder.sees
