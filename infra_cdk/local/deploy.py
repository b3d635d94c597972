"""Puts a synthesized cloud assembly into the engine: assets, stacks in their order, what the engine leaves out.

The CDK's own command line does the same in four times the time; this is its `deploy` for one account and region.
"""

import graphlib
import hashlib
import json
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from infra_cdk.local import links
from infra_cdk.local.engine import REGION, Engine
from infra_cdk.local.process import LocalError

ACCOUNT = "000000000000"
BOOTSTRAP_VERSION = ("/cdk-bootstrap/hnb659fds/version", "30")
DEPLOYED = "/socialflow/local/deployed"  # in the engine, so that what it says is as old as what it speaks of
STACK_TIMEOUT_S = 180.0
POLL_S = 0.2
BROKEN = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED", "UPDATE_ROLLBACK_FAILED")
Say = Callable[[str], None]


@dataclass(frozen=True)
class StackTemplate:
    """One stack of the assembly."""

    name: str
    template: Path
    assets: Path

    @property
    def body(self) -> dict[str, Any]:
        """The template."""
        found: dict[str, Any] = json.loads(self.template.read_text())
        return found


def stacks_of(assembly: Path) -> list[StackTemplate]:
    """The stacks of the cloud assembly, each after those that it depends on."""
    artifacts: dict[str, Any] = json.loads((assembly / "manifest.json").read_text())["artifacts"]
    order = graphlib.TopologicalSorter({name: each.get("dependencies", []) for name, each in artifacts.items()})
    return [
        StackTemplate(
            name=artifacts[each]["properties"].get("stackName", each),
            template=assembly / artifacts[each]["properties"]["templateFile"],
            assets=assembly / f"{each}.assets.json",
        )
        for each in order.static_order()
        if artifacts.get(each, {}).get("type") == "aws:cloudformation:stack"
    ]


def digest_of(assembly: Path) -> str:
    """What the assembly would deploy, as one word: templates, and assets by their content's address."""
    whole = hashlib.sha256()
    for stack in stacks_of(assembly):
        whole.update(stack.template.read_bytes())
        whole.update(stack.assets.read_bytes())
    return whole.hexdigest()


