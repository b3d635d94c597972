"""What was published is taken down at the network: by its adapter, as often as asked."""

import pytest

from socialflow.publishing.networks import gateway
from socialflow.publishing.networks.port import Gone, Later, Refused
from tests.integration.publishing.conftest import Desk
from tests.mastodon import OTHER_TOKEN, TOKEN


@pytest.fixture
def status(desk: Desk) -> str:
    """A status of acme's on Mastodon."""
    return desk.mastodon.post("Take me down")


def test_it_is_gone_and_stays_gone(desk: Desk, status: str) -> None:
    acme = gateway("mastodon", base_url=desk.mastodon.url, token=TOKEN)
    assert isinstance(acme.delete(status, seconds=5), Gone)
    assert desk.mastodon.statuses() == []
    assert isinstance(acme.delete(status, seconds=5), Gone)


def test_an_id_is_no_path(desk: Desk, status: str) -> None:
    acme = gateway("mastodon", base_url=desk.mastodon.url, token=TOKEN)
    acme.delete(f"x/../{status}", seconds=5)
    acme.delete(f"{status}?x=1#", seconds=5)
    assert len(desk.mastodon.statuses()) == 1


def test_another_accounts_status_stays(desk: Desk, status: str) -> None:
    gateway("mastodon", base_url=desk.mastodon.url, token=OTHER_TOKEN).delete(status, seconds=5)
    assert len(desk.mastodon.statuses()) == 1


def test_a_token_that_is_not_taken_deletes_nothing(desk: Desk, status: str) -> None:
    answer = gateway("mastodon", base_url=desk.mastodon.url, token="spent").delete(status, seconds=5)
    assert isinstance(answer, Refused)
    assert answer.code == "invalid-credentials"


def test_a_server_that_does_not_answer_is_asked_again_later(desk: Desk, status: str) -> None:
    desk.mastodon.fault("DELETE", "/api/v1/statuses/*", type="status", status=503)
    acme = gateway("mastodon", base_url=desk.mastodon.url, token=TOKEN)
    assert isinstance(acme.delete(status, seconds=5), Later)
    assert len(desk.mastodon.statuses()) == 1
