"""The whole way, as a stranger goes it: from photos in a folder to statuses that the Mastodon server shows."""

import pytest
from PIL import Image

from tests.e2e.stack import LocalStack, command

pytestmark = pytest.mark.e2e


def _statuses(stack: LocalStack) -> dict[str, dict[str, object]]:
    found = stack.http.get(f"{stack.mastodon}/api/v1/timelines/public", params={"limit": 40})
    return {status["id"]: status for status in found.raise_for_status().json()}


def test_the_demo_ends_with_three_statuses_on_the_server(stack: LocalStack) -> None:
    before = set(_statuses(stack))

    told = command(stack, "demo")

    assert told.returncode == 0, told.stdout + told.stderr
    new = {key: status for key, status in _statuses(stack).items() if key not in before}
    assert len(new) == 3
    for key, status in new.items():
        assert f"/api/v1/statuses/{key}" in told.stdout
        assert len(status["media_attachments"]) == 1  # type: ignore[arg-type] # JSON
    with Image.open(stack.state.home / "demo" / "contact-sheet.jpg") as sheet:
        assert sheet.height > 3 * 200


def test_a_folder_without_photos_is_told_in_words(stack: LocalStack) -> None:
    told = command(stack, "demo", "--photos", str(stack.state.home / "log"))

    assert told.returncode == 1
    assert "holds no photos" in told.stdout


def test_a_token_is_all_that_is_printed_and_the_api_takes_it(stack: LocalStack) -> None:
    told = command(stack, "token", "editor@acme.test")

    answer = stack.http.get(f"{stack.addresses['api']}/me", headers={"Authorization": f"Bearer {told.stdout.strip()}"})
    assert answer.json()["email"] == "editor@acme.test"


def test_a_second_start_says_that_the_stack_runs_already(stack: LocalStack) -> None:
    told = command(stack, "up")

    assert told.returncode == 0
    assert "runs already" in told.stdout


def test_the_stack_cannot_be_started_twice(stack: LocalStack) -> None:
    told = command(stack, "run")

    assert told.returncode == 3
    assert "another process holds the stack" in told.stderr
    assert stack.http.get(f"{stack.addresses['api']}/health").is_success


def test_a_browser_at_the_front_door_may_call_the_api(stack: LocalStack) -> None:
    front = stack.addresses["front"]
    asked = {"Origin": front, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-tenant-id"}

    answer = stack.http.options(f"{front}/v1/media/uploads", headers=asked)

    assert answer.headers["access-control-allow-origin"] == front
    assert "x-tenant-id" in answer.headers["access-control-allow-headers"].lower()
