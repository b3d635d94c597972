"""The operator's command line, against fakes of the functions."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from infra_cdk import operator

ID = "0199c0de-0000-7000-8000-000000000001"
Call = tuple[str, str, Mapping[str, Any]]


def run(arguments: list[str], told: Mapping[str, Any]) -> tuple[int, list[Call]]:
    calls: list[Call] = []

    def connect(stage: str, _home: Path) -> operator.Line:
        def invoke(function: str, event: Mapping[str, Any]) -> dict[str, Any]:
            calls.append((stage, function, event))
            return dict(told)

        return operator.Line(invoke, lambda: "me")

    return operator.main(arguments, connect=connect), calls


@pytest.mark.parametrize(
    ("arguments", "function", "event"),
    [
        (["find", "acme"], "ops_look", {"action": "find", "text": "acme"}),
        (["post", "acme", ID], "ops_look", {"action": "post", "tenant": "acme", "id": ID}),
        (["migrations"], "ops_look", {"action": "migrations"}),
        (["suspend", "acme", "--reason", "x"], "ops_suspend", {"action": "suspend", "slug": "acme", "reason": "x"}),
        (["resume", "acme"], "ops_suspend", {"action": "resume", "slug": "acme"}),
        (["replay", "acme", ID], "ops_rouse", {"action": "replay", "tenant": "acme", "id": ID}),
        (
            ["restart", "acme", "publish", ID],
            "ops_rouse",
            {"action": "restart", "tenant": "acme", "kind": "publish", "id": ID},
        ),
        (
            ["support", "acme", "--reason", "x"],
            "ops_support",
            {"action": "grant", "tenant": "acme", "reason": "x", "hours": 1},
        ),
        (["support-end", "acme", ID], "ops_support", {"action": "end", "tenant": "acme", "id": ID}),
        (["support-list"], "ops_support", {"action": "list"}),
        (["support-list", "acme"], "ops_support", {"action": "list", "tenant": "acme"}),
        (["stopped"], "ops_look", {"action": "stopped"}),
        (["stop", "--all", "--reason", "x"], "ops_switch", {"action": "stop", "all": True, "reason": "x"}),
        (["go", "--network", "mastodon"], "ops_switch", {"action": "go", "network": "mastodon"}),
        (["go", "--tenant", "acme"], "ops_switch", {"action": "go", "tenant": "acme"}),
    ],
)
def test_a_command_calls_its_function_of_the_stage(arguments: list[str], function: str, event: dict[str, str]) -> None:
    code, [(stage, called, given)] = run(["--stage", "prod", *arguments], {"outcome": "done"})
    assert (code, stage, called) == (0, "prod", function)
    assert {key: value for key, value in given.items() if key != "by"} == event
    assert given.get("by") == (None if function == "ops_look" else "me")


@pytest.mark.parametrize(
    "arguments",
    [["stop", "--reason", "x"], ["stop", "--all", "--tenant", "acme", "--reason", "x"], ["stop", "--all"], ["go"]],
)
def test_what_is_to_stop_is_one_thing_and_has_a_reason(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(arguments, {})
    assert ended.value.code == 2


def test_nothing_is_done_in_nobodys_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def nobody() -> str:
        raise operator.OperatorError("Who are you?")

    def refuse(*_: object) -> dict[str, Any]:
        raise AssertionError("nothing is called")

    assert operator.main(["resume", "acme"], connect=lambda *_: operator.Line(refuse, nobody)) == 2
    assert "Who are you?" in capsys.readouterr().err


def test_a_login_is_a_name_and_without_one_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stack.json").write_text('{"engine": "http://127.0.0.1:1"}')
    line = operator.connected("local", tmp_path)
    monkeypatch.setenv("LOGNAME", "nina")
    assert line.name() == "nina"

    def unknown() -> str:
        raise KeyError("getpwuid(): uid not found: 4711")

    monkeypatch.setattr("getpass.getuser", unknown)
    with pytest.raises(operator.OperatorError, match="USER"):
        line.name()


@mock_aws
def test_on_aws_the_credentials_say_who_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    assert operator.connected("prod", tmp_path).name().startswith("arn:aws:sts::123456789012:")


def test_a_refusal_is_a_sentence_and_an_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    code, _ = run(["find", "x"], {"outcome": "refused", "code": "c", "detail": "Say why."})
    assert code == 1
    assert capsys.readouterr() == ("", "find: Say why.\n")


def test_machines_get_json(capsys: pytest.CaptureFixture[str]) -> None:
    told = {"outcome": "found", "tenants": [{"slug": "acme"}]}
    assert run(["--json", "find", "acme"], told)[0] == 0
    assert json.loads(capsys.readouterr().out) == told


def test_people_get_tables_and_what_a_tenant_wrote_is_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"slug": "acme", "name": "[red]A[/nonsense]"}, {"slug": "beta", "name": None}]
    assert run(["find", "a"], {"outcome": "found", "tenants": rows, "none": [], "one": rows[:1]})[0] == 0
    assert "[red]A[/nonsense]" in capsys.readouterr().out


def test_a_stack_that_does_not_run_is_told_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert operator.main(["--home", str(tmp_path), "find", "acme"]) == 2
    assert "make up" in capsys.readouterr().err
