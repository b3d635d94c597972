"""The synthesized templates of local and prod, made once by the same command that deployments use."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra_cdk.stages import STAGES

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Template:
    """One stack's template, with the questions that tests ask of it."""

    body: dict[str, Any]

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """Properties by logical id of the resources of a type, e.g. `SQS::Queue`."""
        resources = self.body["Resources"].items()
        return {name: each.get("Properties", {}) for name, each in resources if each["Type"] == f"AWS::{kind}"}

    def only(self, kind: str) -> dict[str, Any]:
        """The properties of the one resource of that type."""
        (found,) = self.of_type(kind).values()
        return found

    def target(self, reference: Any) -> str:
        """The logical id that a Ref or GetAtt, alone or inside a join, refers to."""
        found = set(_references(reference))
        assert len(found) == 1, f"{reference} refers to {found or 'nothing'}"
        return found.pop()

    def functions(self) -> dict[str, dict[str, Any]]:
        """The functions' properties by the name of their folder."""
        return {each["Handler"].split(".")[1]: each for each in self.of_type("Lambda::Function").values()}

    def function_at(self, reference: Any) -> str:
        """The folder's name of the function that a reference means: it, or the alias of what is published of it."""
        found = self.body["Resources"][self.target(reference)]
        if found["Type"] == "AWS::Lambda::Alias":
            found = self.body["Resources"][self.target(found["Properties"]["FunctionName"])]
        return str(found["Properties"]["Handler"]).split(".")[1]


@dataclass(frozen=True)
class Assembly:
    """What the synthesis of one stage wrote."""

    folder: Path
    manifest: dict[str, Any]
    storage: Template
    service: Template


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        if "Ref" in value and not value["Ref"].startswith("AWS::"):
            return [str(value["Ref"])]
        if "Fn::GetAtt" in value:
            return [str(value["Fn::GetAtt"][0])]
        return [each for part in value.values() for each in _references(part)]
    if isinstance(value, list):
        return [each for part in value for each in _references(part)]
    return []


def synthesize(name: str, folder: Path) -> Assembly:
    """Run the synthesis in a process of its own, without this process's settings."""
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("SOCIALFLOW_", "CDK_", "AWS_"))
    }
    command = [sys.executable, "-m", "infra_cdk.app", "-c", f"stage={name}", "-c", f"outdir={folder}"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    manifest = json.loads((folder / "manifest.json").read_text())
    bodies = {
        each["properties"]["stackName"]: Template(json.loads((folder / each["properties"]["templateFile"]).read_text()))
        for each in manifest["artifacts"].values()
        if each["type"] == "aws:cloudformation:stack"
    }
    stage = STAGES[name]
    return Assembly(folder, manifest, bodies[stage.storage_stack], bodies[stage.service_stack])


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """The local stage, as it is without any settings from outside."""
    return synthesize("local", tmp_path_factory.mktemp("local"))


@pytest.fixture(scope="session")
def prod(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """The prod stage."""
    return synthesize("prod", tmp_path_factory.mktemp("prod"))
