"""Settings, limits and packages of the functions in the template, held against their code and the workflows."""

import importlib
import json
from pathlib import Path
from typing import Any

import pytest

from infra_cdk.stages import LOCAL, PROD
from socialflow.platform.settings import PREFIX, CommonSettings
from tests.infra.conftest import ROOT, Assembly, Template

FOLDERS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/handler.py"))
WORKFLOWS = sorted(path.name.split(".")[0] for path in (ROOT / "infra_cdk" / "workflows").glob("*.asl.json"))
# An HTTP API waits this long for an integration, in seconds.
GATEWAY_PATIENCE = 30
EXTRA_LAYERS = {
    "task_process_media": {"media"},
    "task_render_image": {"media"},
    "task_process_video": {"media", "video"},
    "task_transcode_video": {"video"},
    "task_write_caption": {"ai"},
    "task_embed_media": {"ai"},
    "api_plan": {"billing"},
    "api_stripe_webhook": {"billing"},
    "cron_settle_subscriptions": {"billing"},
}


def definition(workflow: str) -> dict[str, Any]:
    """The workflow as its file says it."""
    found: dict[str, Any] = json.loads((ROOT / "infra_cdk" / "workflows" / f"{workflow}.asl.json").read_text())
    return found


def _needed(function: str) -> set[str]:
    groups = (CommonSettings, *importlib.import_module(f"functions.{function}.handler").NEEDS)
    return set().union(*(group.keys() for group in groups))


