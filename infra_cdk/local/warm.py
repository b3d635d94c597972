"""First calls, made before a person makes them: a function's first call starts a process and takes seconds.

They are made one at a time after the stack is ready, so that they never stand in the way for long. None changes
anything: people's reads, and tasks of a media item and a post that do not exist, which end as superseded.
"""

import threading
import uuid
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import httpx

from infra_cdk.local.accounts import PEOPLE
from infra_cdk.local.engine import Engine
from infra_cdk.local.issuer import Issuer
from infra_cdk.local.prepare import invoke
from infra_cdk.local.process import LocalError

READS = ("/media", "/reviews", "/posts")
# In the order in which a photo meets them, but for the slowest to start, which comes first.
TASKS = {
    "task_write_caption": "ingest",
    "task_process_media": "ingest",
    "task_settle_review": "ingest",
    "task_open_post": "publish",
    "task_settle_post": "publish",
}
CALL_TIMEOUT_S = 30.0


def in_the_background(front: str, engine: Engine, issuer: Issuer) -> threading.Thread:
    """Begin; the thread dies with the process."""
    calls: list[Callable[[], object]] = [partial(_read, front, issuer, path) for path in READS]
    calls += [partial(_begin, engine, name, kind) for name, kind in TASKS.items()]

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


def _begin(engine: Engine, task: str, kind: str) -> None:
    invoke(engine, task, {"v": 1, "tenant": PEOPLE[0].tenant, "kind": kind, "id": str(uuid.uuid4()), "run": 1})
