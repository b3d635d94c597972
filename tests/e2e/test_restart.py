"""Whatever is killed, nothing is left behind, and the next start goes on."""

import time

import psutil
import pytest

from tests.e2e.stack import LocalStack

pytestmark = pytest.mark.e2e


def _left_behind(stack: LocalStack) -> list[str]:
    """Processes that still work for the stack: its folder stands in the command line of each of them."""
    home = str(stack.state.home)
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        told = " ".join(process.info["cmdline"] or ())
        if home in told and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(told)
    return found


def _gone(stack: LocalStack) -> bool:
    deadline = time.monotonic() + 5
    while left := _left_behind(stack):
        if time.monotonic() > deadline:
            raise AssertionError(f"left behind: {left}")
        time.sleep(0.05)
    return True


def test_a_killed_supervisor_takes_everything_with_it(stack: LocalStack) -> None:
    stack.signed_in("editor@acme.test").get("/media")  # a worker of the engine runs

    stack.kill("supervisor")

    assert _gone(stack)
    stack.up()


def test_the_stack_ends_when_parts_are_killed_and_then_goes_on(stack: LocalStack) -> None:
    editor = stack.signed_in("editor@acme.test")
    announced = editor.post("/media/uploads", {"file_name": "a.jpg", "content_type": "image/jpeg", "size": 10})
    addresses = stack.addresses

    stack.kill("engine", "postgres", "front-door")

    assert _gone(stack)
    stack.up()
    assert stack.addresses == addresses
    assert editor.get(f"/media/{announced['id']}")["state"] == "awaiting_upload"


def test_a_torn_state_is_no_obstacle(stack: LocalStack) -> None:
    stack.kill_everything()
    (stack.state.home / "engine" / "state" / "lambda.json").write_text('{"torn')
    stack.state.progress_file.write_text('{"pid": 1, "pha')
    stack.state.stack_file.write_text("{")
    (stack.state.home / "postgres" / "postmaster.pid").write_text("1\n/somewhere\n")

    stack.up()

    assert stack.http.get(f"{stack.addresses['api']}/health").json() == {"status": "ok", "database": "reachable"}
