"""A network that has taken a post and is still at work: it is asked by what it gave, and never sent the post again."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from socialflow.publishing.networks.mastodon import Mastodon
from socialflow.publishing.networks.port import Accepted, Failed, Later, NotSeen, Receipt, Search, Sighting
from tests.integration.publishing.conftest import Desk


@dataclass
class Slow:
    """A network that answers later: what it is going to say, what it was asked by, and how often it was sent."""

    says: list[Sighting]
    sent: int = 0
    handles: list[Any] = field(default_factory=list)

    def publish(self, *_args: object, **_more: object) -> Accepted:
        """Take it."""
        self.sent += 1
        return Accepted("It is being published.", {"publish_id": "p-1"}, after=7)

    def find(self, search: Search, **_more: object) -> Sighting:
        """Say how it stands."""
        self.handles.append(dict(search.handle))
        return self.says.pop(0)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Slow]:
    """Make Mastodon's adapter a slow network's."""

    def of(*says: Sighting) -> Slow:
        made = Slow(list(says))
        monkeypatch.setattr(Mastodon, "publish", lambda _self, *args, **more: made.publish(*args, **more))
        monkeypatch.setattr(Mastodon, "find", lambda _self, search, **more: made.find(search, **more))
        return made

    return of


def test_it_is_asked_by_what_it_gave_until_it_says_that_it_is_out(desk: Desk, slow: Callable[..., Slow]) -> None:
    network = slow(Later("Still at work."), Receipt("r-1", "https://there/r-1"))
    post = desk.post(accounts=[desk.account()])
    run = desk.ready(post["id"])
    assert desk.publish(post["id"], run)["outcome"] == "unconfirmed"
    assert desk.value("SELECT lease - now() BETWEEN '4 s' AND '7 s' FROM t_acme.targets")
    assert desk.confirm_now(post["id"], run)["outcome"] == "unconfirmed"
    assert network.handles == []
    assert desk.confirm(post["id"], run)["outcome"] == "unconfirmed"
    assert desk.confirm(post["id"], run)["outcome"] == "done"
    target = desk.target(post["id"])
    assert (target["state"], target["receipt"]["remote_id"]) == ("published", "r-1")
    assert network.handles == [{"publish_id": "p-1"}] * 2
    assert network.sent == 1


def test_it_fails_where_the_network_says_so(desk: Desk, slow: Callable[..., Slow]) -> None:
    network = slow(Failed("content-refused", "The network says: the picture is too large."))
    post = desk.post(accounts=[desk.account()])
    run = desk.ready(post["id"])
    desk.publish(post["id"], run)
    assert desk.confirm(post["id"], run)["outcome"] == "done"
    target = desk.target(post["id"])
    assert (target["state"], target["problem"]["code"]) == ("failed", "content-refused")
    assert network.sent == 1


def test_a_cancel_meanwhile_holds_where_the_network_did_not_publish_it(desk: Desk, slow: Callable[..., Slow]) -> None:
    slow(Failed("content-refused", "No."))
    post = desk.post(accounts=[desk.account()])
    run = desk.ready(post["id"])
    desk.publish(post["id"], run)
    assert desk.editor.post(f"/v1/posts/{post['id']}/cancel", {}).status == 200
    desk.confirm(post["id"], run)
    assert desk.target(post["id"])["state"] == "cancelled"


def test_what_is_then_not_to_be_found_is_a_persons_to_decide(desk: Desk, slow: Callable[..., Slow]) -> None:
    network = slow(NotSeen(3))
    post = desk.post(accounts=[desk.account(keeps_keys=False)])
    run = desk.ready(post["id"])
    desk.publish(post["id"], run)
    desk.confirm(post["id"], run)
    assert desk.target(post["id"])["state"] == "unconfirmed"
    assert network.sent == 1
