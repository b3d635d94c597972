"""Whoever operates is named: in the audit, by every function that operators invoke."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from functions.ops_provision.handler import handler as ops_provision
from functions.ops_suspend.handler import handler as ops_suspend
from socialflow.platform import database, settings
from socialflow.platform.acting import acting
from socialflow.platform.entry import entry
from socialflow.platform.ids import new_id
from socialflow.platform.operations import operation
from socialflow.platform.tenancy import Tenant
from tests.conftest import Cloud
from tests.integration.audit.ledger import lines

FUNCTIONS = Path(__file__).parents[3] / "functions"
OPERATIONS = sorted(path.parent.name for path in FUNCTIONS.glob("ops_*/handler.py"))
ANONYMOUS = {
    "ops_look": "it only reads",
    "ops_verify_audit": "it only reads",
    "ops_migrate": "deployments invoke it",
    "ops_provision": "deployments invoke it",
    "ops_wake_everything": "deployments invoke it",
    "ops_tenant": "the HTTP function invokes it, for a person whom it names",
}
"""Functions that do something in nobody's name, and why."""
NOBODY: list[Any] = [None, "", "  ", "a\x00b", "a\nb", "x" * 201, 7, {"name": "nina"}, ["nina"]]


@pytest.mark.parametrize("function", [name for name in OPERATIONS if name not in ANONYMOUS])
@pytest.mark.parametrize("by", NOBODY, ids=repr)
def test_nothing_is_changed_in_nobodys_name(acme: Tenant, function: str, by: object) -> None:
    handler = importlib.import_module(f"functions.{function}.handler").handler
    told = handler({"action": "suspend", "slug": "acme", "tenant": "acme", "reason": "x", "by": by}, None)
    assert (told["outcome"], told["code"]) == ("refused", "operator-unnamed")
    assert handler({}, None)["code"] == "operator-unnamed"


@pytest.fixture
def as_owner(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The template gives what provisions the owner's secret."""
    with monkeypatch.context() as patch:
        patch.setenv("SOCIALFLOW_DATABASE_SECRET", cloud.owner_secret)
        settings.forget()
        database.forget()
        yield
    settings.forget()


NAMES = [("nina", "nina"), (" nina ", "nina"), *[(by, "ops_provision") for by in NOBODY]]


@pytest.mark.usefixtures("as_owner")
@pytest.mark.parametrize(("by", "name"), NAMES)
def test_a_deployments_step_has_the_functions_name_where_nobody_is_named(
    acme: Tenant, owner: psycopg.Connection, by: object, name: str
) -> None:
    told = ops_provision({"slug": "acme", "name": "Acme", "plan": "pro", "by": by}, None)
    assert told["outcome"] == "provisioned"
    (line,) = lines(owner, "control", chain=str(acme.id))
    assert (line.actor_kind, line.actor_name, line.changes) == ("operator", name, {"plan": ["business", "pro"]})


def test_who_has_suspended_a_tenant_is_in_both_of_its_chains(acme: Tenant, owner: psycopg.Connection) -> None:
    arn = "arn:aws:sts::123456789012:assumed-role/Operators/nina@socialflow.example"
    ops_suspend({"action": "suspend", "slug": "acme", "reason": "An open invoice.", "by": arn}, None)
    for place, chain in (("control", str(acme.id)), ("cell", "acme")):
        (line,) = lines(owner, place, chain=chain)
        assert (line.actor_kind, line.actor_name) == ("operator", arn), place


def test_a_function_that_no_operator_invokes_takes_nobodys_name_from_its_event(cloud: Cloud) -> None:
    def task(event: dict[str, Any], _context: Any) -> str:
        return acting().name

    task.__module__ = "functions.task_example.handler"
    assert entry()(task)({"by": str(new_id())}, None) == "SocialFlow"
    task.__module__ = "functions.ops_example.handler"
    assert operation()(task)({"by": "nina"}, None) == "nina"
