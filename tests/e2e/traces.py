"""What a run leaves behind, as text: logs, every row of the database, events, executions."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from tests.e2e.stack import LocalStack

_TABLES = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^(pg_|information_schema)' ORDER BY 1, 2
"""


@dataclass
class Traces:
    """Texts by where they were found."""

    texts: dict[str, str] = field(default_factory=dict)

    def where(self, planted: str) -> set[str]:
        """Return the places that hold a text, as such or in a coding that hides nothing from anybody."""
        raw = planted.encode()
        forms = {planted, raw.hex(), json.dumps(planted)[1:-1], *_in_base64(raw)}
        return {place for place, text in self.texts.items() if any(form in text for form in forms)}


def _in_base64(raw: bytes) -> Iterator[str]:
    """Yield what stands in a base64 of any text around it: three ways to be aligned, the ends left out."""
    for shift in range(3):
        yield base64.b64encode(b" " * shift + raw).decode()[4:-4]


def logs(stack: LocalStack) -> Traces:
    """Read what every process and every function has written."""
    found = {f"log of {path.stem}": path.read_text(errors="replace") for path in stack.state.log("x").parent.iterdir()}
    client = stack.state.engine().client("logs")
    for page in client.get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            name = group["logGroupName"]
            lines = client.get_paginator("filter_log_events").paginate(logGroupName=name)
            found[name] = "\n".join(event["message"] for part in lines for event in part["events"])
    return Traces(found)


def rows(stack: LocalStack) -> Traces:
    """Read every table of every schema."""
    with psycopg.connect(stack.addresses["database"], autocommit=True) as connection:
        tables = connection.execute(_TABLES).fetchall()
        found = {}
        for schema, table in tables:
            query = sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(schema, table))
            found[f"{schema}.{table}"] = "\n".join(row[0] for row in connection.execute(query))
    return Traces(found)


def executions(stack: LocalStack) -> Traces:
    """Read what every execution was given, and what happened in it."""
    client = stack.state.engine().client("stepfunctions")
    found = {}
    for machine in client.list_state_machines()["stateMachines"]:
        for page in client.get_paginator("list_executions").paginate(stateMachineArn=machine["stateMachineArn"]):
            for each in page["executions"]:
                arn = each["executionArn"]
                told = [client.describe_execution(executionArn=arn)]
                told += client.get_paginator("get_execution_history").paginate(executionArn=arn)
                found[f"execution {each['name']}"] = json.dumps(told, default=str)
    return Traces(found)


@contextmanager
def facts_heard(stack: LocalStack) -> Iterator[Traces]:
    """Listen to the bus, as whoever subscribes does; yields what was heard until the end of the block, after it."""
    engine = stack.state.engine()
    events, queues = engine.client("events"), engine.client("sqs")
    bus = next(each["Name"] for each in events.list_event_buses()["EventBuses"] if "socialflow" in each["Name"])
    queue = queues.create_queue(QueueName="traces")["QueueUrl"]
    asked = {"QueueUrl": queue, "AttributeNames": ["QueueArn"]}
    arn = queues.get_queue_attributes(**asked)["Attributes"]["QueueArn"]
    events.put_rule(Name="traces", EventBusName=bus, EventPattern=json.dumps({"source": ["socialflow"]}))
    events.put_targets(Rule="traces", EventBusName=bus, Targets=[{"Id": "traces", "Arn": arn}])
    heard = Traces()
    try:
        yield heard
        while found := queues.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                heard.texts[f"fact {message['MessageId']}"] = message["Body"]
                queues.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    finally:
        events.remove_targets(Rule="traces", EventBusName=bus, Ids=["traces"])
        events.delete_rule(Name="traces", EventBusName=bus)
        queues.delete_queue(QueueUrl=queue)


def secrets(stack: LocalStack) -> dict[str, str]:
    """Return every secret that the stack itself keeps, by its name."""
    client = stack.state.engine().client("secretsmanager")
    found: dict[str, str] = {}
    for page in client.get_paginator("list_secrets").paginate():
        for each in page["SecretList"]:
            value = client.get_secret_value(SecretId=each["ARN"])["SecretString"]
            found |= {f"{each['Name']}/{name}": text for name, text in _leaves(value)}
    return found


def _leaves(value: str) -> Iterator[tuple[str, str]]:
    """Yield the texts of a secret that are long enough to be one."""
    try:
        told: Any = json.loads(value)
    except ValueError:
        told = {"": value}
    for name, text in told.items() if isinstance(told, dict) else [("", value)]:
        if isinstance(text, str) and name not in {"username", "host", "dbname", "engine"} and len(text) >= 16:
            yield name, text
