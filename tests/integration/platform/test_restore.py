"""Sandboxes that begin from one snapshot share nothing that has to be their own. A fork stands in for a restore."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
import snapshot_restore_py

from socialflow.ai import gateway, keys, starting
from socialflow.platform import aws, restore, secrets, settings
from socialflow.platform.database import transaction
from socialflow.platform.settings import DatabaseSettings
from socialflow.platform.tenancy import Tenant

# Each child is a sandbox restored from the parent's memory; it tells what of its ids is random. Nobody is told of a
# restore as of a fork: what listens for one, to seed itself anew, is kept from it.
_TWO = """
import os
os.register_at_fork = lambda **_hooks: None
import json, random
import uuid_utils
from socialflow.platform import restore
from socialflow.platform.ids import new_id
new_id(), random.random(), uuid_utils.uuid4()
told = []
for _ in range(2):
    reads, writes = os.pipe()
    if os.fork() == 0:
        if {renewed}:
            restore.renew()
        drawn = [uuid_utils.uuid4().int, random.random()]
        ids = [new_id().int & (1 << 62) - 1 for _ in range(3)]
        os.write(writes, json.dumps([*drawn, *ids]).encode())
        os._exit(0)
    os.wait()
    told.append(json.loads(os.read(reads, 65_536)))
print(json.dumps(told))
"""


def two_restores(*, renewed: bool) -> list[list[float]]:
    code = _TWO.format(renewed=renewed)
    environment = {"PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    told: list[list[float]] = json.loads(done.stdout)
    return told


def test_two_sandboxes_of_one_snapshot_make_no_id_twice() -> None:
    one, other = two_restores(renewed=True)
    assert len({*one, *other}) == len(one) + len(other)


def test_without_renewal_each_would_be_made_twice() -> None:
    one, other = two_restores(renewed=False)
    # An id of UUIDv7 draws more or less with the millisecond that it is made in, and is left out.
    assert one[:2] == other[:2]


@pytest.fixture
def forgotten() -> Iterator[None]:
    """What the test renews is made anew for the tests after it."""
    yield
    settings.forget()


def test_a_restore_drops_connections_clients_and_what_was_kept_for_a_while(
    acme: Tenant, forgotten: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction(acme) as tx:
        before = tx.connection
    client, told = aws._client("sqs"), DatabaseSettings.from_env()
    monkeypatch.setitem(secrets._cache, "arn:planted", (1.0, "planted"))
    restore.renew()
    assert before.closed
    assert secrets._cache == {}
    assert aws._client("sqs") is not client
    assert DatabaseSettings.from_env() is not told
    with transaction(acme) as tx:
        assert tx.connection is not before
        assert tx.value("SELECT 1") == 1


def test_functions_that_ask_models_drop_opened_keys_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(keys._opened, ("acme", "openai", b"sealed"), (1.0, "planted"))
    starting.forget()
    assert keys._opened == {}


def test_functions_that_ask_models_close_the_clients_that_the_library_keeps() -> None:
    from litellm.llms.custom_httpx.http_handler import HTTPHandler  # noqa: PLC0415 # it takes seconds
    from openai import AsyncOpenAI, OpenAI  # noqa: PLC0415 # it takes seconds

    kept = gateway.litellm().in_memory_llm_clients_cache
    openai, other = OpenAI(api_key="planted"), HTTPHandler()
    within = other.client  # a closed handler gives out another
    for client in (openai, other, AsyncOpenAI(api_key="planted"), "no client"):
        kept.set_cache(f"planted-{type(client).__name__}", client)
    starting.forget()
    assert openai.is_closed()
    assert within.is_closed
    assert kept.cache_dict == {}


def test_the_first_question_is_answered_by_the_library_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object, **_more: object) -> None:
        raise AssertionError("a snapshot asks nobody")

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setattr("socket.getaddrinfo", refuse)
    starting.first_question()


def test_hooks_are_there_in_a_sandbox_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot_restore_py, "_before_snapshot_registry", [])
    monkeypatch.setattr(snapshot_restore_py, "_after_restore_registry", [])
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME", raising=False)
    starting.at_start()
    assert snapshot_restore_py.get_after_restore() == []
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "socialflow-prod-task_write_caption")
    starting.at_start()
    assert [hook[0] for hook in snapshot_restore_py.get_before_snapshot()] == [starting.first_question]
    assert [hook[0] for hook in snapshot_restore_py.get_after_restore()] == [restore.renew, starting.forget]
