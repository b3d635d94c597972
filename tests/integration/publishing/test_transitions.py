"""What a post costs in transitions, executed, against what docs/punctuality.md reckons with."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from functions.task_publish_target.handler import handler as task_publish_target
from infra_cdk.stages import PROD
from socialflow.publishing.model import HEAD_START
from tests.integration.publishing.conftest import Desk
from tests.integration.publishing.test_execution import called, execute
from tests.workflows.asl import load
from tests.workflows.engine import Answer, Raises, run
from tests.workflows.test_publish_post import HAPPY, INPUT, opened

PAGE = (Path(__file__).parents[3] / "docs" / "punctuality.md").read_text()


def reckoned() -> list[str]:
    """The states that the page lists, in their order."""
    section = PAGE.partition("## What a post costs")[2].partition("\n## ")[0]
    rows = [line.split("|")[2] for line in section.splitlines() if line.startswith("|")][2:]
    return [name.strip() for row in rows for name in row.split(",")]


def number(sentence: str) -> int:
    """The figure that stands at (…) in a sentence of the page."""
    found = re.search(sentence, PAGE)
    assert found, sentence
    return int(found[1].replace(",", ""))


def test_a_post_with_one_target_enters_the_states_of_the_page(desk: Desk) -> None:
    post = desk.post("Counted", accounts=[desk.account()], at=desk.in_minutes(0.07), media=[{"id": desk.media()}])

    done = execute(desk, post["id"])

    assert list(done.states) == reckoned()
    assert len(done.states) == number(r"one target enters \*\*(\d+) states\*\*")
    assert desk.read(post["id"])["state"] == "published"


def test_each_further_target_costs_what_the_page_says(desk: Desk) -> None:
    accounts = [desk.account(), desk.account(token="other_token")]
    post = desk.post("Counted twice", accounts=accounts, at=desk.in_minutes(0.07))

    done = execute(desk, post["id"])

    assert len(done.states) == len(reckoned()) + number(r"Each further target adds (\d+)")


def test_waiting_for_an_approval_costs_what_the_page_says() -> None:
    with_approval = HAPPY | {
        "task_open_post": [opened("await_approval"), opened("publish")],
        "task_await_approval": [{"outcome": "decided"}],
    }

    done = run(load("publish_post"), with_approval, INPUT)

    assert len(done.states) == len(reckoned()) + number(r"Waiting for an approval adds (\d+)")


def test_a_refused_call_costs_what_the_page_says(desk: Desk) -> None:
    """Lambda has no room for the publisher once: the target is looked at, and the publisher called again."""
    post = desk.post("Refused once", accounts=[desk.account()])
    refusals = [Raises("Lambda.TooManyRequestsException")]

    def full_once(payload: Mapping[str, Any]) -> Answer:
        return refusals.pop() if refusals else dict(called(task_publish_target, payload))

    done = execute(desk, post["id"], task_publish_target=full_once)

    assert len(done.states) == len(reckoned()) + number(r"A refused call adds (\d+)")
    assert desk.mastodon.texts() == ["Refused once"]


@pytest.mark.parametrize(
    ("sentence", "figure"),
    [
        (r"reserves (\d+) for publishing", PROD.concurrency.publishing),
        (r"and (\d+) for captions", PROD.concurrency.captioning),
        (r"called (\d+) seconds ahead", HEAD_START.total_seconds()),
        (r"prepared (\d+) seconds ahead", PROD.timing.prepare_lead),
    ],
)
def test_the_page_reckons_with_what_prod_has(sentence: str, figure: float) -> None:
    assert number(sentence) == figure
