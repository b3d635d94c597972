"""The whole way to a real Bluesky server, which `make test-networks` brings: once, and it stays over a restart."""

from collections.abc import Iterator
from pathlib import Path
from shutil import copy
from typing import Any

import pytest

from infra_cdk.local.networks import HANDLE, asked_for
from infra_cdk.local.state import ROOT, State
from tests.e2e.stack import LocalStack, command, running

pytestmark = [pytest.mark.e2e, pytest.mark.pds]
PHOTOS = ROOT / "infra_cdk" / "local" / "demo" / "photos"


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A stack with both networks."""
    state = State.at(Path(tmp_path_factory.mktemp("both")))
    with running(state, {"prepare_lead": "5"}, asked_for("bluesky")) as made:
        yield made


def _records(stack: LocalStack) -> list[dict[str, Any]]:
    query = {"repo": HANDLE, "collection": "app.bsky.feed.post"}
    url = f"{stack.addresses['networks']['bluesky']}/xrpc/com.atproto.repo.listRecords"
    found: list[dict[str, Any]] = stack.http.get(url, params=query).raise_for_status().json()["records"]
    return found


def _demo(stack: LocalStack, photos: Path) -> str:
    told = command(stack, "demo", "--networks", "bluesky", "--photos", str(photos))
    assert told.returncode == 0, told.stdout + told.stderr
    return told.stdout


def test_the_demo_publishes_on_bluesky_once_and_what_is_there_stays(both: LocalStack, tmp_path: Path) -> None:
    told = _demo(both, PHOTOS)

    first = _records(both)
    assert len(first) == 3
    for record in first:
        assert record["uri"] in told
        assert len(record["value"]["embed"]["images"]) == 1
    assert len({record["value"]["text"] for record in first}) == 3

    both.down()
    both.up()

    assert _records(both) == first
    copy(PHOTOS / "cat.png", tmp_path)
    told = _demo(both, tmp_path)
    new = [record for record in _records(both) if record not in first]
    assert len(new) == 1
    assert new[0]["uri"] in told
    editor = both.signed_in("editor@acme.test")
    accounts = [each for each in editor.get("/accounts")["items"] if each["network"] == "bluesky"]
    assert [each["remote_account"] for each in accounts] == [new[0]["uri"].split("/")[2]]
