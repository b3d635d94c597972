"""Checks what the synthesis writes: `python -m infra_cdk.check local dev staging prod`.

cdk-nag runs inside each synthesis and fails it; cfn-lint reads every template, asl-validator every workflow in them.
"""

import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from infra_cdk.app import FindingsError, synthesize
from infra_cdk.node import NodeMissingError
from infra_cdk.stages import stage

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "build" / "check"
ACCEPTED = {
    "W3005": "the CDK library names dependencies that a reference already makes; they do no harm",
}
PLACEHOLDER = "arn:aws:lambda:us-east-1:123456789012:function:"


def _run(command: list[str]) -> str:
    """What the command printed, or nothing when it succeeded."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    return "" if done.returncode == 0 else f"{done.stdout}{done.stderr}".strip() or f"{command}: {done.returncode}"


def lint(templates: list[Path]) -> str:
    """The findings of cfn-lint."""
    program = Path(sys.executable).with_name("cfn-lint")
    return _run([str(program), "--ignore-checks", *ACCEPTED, "--", *map(str, templates)])


def workflows(template: Path) -> dict[str, str]:
    """The workflows of a template as Step Functions will read them, by their names in it."""
    found = {}
    for name, resource in json.loads(template.read_text())["Resources"].items():
        if resource["Type"] == "AWS::StepFunctions::StateMachine":
            definition = resource["Properties"]["DefinitionString"]
            found[name] = re.sub(r"\$\{(\w+)\}", PLACEHOLDER + r"\1", definition)
    return found


def validate(templates: list[Path]) -> str:
    """The findings of asl-validator; the same definition of several stages is validated once."""
    distinct = {text: name for template in templates for name, text in workflows(template).items()}
    if not distinct:
        return "no workflow found in any template"
    files = []
    for text, name in distinct.items():
        files.append(OUT / f"{name}.asl.json")
        files[-1].write_text(text)
    options = [part for file in files for part in ("--json-path", str(file))]
    return _run([sys.executable, "-m", "infra_cdk.node", "asl-validator", *options])


def main() -> int:
    """Synthesize the stages named, in this process, and check what came out; print findings and nothing else."""
    stages = sys.argv[1:]
    try:
        for name in stages:
            synthesize(stage(name), str(OUT / name))
    except (FindingsError, NodeMissingError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    templates = [path for name in stages for path in sorted((OUT / name).glob("*.template.json"))]
    with ThreadPoolExecutor(2) as pool:
        findings = [found for found in pool.map(lambda check: check(templates), (lint, validate)) if found]
    for finding in findings:
        sys.stderr.write(f"{finding}\n")
    return 1 if findings else 0


if __name__ == "__main__":
    raise SystemExit(main())
