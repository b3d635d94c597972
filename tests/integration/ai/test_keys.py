"""A tenant's own keys: tried before they are kept, sealed for the tenant, seen by nobody."""

import json
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from socialflow.ai import keys, routing
from socialflow.ai.gateway import Route
from socialflow.ai.keys import PROVIDERS, NewKey, UnusableKey, checked, checked_base, verify
from socialflow.errors import Refusal
from socialflow.platform import crypto, settings
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.ids import new_id
from socialflow.platform.tenancy import Tenant
from tests.api import Reply
from tests.integration.ai.servers import Wire, server
from tests.integration.conftest import Member

PLANTED = "sk-planted-key-of-a-tenant-0123456789"
MODELS = {"object": "list", "data": []}


@pytest.fixture
def wire(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    """A compatible server on loopback that the settings let be called."""
    with server() as made:
        monkeypatch.setenv("SOCIALFLOW_EGRESS_ALLOWED_HOSTS", made.address)
        settings.forget()
        yield made
    keys.forget_opened()
    settings.forget()


@pytest.fixture(autouse=True)
def nothing_opened() -> None:
    keys.forget_opened()


def put(member: Member, wire: Wire, key: str = PLANTED, **changed: Any) -> Reply:
    body = {"key": key, "base_url": f"{wire.base}/v1", "model": "house-model", **changed}
    return member("admin").request("PUT", "/v1/ai/keys/compatible", body)


def routes(tenant: Tenant) -> list[Route]:
    return routing.routes(tenant)


def test_a_key_is_tried_kept_and_shown_by_its_last_letters(acme: Tenant, member: Member, wire: Wire) -> None:
    wire.answers(200, MODELS)
    kept = put(member, wire)
    assert kept.status == 200, kept
    assert (kept.json["hint"], kept.json["version"]) == ("…6789", 1)
    ((method, path, headers, body),) = wire.asked
    assert (method, path, body) == ("GET", "/v1/models", b"")
    assert {name.lower(): value for name, value in headers.items()}["authorization"] == f"Bearer {PLANTED}"
    listed = member("admin").get("/v1/ai/keys")
    assert [one["hint"] for one in listed.json["items"]] == ["…6789"]
    assert PLANTED not in f"{kept} {listed}"
    (route,) = routes(acme)
    assert (route.model.name, route.key_owner, route.base) == ("openai/house-model", "tenant", f"{wire.base}/v1")
    assert PLANTED not in repr(route)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "does not take"),
        (403, "does not take"),
        (500, "answers with 500"),
        (302, "answers with 302"),
        (404, "404"),
    ],
)
def test_a_key_that_is_not_taken_is_not_kept(acme: Tenant, member: Member, wire: Wire, status: int, words: str) -> None:
    wire.answers(status, {}, location="http://169.254.169.254/latest/meta-data")
    refused = put(member, wire)
    assert (refused.status, refused.code) == (422, "unusable-key")
    assert words in refused.json["detail"]
    assert PLANTED not in str(refused)
    assert len(wire.asked) == 1  # nobody is followed to where a redirect leads
    assert member("admin").get("/v1/ai/keys").json["items"] == []


def test_a_server_that_never_ends_its_answer_is_given_up(acme: Tenant, wire: Wire) -> None:
    wire.answers(200, MODELS)
    wire.pause = 2.0
    new = NewKey(PROVIDERS["compatible"], PLANTED, f"{wire.base}/v1", "m")
    with pytest.raises(UnusableKey, match="does not answer"):
        verify(new, seconds=0.3)


@pytest.mark.parametrize("name", sorted(PROVIDERS))
def test_each_provider_is_given_the_key_as_it_wants_it(acme: Tenant, wire: Wire, name: str) -> None:
    wire.answers(200, {"models": []})
    verify(NewKey(replace(PROVIDERS[name], base=wire.base), PLANTED), seconds=5)
    ((_, path, headers, _),) = wire.asked
    given = {header.lower(): value for header, value in headers.items()}
    wanted = {"anthropic": ("x-api-key", PLANTED), "gemini": ("x-goog-api-key", PLANTED)}
    header, value = wanted.get(name, ("authorization", f"Bearer {PLANTED}"))
    assert (path, given[header]) == ("/models", value)
    assert PLANTED not in path


