"""The queue gives each of its times to one post, whoever asks at once."""

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from socialflow.known import chosen
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.ids import new_id
from socialflow.platform.settings import PublishSettings
from socialflow.publishing import editing, service
from socialflow.publishing.asking import Asked
from socialflow.publishing.editing import Changes
from socialflow.publishing.model import Pace
from socialflow.publishing.planning import Written
from socialflow.publishing.service import Detail, Order
from tests.integration.conftest import Member
from tests.integration.media.test_together import together
from tests.integration.publishing.conftest import Desk

MONDAY = {"weekday": "monday", "local_time": "09:00", "zone": "Europe/Berlin"}
THURSDAY = MONDAY | {"weekday": "thursday"}


def put(desk: Desk, *slots: dict[str, Any]) -> dict[str, Any]:
    reply = desk.editor.request("PUT", "/v1/queue-slots", {"slots": list(slots)}, **{"If-Match": "*"})
    assert reply.status == 200, reply
    found: dict[str, Any] = reply.json
    return found


def queued(desk: Desk, account: str, **more: Any) -> dict[str, Any]:
    return desk.post("In turn", accounts=[account], at="next_slot", **more)


def patch(desk: Desk, post: dict[str, Any], **body: Any) -> dict[str, Any]:
    reply = desk.editor.patch(f"/v1/posts/{post['id']}", body, **{"If-Match": f'"{post["version"]}"'})
    assert reply.status == 200, reply
    found: dict[str, Any] = reply.json
    return found


def test_without_slots_there_is_none_to_take(desk: Desk) -> None:
    shown = desk.editor.get("/v1/queue-slots")
    assert (shown.json, shown.headers["etag"]) == ({"version": 0, "slots": []}, '"0"')
    reply = desk.try_post(accounts=[desk.account()], at="next_slot")
    assert (reply.status, reply.code) == (409, "no-free-slot")
    assert desk.value("SELECT count(*) FROM t_acme.posts") == 0


def test_posts_get_the_slots_in_turn_and_say_which(desk: Desk) -> None:
    account, slots = desk.account(), put(desk, MONDAY, THURSDAY)["slots"]
    posts = [queued(desk, account) for _ in range(4)]
    assert [post["due_at"] for post in posts[:2]] == sorted(slot["next_at"] for slot in slots)
    assert len({post["due_at"] for post in posts}) == 4
    assert [post["due_at"] for post in posts] == sorted(post["due_at"] for post in posts)
    assert {post["slot"] for post in posts} == {"monday 09:00 Europe/Berlin", "thursday 09:00 Europe/Berlin"}
    assert all(post["due_local"].endswith("T09:00:00") and post["due_zone"] == "Europe/Berlin" for post in posts)
    assert desk.value("SELECT count(*) FROM cell.work") == 4


def made(desk: Desk, account: str) -> Detail:
    """Make a post in the next free slot, as one of many."""
    with transaction(desk.tenant) as tx:
        order = Order(None, Written("In turn"), (UUID(account),), "next_slot", b"")
        return service.create(tx, order, chosen(tx, [], order.accounts), asked())[0]


def moved(desk: Desk, draft: dict[str, Any]) -> Detail:
    """Give a draft the next free slot, as one of many."""
    accounts = [UUID(target["account_id"]) for target in draft["targets"]]
    with transaction(desk.tenant) as tx:
        changes = Changes(version=draft["version"], due="next_slot")
        return editing.edit(tx, UUID(draft["id"]), changes, chosen(tx, [], accounts), asked())


def asked() -> Asked:
    return Asked(new_id(), now(), Pace.of(PublishSettings.from_env()))


def test_of_sixteen_at_once_each_gets_its_own(desk: Desk) -> None:
    account = desk.account()
    put(desk, MONDAY, THURSDAY)
    found = together(*[partial(made, desk, account) for _ in range(16)])
    assert len({(one.post.slot, one.post.due_at) for one in found}) == 16
    weeks = sorted(one.post.due_at for one in found if one.post.due_at)
    assert weeks[-1] - weeks[0] < timedelta(weeks=8)  # none was left out


def test_posts_that_are_made_and_moved_at_once_never_meet(desk: Desk) -> None:
    account = desk.account()
    put(desk, MONDAY)
    drafts = [desk.post("Later", accounts=[account], at=None) for _ in range(8)]
    moves = [partial(moved, desk, draft) for draft in drafts]
    found = together(*moves, *[partial(made, desk, account) for _ in range(8)])
    assert len({one.post.due_at for one in found}) == 16


def test_what_a_post_gives_back_is_free_again(desk: Desk) -> None:
    account = desk.account()
    put(desk, MONDAY)
    first, second, third = (queued(desk, account) for _ in range(3))
    assert desk.editor.post(f"/v1/posts/{first['id']}/cancel", None).status == 200
    assert queued(desk, account)["due_at"] == first["due_at"]
    assert patch(desk, second, publish_at=None)["slot"] is None
    assert queued(desk, account)["due_at"] == second["due_at"]
    moved = patch(desk, third, publish_at=desk.in_minutes(60))
    assert (moved["slot"], moved["state"]) == (None, "scheduled")
    assert queued(desk, account)["due_at"] == third["due_at"]