class Deployment:
    """A deployment of one assembly to one engine."""

    def __init__(self, engine: Engine, assembly: Path, say: Say) -> None:
        """`say` is told each step in words."""
        self.engine = engine
        self.assembly = assembly
        self.say = say
        self.cloudformation = engine.client("cloudformation")
        self.ssm = engine.client("ssm")
        self._linked: set[str] = set()

    def run(self) -> bool:
        """Bring the engine to what the assembly says; False if it is there already. Raises LocalError."""
        if self.is_done:
            return False
        self._bootstrap()
        for stack in stacks_of(self.assembly):
            self._upload(stack)
            self._apply(stack)
            self._allow_origins(stack)
            self._reserve(stack)
        links.forget(self.engine.layers, but=self._linked)
        self.ssm.put_parameter(Name=DEPLOYED, Value=digest_of(self.assembly), Type="String", Overwrite=True)
        return True

    @property
    def is_done(self) -> bool:
        """Whether the engine holds exactly this assembly."""
        complete = all(self._status(stack.name).endswith("_COMPLETE") for stack in stacks_of(self.assembly))
        return complete and self.engine.layers.exists() and self._deployed() == digest_of(self.assembly)

    def outputs(self) -> dict[str, str]:
        """The outputs of all stacks; CloudFormation's own exports between stacks are not among them."""
        found: dict[str, str] = {}
        for stack in stacks_of(self.assembly):
            described = self.cloudformation.describe_stacks(StackName=stack.name)["Stacks"][0]
            found |= {
                output["OutputKey"]: output["OutputValue"]
                for output in described.get("Outputs", [])
                if not output["OutputKey"].startswith("ExportsOutput")
            }
        return found

    def _deployed(self) -> str:
        try:
            value: str = self.ssm.get_parameter(Name=DEPLOYED)["Parameter"]["Value"]
        except ClientError:
            return ""
        return value

    def _bootstrap(self) -> None:
        name, value = BOOTSTRAP_VERSION
        self.ssm.put_parameter(Name=name, Value=value, Type="String", Overwrite=True)

    def _content(self, path: Path) -> bytes:
        """What is uploaded for an asset of the assembly."""
        if path.is_dir():
            return zipped(path)
        if links.is_layer(path):
            self._linked.add(path.stem)
            return links.link_to(links.unpacked(path, path.stem, self.engine.layers))
        return path.read_bytes()

    def _upload(self, stack: StackTemplate) -> None:
        s3 = self.engine.client("s3")
        files: Mapping[str, Any] = json.loads(stack.assets.read_text())["files"]
        uploaded = 0
        for each in files.values():
            path = stack.assets.parent / each["source"]["path"]
            for destination in each["destinations"].values():
                place = {"Bucket": resolve(destination["bucketName"]), "Key": resolve(destination["objectKey"])}
                s3.create_bucket(Bucket=place["Bucket"])  # repeatable by its owner
                content = self._content(path)
                if not _holds(s3, place, content):
                    s3.put_object(Body=content, **place)
                    uploaded += 1
        if uploaded:
            self.say(f"{stack.name}: {uploaded} of {len(files)} assets uploaded")

    def _template_url(self, stack: StackTemplate) -> str:
        files: Mapping[str, Any] = json.loads(stack.assets.read_text())["files"]
        for each in files.values():
            if each["source"]["path"] == stack.template.name:
                destination = next(iter(each["destinations"].values()))
                return f"{self.engine.url}/{resolve(destination['bucketName'])}/{resolve(destination['objectKey'])}"
        raise LocalError(f"{stack.assets} does not list the template of {stack.name}")

    def _apply(self, stack: StackTemplate) -> None:
        status = self._status(stack.name)
        if status in BROKEN:
            self.say(f"{stack.name}: it is {status}, so it is made anew")
            self._delete(stack.name)
            status = ""
        request = {
            "StackName": stack.name,
            "TemplateURL": self._template_url(stack),
            "Capabilities": ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        }
        try:
            if status:
                self.cloudformation.update_stack(**request)
            else:
                self.cloudformation.create_stack(**request)
        except ClientError as error:
            if "No updates are to be performed" in str(error):
                return
            raise LocalError(f"{stack.name}: the engine refuses the template: {error}") from error
        self._wait(stack.name, ("CREATE_COMPLETE", "UPDATE_COMPLETE"))
        self.say(f"{stack.name}: {'updated' if status else 'created'} ({len(stack.body['Resources'])} resources)")

    def _delete(self, name: str) -> None:
        self.cloudformation.delete_stack(StackName=name)
        self._wait(name, ("", "DELETE_COMPLETE"))

    def _status(self, name: str) -> str:
        try:
            status: str = self.cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
        except ClientError:
            return ""
        return "" if status == "DELETE_COMPLETE" else status

    def _wait(self, name: str, wanted: Sequence[str]) -> None:
        deadline = time.monotonic() + STACK_TIMEOUT_S
        while (status := self._status(name)).endswith("IN_PROGRESS"):
            if time.monotonic() > deadline:
                raise LocalError(f"{name} is still {status} after {STACK_TIMEOUT_S:.0f} s; see {self.engine.log}")
            time.sleep(POLL_S)
        if status not in wanted:
            raise LocalError(f"{name} ended as {status or 'nothing'}:\n  " + "\n  ".join(self._reasons(name)))

    def _reasons(self, name: str) -> list[str]:
        events = self.cloudformation.describe_stack_events(StackName=name)["StackEvents"]
        failed = [each for each in events if "FAILED" in each["ResourceStatus"]]
        return [
            f"{each['LogicalResourceId']}: {each.get('ResourceStatusReason', 'no reason given')}" for each in failed
        ]

    def _allow_origins(self, stack: StackTemplate) -> None:
        """The engine does not read an HTTP API's CORS settings in the template; its API does."""
        gateway = self.engine.client("apigatewayv2")
        for logical, resource in stack.body["Resources"].items():
            settings = resource.get("Properties", {}).get("CorsConfiguration")
            if resource["Type"] == "AWS::ApiGatewayV2::Api" and settings:
                found = self.cloudformation.describe_stack_resource(StackName=stack.name, LogicalResourceId=logical)
                gateway.update_api(
                    ApiId=found["StackResourceDetail"]["PhysicalResourceId"], CorsConfiguration=dict(settings)
                )

    def _reserve(self, stack: StackTemplate) -> None:
        """Nor does it read a function's reserved concurrency, without which it starts a process for every call."""
        functions = self.engine.client("lambda")
        for logical, resource in stack.body["Resources"].items():
            if resource["Type"] != "AWS::Lambda::Function":
                continue
            found = self.cloudformation.describe_stack_resource(StackName=stack.name, LogicalResourceId=logical)
            name = found["StackResourceDetail"]["PhysicalResourceId"]
            wanted = resource.get("Properties", {}).get("ReservedConcurrentExecutions")
            if wanted is None:
                functions.delete_function_concurrency(FunctionName=name)
            else:
                functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=wanted)


def resolve(text: str) -> str:
    """The assembly's placeholders, in the one account and region that the engine has."""
    for placeholder, value in {
        "${AWS::AccountId}": ACCOUNT,
        "${AWS::Region}": REGION,
        "${AWS::Partition}": "aws",
    }.items():
        text = text.replace(placeholder, value)
    return text


def zipped(folder: Path) -> bytes:
    """The folder as an archive, always the same bytes for the same files."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(str(path.relative_to(folder)))
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _holds(s3: Any, place: Mapping[str, str], content: bytes) -> bool:
    """Whether the object is there and of this content; the engine's ETag is the MD5 of what it holds."""
    try:
        found: str = s3.head_object(**place)["ETag"]
    except ClientError:
        return False
    return found.strip('"') == hashlib.md5(content, usedforsecurity=False).hexdigest()
