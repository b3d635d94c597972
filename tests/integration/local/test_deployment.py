"""What a deployment makes of the engine where its own CloudFormation leaves something out."""

import json
import threading
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra_cdk.local.deploy import Deployment
from infra_cdk.local.engine import Engine
from infra_cdk.local.ports import free_port
from infra_cdk.local.process import Child
from infra_cdk.local.state import ROOT

BUCKET = "assets-${AWS::AccountId}-${AWS::Region}"
WAITER = """
import os, time
def handler(event, context):
    open(f"{event['path']}.{os.getpid()}", "w").close()
    while not os.path.exists(event["until"]):
        time.sleep(0.02)
    return {"pid": os.getpid()}
"""


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return Engine(ROOT / ".tools/engine/bin/python", tmp_path / "engine", tmp_path / "log", free_port())


@pytest.fixture
def running(engine: Engine) -> Iterator[list[Child]]:
    """The running child, in a list, as it is replaced."""
    children = [engine.start()]
    yield children
    engine.stop(children[-1])


def _assembly(folder: Path, reserved: dict[str, int | None]) -> Path:
    """One stack of functions, as the CDK writes it; each with its reserved concurrency."""
    folder.mkdir()
    with zipfile.ZipFile(folder / "code.zip", "w") as code:
        code.writestr("waiter.py", WAITER)
    files = {
        name: {"source": {"path": name}, "destinations": {"here": {"bucketName": BUCKET, "objectKey": name}}}
        for name in ("app.template.json", "code.zip")
    }
    resources = {name.capitalize(): _function(name, limit) for name, limit in reserved.items()}
    artifact = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "app.template.json"}}
    (folder / "app.template.json").write_text(json.dumps({"Resources": resources}))
    (folder / "app.assets.json").write_text(json.dumps({"files": files}))
    (folder / "manifest.json").write_text(json.dumps({"artifacts": {"app": artifact}}))
    return folder


def _function(name: str, reserved: int | None) -> dict[str, Any]:
    properties = {
        "FunctionName": name,
        "Runtime": "python3.13",
        "Role": "arn:aws:iam::000000000000:role/any",
        "Handler": "waiter.handler",
        "Code": {"S3Bucket": {"Fn::Sub": BUCKET}, "S3Key": "code.zip"},
        "Timeout": 60,
    }
    limit = {} if reserved is None else {"ReservedConcurrentExecutions": reserved}
    return {"Type": "AWS::Lambda::Function", "Properties": properties | limit}


def _reserved(engine: Engine, *names: str) -> dict[str, int | None]:
    functions = engine.client("lambda")
    return {
        name: functions.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions")
        for name in names
    }


def test_reserved_concurrency_is_the_templates_and_survives_a_kill(
    engine: Engine, running: list[Child], tmp_path: Path
) -> None:
    Deployment(engine, _assembly(tmp_path / "one", {"capped": 3, "free": None, "lifted": 5}), print).run()
    running.append(engine.seal(running[-1]))
    engine.stop(running[-1])
    running.append(engine.start())
    assert _reserved(engine, "capped", "free", "lifted") == {"capped": 3, "free": None, "lifted": 5}

    Deployment(engine, _assembly(tmp_path / "two", {"capped": 2, "free": None, "lifted": None}), print).run()

    assert _reserved(engine, "capped", "free", "lifted") == {"capped": 2, "free": None, "lifted": None}


def test_a_call_beyond_it_is_refused_and_an_event_beyond_it_is_forgotten(
    engine: Engine, running: list[Child], tmp_path: Path
) -> None:
    """Why an event has no reserved concurrency here: should the engine learn to keep it, this test says so."""
    assert running
    Deployment(engine, _assembly(tmp_path / "one", {"capped": 1}), print).run()
    functions, events, until = engine.client("lambda"), engine.client("events"), tmp_path / "until"

    def event(name: str) -> str:
        return json.dumps({"path": str(tmp_path / name), "until": str(until)})

    def began(name: str) -> bool:
        return any(tmp_path.glob(f"{name}.*"))

    arn = functions.get_function(FunctionName="capped")["Configuration"]["FunctionArn"]
    events.put_rule(Name="told", EventPattern=json.dumps({"source": ["test"]}))
    events.put_targets(Rule="told", Targets=[{"Id": "1", "Arn": arn, "Input": event("told")}])
    first = threading.Thread(target=functions.invoke, kwargs={"FunctionName": "capped", "Payload": event("first")})
    first.start()
    _eventually(lambda: began("first"))

    with pytest.raises(functions.exceptions.TooManyRequestsException):
        functions.invoke(FunctionName="capped", Payload=event("second"))
    refused = _throttles(engine)
    events.put_events(Entries=[{"Source": "test", "DetailType": "any", "Detail": "{}"}])
    _eventually(lambda: _throttles(engine) > refused)

    until.touch()
    first.join(30)
    functions.invoke(FunctionName="capped", Payload=event("last"))
    assert began("last")
    assert not began("second")
    assert not began("told")


def _throttles(engine: Engine) -> float:
    at = datetime.now(UTC)
    found = engine.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="Throttles",
        Dimensions=[{"Name": "FunctionName", "Value": "capped"}],
        StartTime=at - timedelta(hours=1),
        EndTime=at + timedelta(hours=1),
        Period=60,
        Statistics=["Sum"],
    )
    return float(sum(point["Sum"] for point in found["Datapoints"]))


def _eventually(look: Any) -> None:
    deadline = time.monotonic() + 30
    while not look():
        assert time.monotonic() < deadline
        time.sleep(0.02)