def test_a_post_that_is_rejected_gives_its_slot_back(desk: Desk) -> None:
    account = desk.account()
    put(desk, MONDAY)
    desk.approvals("required")
    first = queued(desk, account)
    reply = desk.admin.post(f"/v1/posts/{first['id']}/reject", {"version": first["version"]})
    assert (reply.status, reply.json["slot"]) == (200, None)
    assert queued(desk, account)["due_at"] == first["due_at"]


def test_other_content_keeps_the_slot_and_asking_again_moves_on(desk: Desk) -> None:
    account = desk.account()
    put(desk, MONDAY)
    first = queued(desk, account)
    same = patch(desk, first, text="Other words")
    assert (same["slot"], same["due_at"]) == (first["slot"], first["due_at"])
    assert patch(desk, same, publish_at="next_slot")["due_at"] > first["due_at"]


def test_slots_that_are_set_again_stay_taken(desk: Desk) -> None:
    account = desk.account()
    put(desk, MONDAY)
    first = queued(desk, account)
    put(desk, THURSDAY)
    put(desk, MONDAY)
    assert desk.read(first["id"])["due_at"] == first["due_at"]
    assert queued(desk, account)["due_at"] > first["due_at"]


def test_a_slot_for_an_account_serves_no_other(desk: Desk) -> None:
    account = desk.account()
    put(desk, MONDAY | {"account_id": account}, THURSDAY | {"network": "bluesky"})
    assert queued(desk, account)["slot"] == f"monday 09:00 Europe/Berlin {account}"
    assert {queued(desk, account)["slot"] for _ in range(3)} == {f"monday 09:00 Europe/Berlin {account}"}


def test_the_same_request_again_takes_no_second_slot(desk: Desk) -> None:
    account = desk.account()
    put(desk, MONDAY)
    post_id = "0199c0de-0000-7000-8000-0000000000aa"
    first = queued(desk, account, id=post_id)
    again = desk.try_post("In turn", accounts=[account], at="next_slot", id=post_id)
    assert (again.status, again.json["due_at"]) == (200, first["due_at"])
    assert desk.value("SELECT count(*) FROM t_acme.posts") == 1


@pytest.mark.parametrize(
    ("slots", "pointer", "code"),
    [
        ([MONDAY | {"zone": "Europe/Atlantis"}], "/slots/0/zone", "unknown-zone"),
        ([MONDAY | {"zone": "../../etc/passwd"}], "/slots/0/zone", "unknown-zone"),
        ([MONDAY | {"zone": "a\u0000b"}], "/slots/0/zone", None),
        ([MONDAY, MONDAY], "/slots/1", "repeated"),
        ([MONDAY | {"network": "myspace"}], "/slots/0/network", "unknown-network"),
        ([MONDAY | {"account_id": "0199c0de-0000-7000-8000-0000000000aa"}], "/slots/0/account_id", "unknown-account"),
        ([MONDAY | {"local_time": "24:00"}], "/slots/0/local_time", None),
        ([MONDAY | {"local_time": "09:00\n"}], "/slots/0/local_time", None),
        ([MONDAY | {"weekday": "noday"}], "/slots/0/weekday", None),
        ([MONDAY] * 169, "/slots", None),
    ],
)
def test_slots_that_cannot_be_are_refused_where_they_are(
    desk: Desk, slots: list[Any], pointer: str, code: str | None
) -> None:
    reply = desk.editor.request("PUT", "/v1/queue-slots", {"slots": slots}, **{"If-Match": "*"})
    assert reply.status in (400, 422), reply
    assert desk.value("SELECT count(*) FROM t_acme.queues") == 0
    if code:
        assert (reply.json["errors"][0]["pointer"], reply.json["errors"][0]["code"]) == (pointer, code)


def test_of_two_who_set_slots_one_is_told(desk: Desk) -> None:
    version = put(desk, MONDAY)["version"]
    match = {"If-Match": f'"{version}"'}
    assert desk.editor.request("PUT", "/v1/queue-slots", {"slots": [THURSDAY]}, **match).status == 200
    reply = desk.editor.request("PUT", "/v1/queue-slots", {"slots": []}, **match)
    assert (reply.status, reply.code, reply.json["current_version"]) == (412, "queue-changed", version + 1)
    assert desk.editor.request("PUT", "/v1/queue-slots", {"slots": []}).status == 428


def test_setting_slots_is_in_the_audit_with_its_author(desk: Desk) -> None:
    put(desk, MONDAY)
    assert desk.value("SELECT actor_kind FROM t_acme.audit_log WHERE subject_type = 'queue' LIMIT 1") == "person"


def test_a_tenants_queue_is_its_own_and_readers_set_nothing(desk: Desk, member: Member) -> None:
    put(desk, MONDAY)
    assert member("viewer").get("/v1/queue-slots").json["version"] == 1
    assert member("viewer").request("PUT", "/v1/queue-slots", {"slots": []}, **{"If-Match": "*"}).status == 403