def test_a_new_key_takes_the_place_of_the_old_one_at_once_and_a_deleted_one_is_not_used(
    acme: Tenant, member: Member, wire: Wire
) -> None:
    wire.answers(200, MODELS)
    put(member, wire)
    assert [route.key for route in routes(acme)] == [PLANTED]
    assert put(member, wire, "sk-the-next-key-9999").json["version"] == 2
    assert [route.key for route in routes(acme)] == ["sk-the-next-key-9999"]
    assert member("admin").delete("/v1/ai/keys/compatible").status == 204
    assert [route.key_owner for route in routes_of_the_platform(acme)] == []
    assert member("admin").delete("/v1/ai/keys/compatible").status == 404


def routes_of_the_platform(tenant: Tenant) -> list[Route]:
    try:
        return [route for route in routes(tenant) if route.key_owner == "tenant"]
    except routing.NoRoute:
        return []


def test_an_opened_key_stays_in_memory_for_five_minutes(
    acme: Tenant, member: Member, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire.answers(200, MODELS)
    put(member, wire)
    opened: list[str] = []
    ask = crypto.open_sealed

    def counted(tenant: Tenant, purpose: str, sealed: bytes) -> bytes:
        opened.append(purpose)
        return ask(tenant, purpose, sealed)

    monkeypatch.setattr(crypto, "open_sealed", counted)
    clock = [1_000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    for at in (1_000.0, 1_299.0, 1_301.0):
        clock[0] = at
        assert routes(acme)[0].key == PLANTED
    assert len(opened) == 2


def test_a_ciphertext_of_another_tenant_does_not_open(
    acme: Tenant, contoso: Tenant, member: Member, wire: Wire, owner: psycopg.Connection
) -> None:
    wire.answers(200, MODELS)
    put(member, wire)
    owner.execute("INSERT INTO t_contoso.ai_keys TABLE t_acme.ai_keys")
    with transaction(contoso) as tx:
        (stolen,) = keys.listed(tx)
    with pytest.raises(crypto.CannotOpen):
        keys.opened(contoso, stolen)
    with pytest.raises(routing.NoRoute):
        routes(contoso)
    moved = replace(stolen, provider="openai")  # nor for another provider of the same tenant
    with pytest.raises(crypto.CannotOpen):
        keys.opened(acme, moved)


def test_a_planted_key_is_in_no_log_row_fact_or_audit(
    acme: Tenant, member: Member, wire: Wire, owner: psycopg.Connection, capfd: pytest.CaptureFixture[str]
) -> None:
    wire.answers(200, MODELS)
    wire.answers(401, {"error": PLANTED})
    assert put(member, wire).status == 200
    assert put(member, wire).status == 422
    routes(acme)
    tables = owner.execute(
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN"
        " ('t_acme', 't_contoso', 'cell', 'control')"
    ).fetchall()
    assert len(tables) > 30
    for (table,) in tables:
        rows = owner.execute(f"SELECT to_jsonb(r)::text FROM {table} r").fetchall()
        assert not any(PLANTED in row or PLANTED.encode().hex() in row for (row,) in rows), table
    seen = capfd.readouterr()
    assert PLANTED not in seen.out + seen.err


def test_who_has_a_key_is_asked_for_there_and_nowhere_else(acme: Tenant, member: Member, wire: Wire) -> None:
    wire.answers(200, MODELS)
    put(member, wire)
    assert {route.key_owner for route in routes(acme)} == {"tenant"}
    chosen = replace(acme, settings={"ai_models": ["anthropic/claude-haiku-4-5", "compatible"]})
    assert [route.model.name for route in routes(chosen)] == ["openai/house-model"]
    nobody = replace(acme, settings={"ai_models": ["anthropic/claude-haiku-4-5"]})
    with pytest.raises(routing.NoRoute):
        routes(nobody)


def test_models_are_listed_with_their_price_and_by_whose_key_they_are_asked(
    acme: Tenant, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOCIALFLOW_CAPTION_MODEL", "bedrock/amazon.nova-lite-v1:0")
    settings.forget()
    with transaction(acme) as tx:
        new = NewKey(PROVIDERS["openai"], PLANTED)
        keys.keep(tx, new, b"sealed", by=new_id(), at=now())
    found = {one["model"]: one for one in member("editor").get("/v1/models").json["items"]}
    settings.forget()
    assert found["bedrock/amazon.nova-lite-v1:0"]["available_by"] == "platform"
    assert found["openai/gpt-4.1-mini"]["available_by"] == "tenant"
    assert found["anthropic/claude-haiku-4-5"]["available_by"] is None
    assert found["bedrock/amazon.nova-lite-v1:0"]["usd_per_1000_captions"] == 0.1392


def test_only_models_of_the_list_may_be_chosen(acme: Tenant, member: Member) -> None:
    admin = member("admin").with_headers(**{"if-match": "*"})
    refused = admin.patch("/v1/tenant", {"settings": {"ai_models": ["openai/gpt-4.1", "openai/gpt-17"]}})
    assert refused.json["errors"][0]["pointer"] == "/settings/ai_models/1"
    assert admin.patch("/v1/tenant", {"settings": {"ai_models": ["openai/gpt-4.1", "compatible"]}}).status == 200


REFUSED = [
    "http://127.0.0.1/v1",
    "https://127.0.0.1/v1",
    "https://localhost/v1",
    "https://LOCALHOST./v1",
    "https://127.1/v1",
    "https://127.0.1/v1",
    "https://2130706433/v1",
    "https://0x7f000001/v1",
    "https://0x7f.0.0.1/v1",
    "https://0177.0.0.1/v1",
    "https://017700000001/v1",
    "https://0/v1",
    "https://0.0.0.0/v1",
    "https://[::]/v1",
    "https://[::1]/v1",
    "https://[0:0:0:0:0:0:0:1]/v1",
    "https://[::ffff:127.0.0.1]/v1",
    "https://[::ffff:7f00:1]/v1",
    "https://[::127.0.0.1]/v1",
    "https://[64:ff9b::7f00:1]/v1",
    "https://[2002:7f00:1::]/v1",
    "https://[fe80::1]/v1",
    "https://[fc00::1]/v1",
    "https://[fd00:ec2::254]/v1",
    "https://[ff02::1]/v1",
    "https://10.0.0.1/v1",
    "https://172.16.0.1/v1",
    "https://192.168.1.1/v1",
    "https://100.64.0.1/v1",
    "https://169.254.169.254/v1",
    "https://169.254.170.2/v1",
    "https://2852039166/v1",
    "https://0xa9fea9fe/v1",
    "https://0251.0376.0251.0376/v1",
    "https://[::ffff:169.254.169.254]/v1",
    "https://198.18.0.1/v1",
    "https://224.0.0.1/v1",
    "https://255.255.255.255/v1",
    "https://user@127.0.0.1/v1",
    "https://models.example.com@127.0.0.1/v1",
    "https://user:secret@models.example.com/v1",
    "https://127.0.0.1\u3002/v1",
    "https://127\u30020\u30020\u30021/v1",
    "https://\u2460\u2461\u2466.0.0.1/v1",
    "https://127.0.0.1%2f.example.com/v1",
    "https://127.0.0.1#.example.com/v1",
    "https://127.0.0.1?.example.com/v1",
    "https://127.0.0.1\\.example.com/v1",
    "ftp://models.example.com/v1",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_x",
    "https:///v1",
    "//127.0.0.1/v1",
    "https://models.example.com/v1?key=x",
    "https://models.example.com/v1#x",
    "https://models.example.com/../v1",
    "https://models.example.com/v1/%2e%2e/x",
    "https://models.example.com:0x50/v1",
    "https://models.example.com:99999/v1",
    "https://exa mple.com/v1",
    "https://models.example.com/v1\r\nHost: x",
    "javascript:alert(1)",
    "",
]


@pytest.mark.parametrize("address", REFUSED)
def test_no_spelling_of_an_address_that_is_not_public_is_called(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    settings.forget()
    connected: list[Any] = []
    monkeypatch.setattr(socket, "create_connection", lambda *given, **_named: connected.append(given))
    with pytest.raises(Refusal):
        verify(checked("compatible", PLANTED, base_url=address, model="m"), seconds=2)
    assert connected == []
    assert not routing.is_loopback(address)


def test_a_name_that_is_public_when_asked_and_private_when_called_is_not_called(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each connection is made to the very address that was judged; the next one is judged anew."""
    settings.forget()
    connected: list[Any] = []

    def connect(address: tuple[str, int], *_given: object, **_named: object) -> socket.socket:
        connected.append(address)
        raise ConnectionRefusedError

    answers = iter(["93.184.216.34", "127.0.0.1"])
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, port, **_named: [(2, 1, 6, "", (next(answers), port))])
    monkeypatch.setattr(socket, "create_connection", connect)
    new = checked("compatible", PLANTED, base_url="https://models.example.com/v1", model="m")
    for words in ("does not answer", "public internet"):
        with pytest.raises(UnusableKey, match=words):
            verify(new, seconds=2)
    assert connected == [("93.184.216.34", 443)]


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("https://models.example.com/v1/", "https://models.example.com/v1"),
        ("https://MODELS.example.com:443", "https://models.example.com"),
        (" https://models.example.com:8443/api/v1 ", "https://models.example.com:8443/api/v1"),
        ("https://bücher.example/v1", "https://xn--bcher-kva.example/v1"),
    ],
)
def test_an_honest_address_is_kept_in_one_spelling(acme: Tenant, address: str, kept: str) -> None:
    settings.forget()
    assert checked_base(address) == kept


@pytest.mark.parametrize(
    ("base", "stage", "asked"),
    [
        ("http://127.0.0.1:11434", "local", True),
        ("http://[::1]:11434", "local", True),
        ("http://127.0.0.1:11434", "prod", False),
        ("http://localhost:11434", "local", False),
        ("http://127.0.0.1.nip.io:11434", "local", False),
        ("http://127.0.0.1:11434@evil.example", "local", False),
        ("https://ollama.example.com", "local", False),
        ("http://0x7f000001:11434", "local", False),
        ("", "local", False),
    ],
)
def test_ollama_is_asked_on_this_machine_and_in_the_local_stage_alone(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch, base: str, stage: str, asked: bool
) -> None:
    for name, value in (("CAPTION_MODEL", "ollama_chat/llava"), ("CAPTION_API_BASE", base), ("STAGE", stage)):
        monkeypatch.setenv(settings.PREFIX + name, value)
    settings.forget()
    try:
        found = routes(acme)
    except routing.NoRoute:
        found = []
    settings.forget()
    assert bool(found) is asked


def test_a_key_is_plain_text(acme: Tenant, member: Member) -> None:
    admin = member("admin")
    for body in ({"key": "short"}, {"key": "with space in it"}, {"key": "ключ-ключ-ключ"}, {"key": "x" * 600}, {}):
        refused = admin.request("PUT", "/v1/ai/keys/openai", body)
        assert refused.status == 422, refused
        assert str(body.get("key", "none")) not in json.dumps(refused.json), "an answer repeats no key"
    assert admin.request("PUT", "/v1/ai/keys/nobody", {"key": "sk-long-enough"}).status == 404
    refused = admin.request("PUT", "/v1/ai/keys/openai", {"key": "sk-long-enough", "base_url": "https://x.test"})
    assert refused.json["errors"][0]["pointer"] == "/base_url"
