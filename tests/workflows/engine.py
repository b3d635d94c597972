"""Runs a state machine's file on moto's interpreter, with the functions' answers scripted.

moto interprets the language (Choice, Retry, Catch, Map, task tokens) and never runs a function: what the functions do
is tested elsewhere, what the workflow makes of their answers here.
"""

import copy
import json
import logging
import re
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote
from uuid import uuid4

import boto3
from moto import mock_aws
from moto.awslambda_simple.models import LambdaSimpleBackend, lambda_simple_backends
from moto.core.config import DefaultConfig, default_user_config

from tests.workflows.asl import Asl, Transition, instrumented, retry_of

REGION = "us-east-1"
ACCOUNT = "123456789012"
# moto logs each scripted failure as an error of its own, with the whole machine in the line.
logging.getLogger("moto.stepfunctions").setLevel(logging.CRITICAL)
_OFFLINE: DefaultConfig = {"stepfunctions": {"execute_state_machine": True}, "lambda": {"use_docker": False}}


@dataclass(frozen=True)
class Raises:
    """The function fails with an error of this name."""

    error: str


class NeverAnswered:
    """The token is parked and nobody answers: the wait times out (after one second here)."""


Answer = Mapping[str, Any] | Raises | NeverAnswered
Script = Mapping[str, Sequence[Answer] | Callable[[Mapping[str, Any]], Answer]]
"""By function: its answers in order (the last one stands for all later calls), or a function of the payload."""


@dataclass(frozen=True)
class Run:
    """What an execution did."""

    status: str
    output: Any
    error: str | None
    states: tuple[str, ...]
    """The states entered, in order; those inside Maps as they came."""
    taken: frozenset[Transition]
    calls: tuple[tuple[str, Mapping[str, Any]], ...]
    """Each call of a function: its name and its payload."""


def run(asl: Asl, script: Script, given: Mapping[str, Any], *, limit: float = 30.0) -> Run:
    """Execute a state machine to its end; a call of a function that the script does not name fails the run."""
    marked, marks = instrumented(asl)
    # Not by mock_aws(config=…): inside another mock_aws (the test session's) that would outlive this run.
    with patch.dict(default_user_config, _OFFLINE), mock_aws():
        functions = _ScriptedFunctions(REGION, ACCOUNT)
        functions.script = script
        lambda_simple_backends[ACCOUNT][REGION] = functions
        states = boto3.client(
            "stepfunctions", region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test"
        )
        functions.answer = lambda token, output: states.send_task_success(taskToken=token, output=json.dumps(output))
        machine = states.create_state_machine(
            name=f"machine-{uuid4()}",
            definition=_substituted(_hurried(marked)),
            roleArn=f"arn:aws:iam::{ACCOUNT}:role/machine",
        )["stateMachineArn"]
        execution = states.start_execution(stateMachineArn=machine, input=json.dumps(given))["executionArn"]
        end = time.monotonic() + limit
        while (told := states.describe_execution(executionArn=execution))["status"] == "RUNNING":
            if time.monotonic() > end:
                states.stop_execution(executionArn=execution)
                raise TimeoutError(f"Still running after {limit} s, having called {functions.made}")
            time.sleep(0.02)
        history = states.get_execution_history(executionArn=execution)["events"]
        calls, unscripted = tuple(functions.made), list(functions.unscripted)  # moto empties its backends at the end
    if unscripted:
        raise LookupError(f"The script has no answer of {unscripted}")
    entered = [event["stateEnteredEventDetails"]["name"] for event in history if "stateEnteredEventDetails" in event]
    taken = {marks[name] for name in entered if name in marks} | _retries(asl, history)
    return Run(
        status=told["status"],
        output=json.loads(told["output"]) if "output" in told else None,
        error=told.get("error"),
        states=tuple(name for name in entered if name not in marks),
        taken=frozenset(taken),
        calls=calls,
    )


class _ScriptedFunctions(LambdaSimpleBackend):
    """moto's Lambda, answering by the script: the fake at the engine's port."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.script: Script = {}
        self.made: list[tuple[str, Mapping[str, Any]]] = []
        self.unscripted: list[str] = []
        self.answer: Callable[[str, Any], object] = _nobody
        self.lock = threading.Lock()
        self.times: dict[str, int] = defaultdict(int)

    def invoke(
        self, function_name: str, qualifier: str | None, body: Any, headers: Any, response_headers: Any
    ) -> bytes:
        """Answer a call as scripted."""
        payload = json.loads(body)
        answer = self._next(unquote(function_name).rpartition(":")[2], payload)
        if isinstance(answer, Raises):
            response_headers["x-amz-function-error"] = "Unhandled"
            return json.dumps({"errorType": answer.error, "errorMessage": "scripted"}).encode()
        token = payload.get("token")
        if token is None:
            return json.dumps(answer).encode()
        if not isinstance(answer, NeverAnswered):
            self.answer(token, answer)
        return b"{}"

    def _next(self, name: str, payload: Mapping[str, Any]) -> Answer:
        with self.lock:
            self.made.append((name, payload))
            scripted = self.script.get(name)
            if scripted is None:
                self.unscripted.append(name)
                return Raises("Unscripted")
            if callable(scripted):
                return scripted(payload)
            answer = scripted[min(self.times[name], len(scripted) - 1)]
            self.times[name] += 1
            return answer


def _nobody(token: str, _output: object) -> None:
    raise LookupError(f"No execution waits on {token}")


def _hurried(asl: Asl) -> Asl:
    """Return a copy whose waits and retries take a second at the most."""
    hurried = copy.deepcopy(asl)

    def visit(node: object) -> None:
        if isinstance(node, dict):
            if str(node.get("Resource", "")).endswith(".waitForTaskToken"):
                node["TimeoutSeconds"] = 1
            for key, value in {"IntervalSeconds": 1, "MaxDelaySeconds": 2, "BackoffRate": 1}.items():
                if key in node:
                    node[key] = value
        for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            visit(child)

    visit(hurried)
    return hurried


def _substituted(asl: Asl) -> str:
    """Write the definition with each `${name}` as the ARN of a function of that name."""
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:"
    return re.sub(r"\$\{(\w+)\}", lambda found: arn + found[1], json.dumps(asl))


def _retries(asl: Asl, history: Sequence[Mapping[str, Any]]) -> set[Transition]:
    """Return the Retries taken: a task scheduled again after a failure, without having been left."""
    by_id = {event["id"]: event for event in history}
    found = set()
    for event in history:
        if event["type"] != "TaskScheduled":
            continue
        failed, state = None, None
        before = by_id.get(event["previousEventId"])
        while before is not None and state is None:
            if "taskFailedEventDetails" in before and failed is None:
                failed = before["taskFailedEventDetails"]["error"]
            state = before.get("stateEnteredEventDetails", {}).get("name")
            before = by_id.get(before.get("previousEventId", 0))
        retry = retry_of(asl, state, failed) if state and failed else None
        found |= {retry} if retry else set()
    return found
