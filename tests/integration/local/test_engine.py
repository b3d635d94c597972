"""The engine: what it keeps when it is killed, and that nothing of it stays behind."""

import io
import json
import os
import signal
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from infra_cdk.local.engine import Engine
from infra_cdk.local.ports import free_port
from infra_cdk.local.process import Child, LocalError
from infra_cdk.local.state import ROOT

SLEEPER = """
import os, time
def handler(event, context):
    open(event["path"], "w").write(str(os.environ.get("AWS_SECRET_ACCESS_KEY")) + " " + str(os.getpid()))
    time.sleep(event["seconds"])
    return "done"
"""


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return Engine(ROOT / ".tools/engine/bin/python", tmp_path / "engine", tmp_path / "log", free_port())


@pytest.fixture
def running(engine: Engine) -> Iterator[list[Child]]:
    """The running child, in a list, as some tests replace it."""
    children = [engine.start()]
    yield children
    engine.stop(children[-1])


def _deploy(engine: Engine) -> Any:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("sleeper.py", SLEEPER)
    client = engine.client("lambda")
    client.create_function(
        FunctionName="sleeper",
        Runtime="python3.13",
        Role="arn:aws:iam::000000000000:role/any",
        Handler="sleeper.handler",
        Code={"ZipFile": archive.getvalue()},
        Timeout=60,
    )
    return client


def _kill(child: Child) -> None:
    os.kill(child.main_pid, signal.SIGKILL)
    child.process.wait(10)


def test_what_was_sealed_and_every_object_survive_a_kill(engine: Engine, running: list[Child]) -> None:
    s3, kms = engine.client("s3"), engine.client("kms")
    s3.create_bucket(Bucket="photos")
    s3.put_bucket_versioning(Bucket="photos", VersioningConfiguration={"Status": "Enabled"})
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    sealed = kms.encrypt(KeyId=key, Plaintext=b"token")["CiphertextBlob"]
    running.append(engine.seal(running[-1]))
    versions = [s3.put_object(Bucket="photos", Key="a/b.jpg", Body=body)["VersionId"] for body in (b"one", b"two")]

    _kill(running[-1])
    running.append(engine.start())

    assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"token"
    found = [s3.get_object(Bucket="photos", Key="a/b.jpg", VersionId=version)["Body"].read() for version in versions]
    assert found == [b"one", b"two"]
    assert s3.get_bucket_versioning(Bucket="photos")["Status"] == "Enabled"


def test_what_was_not_sealed_is_forgotten_by_a_kill(engine: Engine, running: list[Child]) -> None:
    _deploy(engine)
    assert not engine.is_sealed

    _kill(running[-1])
    running.append(engine.start())

    assert engine.client("lambda").list_functions()["Functions"] == []


def test_a_worker_in_the_middle_of_a_call_dies_with_the_engine(
    engine: Engine, running: list[Child], tmp_path: Path
) -> None:
    client, told = _deploy(engine), tmp_path / "told"
    event = json.dumps({"path": str(told), "seconds": 50}).encode()

    def call() -> None:
        with suppress(Exception):
            client.invoke(FunctionName="sleeper", Payload=event)

    threading.Thread(target=call, daemon=True).start()
    deadline = time.monotonic() + 30
    while not told.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    mark = str(engine.home / "tmp")
    workers = [
        process
        for process in psutil.process_iter(["cmdline"])
        if any(part.startswith(mark) for part in process.info["cmdline"] or ())
    ]
    assert workers

    _kill(running[-1])

    _, alive = psutil.wait_procs(workers, timeout=3)
    assert not alive
    # On a machine without process namespaces this is what the next start does.
    engine.sweep()
    assert not (engine.home / "tmp").exists()


def test_a_worker_knows_nothing_of_the_developers_cloud(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "precious")
    child, told = engine.start(), tmp_path / "told"
    try:
        client = _deploy(engine)
        client.invoke(FunctionName="sleeper", Payload=json.dumps({"path": str(told), "seconds": 0}).encode())
    finally:
        engine.stop(child)

    assert told.read_text().split()[0] == "test"


def test_an_engine_that_is_not_installed_is_told_in_words(tmp_path: Path) -> None:
    missing = Engine(tmp_path / "none", tmp_path / "engine", tmp_path / "log", free_port())

    with pytest.raises(LocalError, match="the engine is not installed"):
        missing.start()
