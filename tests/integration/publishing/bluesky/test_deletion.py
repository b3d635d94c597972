"""A record is deleted by its address, as often as asked, and only where it is the account's own."""

import pytest

from socialflow.publishing.networks import gateway, log_in
from socialflow.publishing.networks.bluesky import Bluesky
from socialflow.publishing.networks.port import Gone, Later, Refused
from tests.bluesky import COLLECTION, Owner
from tests.integration.publishing.bluesky.conftest import Sky

DELETE = "/xrpc/com.atproto.repo.deleteRecord"
RKEY = "3mabcdefghij2"


def acting(sky: Sky, owner: Owner) -> Bluesky:
    """Return the gateway of an account."""
    given = {"handle": owner.handle, "app_password": owner.app_password}
    token = log_in("bluesky", sky.pds.url, given, seconds=5)
    assert isinstance(token, str)
    made = gateway("bluesky", base_url=sky.pds.url, token=token)
    assert isinstance(made, Bluesky)
    return made


@pytest.fixture
def uri(sky: Sky) -> str:
    """A post that is there."""
    return str(sky.pds.put(sky.owner, RKEY, "Take me down")["uri"])


def test_it_is_gone_and_stays_gone(sky: Sky, uri: str) -> None:
    acme = acting(sky, sky.owner)
    assert isinstance(acme.delete(uri, seconds=5), Gone)
    assert sky.texts() == []
    assert isinstance(acme.delete(uri, seconds=5), Gone)


def test_what_a_person_has_found_by_its_address_is_deleted_too(sky: Sky, uri: str) -> None:
    assert isinstance(acting(sky, sky.owner).delete(uri.rpartition("/")[2], seconds=5), Gone)
    assert sky.texts() == []
    for hostile in ("", "../x", "a b", f"x/{RKEY}"):
        assert isinstance(acting(sky, sky.owner).delete(hostile, seconds=5), Refused)


def test_a_lost_answer_is_asked_again(sky: Sky, uri: str) -> None:
    acme = acting(sky, sky.owner)
    sky.pds.wire.fail("POST", DELETE, "answer lost")
    assert isinstance(acme.delete(uri, seconds=5), Later)
    assert isinstance(acme.delete(uri, seconds=5), Gone)


def test_only_the_accounts_own_posts_are_deleted(sky: Sky, uri: str) -> None:
    other = sky.pds.owner()
    elsewhere = f"at://{sky.owner.did}/app.bsky.feed.like/{RKEY}"
    for who, address in ((other, uri), (sky.owner, elsewhere), (sky.owner, f"at://{other.did}/{COLLECTION}/{RKEY}")):
        answer = acting(sky, who).delete(address, seconds=5)
        assert isinstance(answer, Refused)
        assert answer.code == "content-refused"
    assert sky.texts() == ["Take me down"]
