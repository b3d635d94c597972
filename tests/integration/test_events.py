"""Every `events/<function>/<case>.json` is replayed through its function and held against what it expects.

events/README.md tells how a case is written.
"""

import importlib
import json
import pkgutil
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest

from socialflow.platform import database, secrets, settings
from socialflow.platform.tenancy import Tenant
from tests.api import Issuer, Reply, event
from tests.conftest import Cloud
from tests.integration import given
from tests.integration.given import PREPARATIONS, World

ROOT = Path(__file__).parents[2]
CASES = sorted((ROOT / "events").glob("*/*.json"))
FUNCTIONS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/handler.py"))
MEMBERS = {"about", "as", "given", "event", "request", "expect"}
ANY = "<any>"
AS_APPLICATION = {"ops_verify_audit", "ops_look", "ops_rouse", "ops_switch"}

_PLACE = re.compile(r"\$\{(\w+)\}")

for module in pkgutil.iter_modules(given.__path__):
    importlib.import_module(f"{given.__name__}.{module.name}")


@pytest.fixture
def world(acme: Tenant, contoso: Tenant, cloud: Cloud, issuer: Issuer, owner: psycopg.Connection) -> World:
    """What preparations may use."""
    return World(acme, contoso, cloud, issuer, owner)


@pytest.mark.parametrize("path", CASES, ids=[f"{path.parent.name}/{path.stem}" for path in CASES])
def test_a_case_ends_as_it_says(path: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    assert case["about"]
    assert case.keys() <= MEMBERS
    known = {"acme": str(world.acme.id), "contoso": str(world.contoso.id)}
    for name in case.get("given", []):
        known |= PREPARATIONS[name](world)
    case = _filled(case, known)
    # The template gives the operations the owner's secret under the same name.
    if path.parent.name.startswith("ops_") and path.parent.name not in AS_APPLICATION:
        monkeypatch.setenv("SOCIALFLOW_DATABASE_SECRET", world.cloud.owner_secret)
        settings.forget()
        database.forget()
    handler = importlib.import_module(f"functions.{path.parent.name}.handler").handler
    if path.parent.name.startswith("api_"):
        _check_reply(handler(_request(case, world), None), case["expect"])
    else:
        _check_return(handler, case)
    monkeypatch.undo()
    settings.forget()
    secrets.forget_all()


def test_every_function_has_a_case() -> None:
    assert {path.parent.name for path in CASES} == set(FUNCTIONS)


def _request(case: Mapping[str, Any], world: World) -> dict[str, Any]:
    """Return the case's event, written out in full or as a request; `as` signs in a member of the address's tenant."""
    if "event" in case:
        raw: dict[str, Any] = dict(case["event"])
    else:
        asked = case["request"]
        body = json.dumps(asked["json"]) if "json" in asked else asked.get("body")
        headers = {"content-type": "application/json"} if "json" in asked else {}
        raw = event(asked["method"], asked["path"], headers={**headers, **asked.get("headers", {})}, body=body)
    if "as" in case:
        role, slug = re.fullmatch(r"(\w+)@(\w+)\.test", case["as"]).groups()  # type: ignore[union-attr] # else a TypeError
        token = world.issuer.token(f"{slug}-{role}", email=case["as"])
        raw["headers"] = {"authorization": f"Bearer {token}", "x-tenant-id": slug, **raw["headers"]}
    return raw


def _check_reply(answer: Mapping[str, Any], expect: Mapping[str, Any]) -> None:
    reply = Reply.read(answer)
    assert reply.status == expect["status"], reply
    _check_part(dict(reply.headers), {name.lower(): value for name, value in expect.get("headers", {}).items()}, "")
    if "body" in expect:
        _check_part(reply.json, expect["body"], "body")


def _check_return(handler: Any, case: Mapping[str, Any]) -> None:
    if "raises" in case["expect"]:
        with pytest.raises(Exception, match=case["expect"].get("match", "")) as raised:
            handler(case["event"], None)
        assert raised.type.__name__ == case["expect"]["raises"]
    else:
        _check_part(handler(case["event"], None), case["expect"]["returns"], "returns")


def _check_part(actual: object, expected: object, where: str) -> None:
    """Hold a part against what is expected: of an object the members that are named, of anything else all of it."""
    if expected == ANY:
        assert actual is not None, where
    elif isinstance(expected, dict):
        assert isinstance(actual, dict), where
        for name, value in expected.items():
            assert name in actual, f"{where}.{name} is missing in {actual}"
            _check_part(actual[name], value, f"{where}.{name}")
    elif isinstance(expected, list):
        assert isinstance(actual, list), where
        assert len(actual) == len(expected), f"{where}: {actual}"
        for index, value in enumerate(expected):
            _check_part(actual[index], value, f"{where}[{index}]")
    else:
        assert actual == expected, where


def _filled(value: Any, known: Mapping[str, str]) -> Any:
    """Return a case with `${name}` replaced; an unknown name is an error of the case."""
    if isinstance(value, str):
        return _PLACE.sub(lambda found: known[found[1]], value)
    if isinstance(value, dict):
        return {name: _filled(inner, known) for name, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, known) for inner in value]
    return value
