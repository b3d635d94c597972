"""Facts leave if, and only if, their transaction commits; each aggregate's in order; none is lost to a refusal."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import boto3
import psycopg
import pytest

from functions.on_doorbell.handler import handler as on_doorbell
from socialflow.platform import outbox
from socialflow.platform.database import transaction
from socialflow.platform.events import Fact
from socialflow.platform.ids import new_id
from socialflow.platform.tenancy import Tenant
from tests.conftest import Cloud


@dataclass(frozen=True, kw_only=True)
class ThingHappened(Fact):
    type = "thing.happened"
    aggregate = "thing"

    number: int


@pytest.fixture
def received(cloud: Cloud) -> Iterator[Any]:
    """What the bus passes on, by a queue behind a rule."""
    sqs, events = boto3.client("sqs"), boto3.client("events")
    url = sqs.create_queue(QueueName=f"listener-{new_id()}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="all", EventBusName=cloud.bus, EventPattern=json.dumps({"source": ["socialflow"]}))
    events.put_targets(Rule="all", EventBusName=cloud.bus, Targets=[{"Id": "listener", "Arn": arn}])

    def read() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            for message in messages:
                found.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return found

    yield read
    events.remove_targets(Rule="all", EventBusName=cloud.bus, Ids=["listener"])


def emit(tenant: Tenant, subject: UUID, *numbers: int) -> None:
    with transaction(tenant) as tx:
        for number in numbers:
            tx.emit(ThingHappened(subject_id=subject, number=number))


def rings(cloud: Cloud) -> list[str]:
    """Take every message from the doorbell's queue."""
    sqs, found = boto3.client("sqs"), []
    while messages := sqs.receive_message(QueueUrl=cloud.queue_url, MaxNumberOfMessages=10).get("Messages", []):
        for message in messages:
            found.append(message["Body"])
            sqs.delete_message(QueueUrl=cloud.queue_url, ReceiptHandle=message["ReceiptHandle"])
    return found


def waiting(owner: psycopg.Connection) -> int:
    row = owner.execute("SELECT count(*) FROM cell.outbox").fetchone()
    assert row is not None
    return int(row[0])


def test_a_fact_reaches_the_bus_with_its_envelope(acme: Tenant, received: Any, cloud: Cloud) -> None:
    subject = new_id()
    emit(acme, subject, 7)
    assert outbox.relay(cloud.bus) == 1
    (event,) = received()
    detail = event["detail"]
    assert (event["source"], event["detail-type"]) == ("socialflow", "thing.happened")
    assert detail["aggregate"] == {"type": "thing", "id": str(subject)}
    assert (detail["tenant"], detail["seq"], detail["v"], detail["data"]) == ("acme", 1, 1, {"number": 7})


def test_facts_of_a_rolled_back_transaction_never_leave(acme: Tenant, received: Any, cloud: Cloud) -> None:
    def fail() -> None:
        with transaction(acme) as tx:
            tx.emit(ThingHappened(subject_id=new_id(), number=1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert outbox.relay(cloud.bus) == 0
    assert received() == []


def test_the_facts_of_an_aggregate_keep_their_order_and_are_numbered(
    acme: Tenant, contoso: Tenant, received: Any, cloud: Cloud
) -> None:
    subjects = [new_id() for _ in range(5)]
    for number in range(9):
        for subject in subjects:
            emit(acme if subject == subjects[0] else contoso, subject, number)
    assert outbox.relay(cloud.bus) == 45
    seen: dict[str, list[tuple[int, int]]] = {}
    for event in received():
        detail = event["detail"]
        seen.setdefault(detail["aggregate"]["id"], []).append((detail["seq"], detail["data"]["number"]))
    assert seen == {str(subject): [(n + 1, n) for n in range(9)] for subject in subjects}


class _Refusing:
    """A bus that refuses some numbers."""

    def __init__(self, refused: set[int]) -> None:
        self.refused = refused
        self.sent: list[int] = []

    def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - the service's own name
        numbers = [json.loads(entry["Detail"])["data"]["number"] for entry in Entries]
        self.sent += [number for number in numbers if number not in self.refused]
        return {"Entries": [{"ErrorCode": "ThrottlingException"} if n in self.refused else {} for n in numbers]}


def test_what_the_bus_refuses_stays_with_all_that_follows_it(
    acme: Tenant, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = new_id()
    emit(acme, subject, 1, 2, 3)
    bus = _Refusing({2})
    monkeypatch.setattr(outbox, "client", lambda _name: bus)
    assert outbox.relay("bus") == 1
    assert waiting(owner) == 2
    bus.refused.clear()
    bus.sent.clear()
    assert outbox.relay("bus") == 2
    assert bus.sent == [2, 3]


def test_a_fact_that_is_always_refused_is_parked_and_lets_the_others_pass(
    acme: Tenant, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = new_id()
    emit(acme, subject, 1, 2)
    bus = _Refusing({1})
    monkeypatch.setattr(outbox, "client", lambda _name: bus)
    for _ in range(outbox.ATTEMPTS + 1):
        outbox.relay("bus")
    assert owner.execute("SELECT (data->>'number')::int, parked_at IS NOT NULL FROM cell.outbox").fetchall() == [
        (1, True)
    ]


def test_a_commit_rings_the_doorbell_and_the_doorbell_empties_the_outbox(
    acme: Tenant, owner: psycopg.Connection, cloud: Cloud
) -> None:
    rings(cloud)
    emit(acme, new_id(), 1)
    (body,) = rings(cloud)
    assert on_doorbell({"Records": [{"body": body}]}, None) == {"sent": 1}
    assert waiting(owner) == 0


def test_a_transaction_without_facts_rings_nobody(acme: Tenant, cloud: Cloud) -> None:
    rings(cloud)
    with transaction(acme) as tx:
        tx.value("SELECT 1")
    assert rings(cloud) == []


def test_a_doorbell_that_cannot_be_rung_loses_nothing(
    acme: Tenant, owner: psycopg.Connection, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    from socialflow.platform import settings  # noqa: PLC0415 - only this test breaks the environment

    monkeypatch.setenv("SOCIALFLOW_DOORBELL_QUEUE_URL", cloud.queue_url + "-gone")
    settings.forget()
    emit(acme, new_id(), 1)
    monkeypatch.undo()
    settings.forget()
    assert waiting(owner) == 1


def test_the_schedules_event_rings_too(acme: Tenant, owner: psycopg.Connection) -> None:
    emit(acme, new_id(), 1)
    assert on_doorbell({"Records": [{"body": '{"source": "aws.events"}'}]}, None) == {"sent": 1}
