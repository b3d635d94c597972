"""First calls, made before a person makes them: a function's first call starts a process and takes seconds.

They are made one at a time after the stack is ready, so that they never stand in the way for long. None changes
anything: people's reads, a ring for facts that have left, a decision that nobody waits for, and tasks of a media item
that does not exist and of posts of a tenant that does not exist, which end as superseded.
"""

import json
import threading
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import httpx

from infra_cdk.local.accounts import PEOPLE
from infra_cdk.local.engine import Engine
from infra_cdk.local.issuer import Issuer
from infra_cdk.local.prepare import invoke
from infra_cdk.local.process import LocalError
from infra_cdk.stages import LIVE

TENANT = PEOPLE[0].tenant
NOBODY = "warm-up"  # not a slug, so that it never is a tenant
CALL_TIMEOUT_S = 30.0
Document = Mapping[str, Any]


def _task(kind: str, tenant: str, **more: str) -> Document:
    return {"v": 1, "tenant": tenant, "kind": kind, "id": str(uuid.uuid4()), "run": 1, **more}


def first_calls() -> list[tuple[str, Document | None]]:
    """What is called with which event, or read where there is none.

    In the order in which a photo meets it, but for the slowest to start, which comes first: the others are quicker than
    a person who uploads, and it is not.
    """
    decision = {"tenant": TENANT, "aggregate": {"type": "review", "id": str(uuid.uuid4())}}
    target = {"target_id": str(uuid.uuid4())}
    return [
        (f"task_write_caption:{LIVE}", _task("ingest", TENANT)),
        ("/media", None),
        ("on_doorbell", {"Records": [{"body": json.dumps({})}]}),
        ("task_process_media", _task("ingest", TENANT)),
        ("task_await_review", _task("ingest", TENANT, token="nobody's")),  # noqa: S106 — it wakes nothing
        ("/reviews", None),
        ("on_decision", {"detail": decision}),
        ("task_settle_review", _task("ingest", TENANT)),
        ("/posts", None),
        ("task_open_post", _task("publish", NOBODY)),
        ("task_prepare_target", _task("publish", NOBODY, **target)),
        ("task_publish_target", _task("publish", NOBODY, **target)),
        ("task_settle_post", _task("publish", NOBODY)),
    ]


def in_the_background(front: str, engine: Engine, issuer: Issuer) -> threading.Thread:
    """Begin; the thread dies with the process."""
    calls: list[Callable[[], object]] = [
        partial(_read, front, issuer, name) if event is None else partial(invoke, engine, name, event)
        for name, event in first_calls()
    ]

    def run() -> None:
        for call in calls:
            # What fails here fails where somebody asks for it, who is then told.
            with suppress(LocalError, httpx.HTTPError):
                call()

    thread = threading.Thread(target=run, name="warm", daemon=True)
    thread.start()
    return thread


def _read(front: str, issuer: Issuer, path: str) -> None:
    reader = PEOPLE[0]
    headers = {"Authorization": f"Bearer {issuer.token(reader)}", "X-Tenant-Id": reader.tenant}
    httpx.get(f"{front}/v1{path}", params={"limit": 1}, headers=headers, timeout=CALL_TIMEOUT_S, trust_env=False)
