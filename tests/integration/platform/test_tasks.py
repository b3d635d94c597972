"""Tasks: what all of them have in common, whichever workflow they are a state of."""

import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from socialflow.platform import settings, work
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.ids import new_id
from socialflow.platform.tenancy import Tenant
from tests.conftest import Cloud

ROOT = Path(__file__).parents[3]
# They work on the registry of tenants, and have no tenant of their own.
OF_NO_SUBJECT = {"task_migrate_registry", "task_list_tenants", "task_migrate_tenants", "task_report_migration"}
TASKS = sorted({path.parent.name for path in (ROOT / "functions").glob("task_*/handler.py")} - OF_NO_SUBJECT)


def states(machine: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every state of a machine, those inside a Map included."""
    for state in machine["States"].values():
        yield state
        yield from states(state.get("ItemProcessor", {"States": {}}))


def selected() -> dict[str, set[str]]:
    """Return by function what its states read of its answer: an answer without it fails the execution."""
    found: dict[str, set[str]] = {}
    for path in (ROOT / "infra_cdk" / "workflows").glob("*.asl.json"):
        for state in states(json.loads(path.read_text(encoding="utf-8"))):
            if state["Type"] == "Task":
                function = state["Parameters"]["FunctionName"].strip("${}")
                read = re.findall(r"\$\.Payload\.(\w+)", json.dumps(state.get("ResultSelector", {})))
                found.setdefault(function, set()).update(read)
    return found


@pytest.fixture
def answers(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The tokens that are answered."""
    answered: list[str] = []
    monkeypatch.setattr(work, "answer", lambda token, _outcome: answered.append(token))
    yield answered
    settings.forget()


@pytest.mark.parametrize("function", TASKS)
def test_the_work_of_a_tenant_that_is_gone_ends(
    acme: Tenant, owner: psycopg.Connection, answers: list[str], function: str
) -> None:
    kind: work.Kind = "publish" if function.endswith(("_post", "_target", "_approval")) else "ingest"
    kind = "export" if function.endswith("_export") else kind
    kind = "rendition" if function in {"task_render_image", "task_transcode_video"} else kind
    kind = "digest" if function == "task_hash_video" else kind
    kind = "embedding" if function == "task_embed_media" else kind
    subject = new_id()
    with transaction(acme) as tx:
        work.schedule(tx, kind, subject, wake_at=now())
    owner.execute("UPDATE cell.work SET run = 2")
    owner.execute("UPDATE control.tenants SET status = 'deleted' WHERE slug = 'acme'")
    given = {"v": 1, "tenant": "acme", "kind": kind, "id": str(subject)}
    given |= {"target_id": str(new_id())} if function.endswith("_target") else {}
    given |= {"token": "token"} if "_await_" in function else {}
    handler = importlib.import_module(f"functions.{function}.handler").handler

    assert handler({**given, "run": 1}, None)["outcome"] == "superseded"
    waking = "SELECT count(*) FROM cell.work WHERE wake_at IS NOT NULL"
    assert owner.execute(waking).fetchone() == (1,), "a newer run has it"

    answer = handler({**given, "run": 2}, None)
    assert answer["outcome"] == "superseded"
    assert selected()[function] <= answer.keys()
    assert owner.execute(waking).fetchone() == (0,)
    assert answers == (["token"] * 2 if "token" in given else [])