def _variables(properties: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = properties["Environment"]["Variables"]
    return found


def test_every_folder_is_a_function_and_every_function_a_folder(prod: Assembly) -> None:
    assert sorted(prod.service.functions()) == FOLDERS


@pytest.mark.parametrize("function", FOLDERS)
def test_a_function_is_told_exactly_what_its_handler_needs(local: Assembly, prod: Assembly, function: str) -> None:
    for assembly in (local, prod):
        told = {key for key in _variables(assembly.service.functions()[function]) if key.startswith(PREFIX)}
        assert told == _needed(function)


def test_settings_of_other_kinds_are_those_of_litellm_alone(prod: Assembly) -> None:
    for function, properties in prod.service.functions().items():
        others = {key: value for key, value in _variables(properties).items() if not key.startswith(PREFIX)}
        expected = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MODE": "PRODUCTION"}
        assert others == (expected if function in {"task_write_caption", "task_embed_media"} else {})


def test_only_the_operations_that_own_schemas_are_told_the_owner(prod: Assembly) -> None:
    secrets = {
        function: [str(value) for key, value in _variables(properties).items() if key.startswith(f"{PREFIX}DATABASE")]
        for function, properties in prod.service.functions().items()
    }
    assert all(len(told) == 1 for told in secrets.values()), "one login each"
    owners = {function for function, (secret,) in secrets.items() if "DatabaseOwnerSecret" in secret}
    operations = {
        "ops_migrate",
        "ops_provision",
        "ops_import_tenant",
        "ops_tenant",
        "ops_support",
        "cron_purge_tenants",
    }
    assert owners == operations | {"task_migrate_registry", "task_migrate_tenants"}
    assert all("DatabaseSecret" in secret for function, (secret,) in secrets.items() if function not in owners)


def test_names_handlers_and_runtime_are_those_of_the_decisions(prod: Assembly) -> None:
    for function, properties in prod.service.functions().items():
        assert properties["FunctionName"] == f"socialflow-prod-{function}"
        assert properties["Handler"] == f"functions.{function}.handler.handler"
        assert (properties["Runtime"], properties["Architectures"]) == ("python3.13", ["arm64"])


def test_layers_are_the_core_and_what_a_function_alone_needs(prod: Assembly) -> None:
    versions = prod.service.of_type("Lambda::LayerVersion")
    for function, properties in prod.service.functions().items():
        names = {versions[prod.service.target(each)]["LayerName"].split("-")[-1] for each in properties["Layers"]}
        assert names == {"core"} | EXTRA_LAYERS.get(function, set())


def test_the_gateway_waits_longer_than_any_function_behind_it(prod: Assembly) -> None:
    for function, properties in prod.service.functions().items():
        if function.startswith("api_"):
            assert properties["Timeout"] < GATEWAY_PATIENCE


def test_a_lease_outlives_the_function_that_holds_it_by_what_a_network_takes_to_settle(prod: Assembly) -> None:
    functions = prod.service.functions()
    publishing = functions["task_publish_target"]
    lease = int(_variables(publishing)[f"{PREFIX}PUBLISH_LEASE"])
    assert lease == publishing["Timeout"] + 60
    told = {_variables(each).get(f"{PREFIX}PUBLISH_LEASE") for each in functions.values()}
    assert told <= {None, str(lease)}


@pytest.mark.parametrize("module", ["task_publish_target", "task_confirm_target"])
def test_a_network_is_given_up_before_the_function_is(prod: Assembly, module: str) -> None:
    deadline = importlib.import_module(f"functions.{module}.handler").LONGEST_CALL
    assert 2 * deadline < prod.service.functions()[module]["Timeout"]


def _tasks(states: dict[str, Any]) -> list[dict[str, Any]]:
    found = []
    for state in states.values():
        if state["Type"] == "Task":
            found.append(state)
        for inner in (state.get("ItemProcessor") or state.get("Iterator") or {}, *state.get("Branches", [])):
            found += _tasks(inner.get("States", {}))
    return found


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_a_state_waits_longer_than_its_function_takes(prod: Assembly, workflow: str) -> None:
    functions = prod.service.functions()
    tasks = _tasks(definition(workflow)["States"])
    assert tasks
    for task in tasks:
        function = task["Parameters"]["FunctionName"].strip("${}")
        assert task["TimeoutSeconds"] > functions[function]["Timeout"], function


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_a_machine_is_what_its_file_says_and_runs_the_functions_named_there(prod: Assembly, workflow: str) -> None:
    template = prod.service
    name = f"socialflow-prod-{workflow.replace('_', '-')}"
    (machine,) = [m for m in template.of_type("StepFunctions::StateMachine").values() if m["StateMachineName"] == name]
    assert json.loads(machine["DefinitionString"]) == definition(workflow)
    for function, arn in machine["DefinitionSubstitutions"].items():
        assert template.function_at(arn) == function
    assert machine["StateMachineType"] == "STANDARD"
    assert machine["TracingConfiguration"] == {"Enabled": True}
    assert machine["LoggingConfiguration"]["Level"] == "ERROR"
    assert machine["LoggingConfiguration"]["IncludeExecutionData"] is False
    assert _invoked(template, machine) == set(machine["DefinitionSubstitutions"])


def _invoked(template: Template, machine: dict[str, Any]) -> set[str]:
    role = template.body["Resources"][template.target(machine["RoleArn"])]["Properties"]
    (policy,) = role["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == "lambda:InvokeFunction"
    arns = statement["Resource"]
    return {template.function_at(arn) for arn in (arns if isinstance(arns, list) else [arns])}


@pytest.mark.parametrize("stage", ["local", "prod"])
def test_what_starts_slowly_begins_from_a_snapshot_and_is_called_by_its_alias_alone(
    request: pytest.FixtureRequest, stage: str
) -> None:
    template = request.getfixturevalue(stage).service
    snapped = {name for name, each in template.functions().items() if "SnapStart" in each}
    # SnapStart takes Python from 3.12 on, and no more disk than this.
    for name in snapped:
        function = template.functions()[name]
        assert function["SnapStart"] == {"ApplyOn": "PublishedVersions"}
        assert (function["Runtime"], function["EphemeralStorage"]) == ("python3.13", {"Size": 512})
    asked = {name for name, each in template.functions().items() if "LITELLM_MODE" in each["Environment"]["Variables"]}
    assert snapped == asked == {"task_write_caption", "task_embed_media"}
    aliases = template.of_type("Lambda::Alias")
    versions = template.of_type("Lambda::Version")
    for alias in aliases.values():
        assert alias["Name"] == "live"
        version = versions[template.target(alias["FunctionVersion"])]
        assert template.target(version["FunctionName"]) == template.target(alias["FunctionName"])
    assert {template.function_at({"Ref": each}) for each in aliases} == snapped
    assert len(versions) == len(aliases)
    by_function = {template.function_at({"Ref": each}): each for each in aliases}
    for machine in template.of_type("StepFunctions::StateMachine").values():
        for function, arn in machine["DefinitionSubstitutions"].items():
            if function in snapped:
                assert template.target(arn) == by_function[function]
        role = template.body["Resources"][template.target(machine["RoleArn"])]["Properties"]
        (statement,) = role["Policies"][0]["PolicyDocument"]["Statement"]
        arns = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        assert {template.target(arn) for arn in arns} == {
            template.target(arn) for arn in machine["DefinitionSubstitutions"].values()
        }


def test_on_one_machine_what_is_told_of_a_refusal_is_capped_and_captions_leave_room_for_publishing_everywhere(
    local: Assembly, prod: Assembly
) -> None:
    key = "ReservedConcurrentExecutions"
    functions = local.service.functions()
    here = {name: each[key] for name, each in functions.items() if key in each}
    # The engine forgets an event, and the start of a wait, that it refuses.
    assert set(functions) - set(here) == {
        name for name in functions if name.startswith(("on_", "cron_", "ops_", "task_await_"))
    }
    assert {here[name] for name in here if name.startswith("api_")} == {LOCAL.concurrency.api}
    assert min(here.values()) == here["task_write_caption"] == LOCAL.concurrency.captioning
    assert here["task_publish_target"] == LOCAL.concurrency.publishing
    assert here["task_open_post"] == here["task_settle_review"] == LOCAL.concurrency.steps
    reserved = {function: each[key] for function, each in prod.service.functions().items() if key in each}
    assert reserved == {
        "task_publish_target": PROD.concurrency.publishing,
        "task_write_caption": PROD.concurrency.captioning,
    }


def test_a_functions_archive_is_the_same_in_every_stage(local: Assembly, prod: Assembly) -> None:
    ours, theirs = local.service.functions(), prod.service.functions()
    for function in FOLDERS:
        assert ours[function]["Code"]["S3Key"] == theirs[function]["Code"]["S3Key"]


def test_no_template_and_no_asset_list_holds_a_path_or_an_account(local: Assembly, prod: Assembly) -> None:
    for assembly in (local, prod):
        for file in (*assembly.folder.glob("*.template.json"), *assembly.folder.glob("*.assets.json")):
            text = file.read_text()
            assert str(ROOT) not in text
            assert str(Path.home()) not in text or Path.home() == Path("/")
            assert '"123456789012"' not in text
