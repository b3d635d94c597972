"""Work: subjects whose workflow must move."""

import json
from uuid import UUID

import boto3

from socialflow.platform import work
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.ids import new_id
from tests.integration.given import World, preparation

_PASS = {"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}


@preparation("the two workflows")
def the_two_workflows(world: World) -> dict[str, str]:
    """Make state machines of the names that the functions are told, in which nothing happens."""
    states = boto3.client("stepfunctions")
    for arn in (world.cloud.ingest, world.cloud.publish):
        role = "arn:aws:iam::123456789012:role/states"
        states.create_state_machine(name=arn.rpartition(":")[2], definition=json.dumps(_PASS), roleArn=role)
    return {}


@preparation("a subject is due")
def a_subject_is_due(world: World) -> dict[str, str]:
    """Ask for acme's workflow now: `${subject}`."""
    return {"subject": str(_due(world))}


@preparation("a subject's first run")
def a_first_run(world: World) -> dict[str, str]:
    """Ask for acme's workflow now and start it: `${subject}` is at run 1."""
    subject = _due(world)
    the_two_workflows(world)
    work.start_due({"ingest": world.cloud.ingest, "publish": world.cloud.publish}, room={"ingest": 1})
    return {"subject": str(subject)}


def _due(world: World) -> UUID:
    subject = new_id()
    with transaction(world.acme) as tx:
        work.schedule(tx, "ingest", subject, wake_at=now())
    return subject
