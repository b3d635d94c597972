"""Reading a cloud assembly."""

import json
from pathlib import Path

import pytest

from infra_cdk.local.deploy import digest_of, resolve, stacks_of, zipped


@pytest.fixture
def assembly(tmp_path: Path) -> Path:
    """Two stacks, of which the first named needs the second, as the CDK writes them."""
    artifacts: dict[str, object] = {"tree": {"type": "cdk:tree"}}
    for name, needs in (("app-service", ["app-storage"]), ("app-storage", [])):
        (tmp_path / f"{name}.template.json").write_text(json.dumps({"Resources": {"It": {"Type": name}}}))
        (tmp_path / f"{name}.assets.json").write_text(json.dumps({"files": {}}))
        properties = {"templateFile": f"{name}.template.json"}
        artifacts[name] = {"type": "aws:cloudformation:stack", "properties": properties, "dependencies": needs}
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    return tmp_path


def test_a_stack_comes_after_those_that_it_needs(assembly: Path) -> None:
    assert [stack.name for stack in stacks_of(assembly)] == ["app-storage", "app-service"]
    assert stacks_of(assembly)[0].body == {"Resources": {"It": {"Type": "app-storage"}}}


def test_the_digest_changes_with_a_template_and_with_an_asset(assembly: Path) -> None:
    digests = [digest_of(assembly), digest_of(assembly)]
    (assembly / "app-storage.template.json").write_text("{}")
    digests.append(digest_of(assembly))
    (assembly / "app-service.assets.json").write_text('{"files": {"new": {}}}')
    digests.append(digest_of(assembly))

    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


def test_placeholders_become_the_engines_account_and_region() -> None:
    name = "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"

    assert resolve(name) == "cdk-hnb659fds-assets-000000000000-us-east-1"


def test_the_same_files_make_the_same_archive(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "deep").mkdir(parents=True)
        (tmp_path / name / "deep" / "file.py").write_text("x = 1\n")

    assert zipped(tmp_path / "one") == zipped(tmp_path / "two")
