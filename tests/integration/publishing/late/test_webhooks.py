"""Late's webhooks: believed by their signature, taken once, and nothing more than a reason to ask."""

import hashlib
import hmac
import json
from typing import Any

import psycopg
import pytest

from socialflow.accounts import late
from socialflow.platform.database import control
from socialflow.platform.tenancy import Tenant
from tests.api import Client, Reply, event
from tests.integration.publishing.late.conftest import Desked

ENDS = ("post.published", "post.failed", "post.partial", "post.platform.published", "post.platform.failed")
OTHERS: tuple[dict[str, Any], ...] = (
    {"event": "post.scheduled"},
    {"event": "webhook.test"},
    {"event": ["post.published"]},
    {"event": "account.disconnected"},
)


class Hook:
    """Where a tenant's webhooks go, and what they are signed with."""

    def __init__(self, ldesk: Desked) -> None:
        told = ldesk.put(renew_webhook=True).json["webhook"]
        self.path, self.secret = told["path"], told["secret"]

    def send(self, said: object, *, header: str = "x-zernio-signature", secret: str = "", **more: str) -> Reply:
        """Send what Late would."""
        raw = said if isinstance(said, str) else json.dumps(said)
        signature = hmac.new((secret or self.secret).encode(), raw.encode(), hashlib.sha256).hexdigest()
        headers = {"content-type": "application/json", header: signature, **more}
        return Client().send(event("POST", self.path, headers=headers, body=raw))


@pytest.fixture
def waiting(ldesk: Desked) -> dict[str, Any]:
    """A post that Late is still at work on, and that is asked for later."""
    ldesk.server.ends = "publishing"
    post = ldesk.desk.post("Waiting", accounts=[ldesk.account()])
    ldesk.desk.publish(post["id"], ldesk.desk.ready(post["id"]))
    ldesk.desk.owner.execute("UPDATE t_acme.targets SET lease = now() + interval '5 min'")
    return post


@pytest.fixture
def hook(ldesk: Desked, waiting: dict[str, Any]) -> Hook:
    """The address of acme's."""
    return Hook(ldesk)


def _said(ldesk: Desked, name: str = "post.published", number: str = "evt_1") -> dict[str, Any]:
    (post,) = ldesk.server.posts.values()
    told = {"id": post["_id"], "content": post["content"], "status": "published", "platforms": []}
    return {
        "id": number,
        "event": name,
        "timestamp": "2026-11-27T10:00:00Z",
        "post": {**told, "metadata": post["metadata"]},
    }


def _is_due(ldesk: Desked) -> bool:
    return bool(ldesk.desk.value("SELECT lease <= now() FROM t_acme.targets"))


@pytest.mark.parametrize("name", ENDS)
@pytest.mark.parametrize("header", ["x-zernio-signature", "x-late-signature"])
def test_the_post_is_asked_for_at_once(
    ldesk: Desked, waiting: dict[str, Any], hook: Hook, name: str, header: str
) -> None:
    ldesk.server.finish(next(iter(ldesk.server.posts)), "published")
    assert hook.send(_said(ldesk, name), header=header).status == 204
    assert _is_due(ldesk)
    assert ldesk.desk.value("SELECT wake_at <= now() FROM cell.work WHERE id = %s", waiting["id"]) is True
    assert "post.reported" in ldesk.desk.facts(waiting["id"])
    run = ldesk.desk.start(waiting["id"])
    ldesk.desk.open(waiting["id"], run)
    assert ldesk.desk.confirm_now(waiting["id"], run)["outcome"] == "done"
    assert ldesk.desk.target(waiting["id"])["state"] == "published"


def test_what_it_says_of_the_outcome_is_not_believed(ldesk: Desked, waiting: dict[str, Any], hook: Hook) -> None:
    assert hook.send(_said(ldesk)).status == 204
    run = ldesk.desk.start(waiting["id"])
    ldesk.desk.open(waiting["id"], run)
    assert ldesk.desk.confirm_now(waiting["id"], run)["outcome"] == "unconfirmed"
    assert ldesk.desk.target(waiting["id"])["state"] == "attempting"


def test_it_is_taken_once(ldesk: Desked, hook: Hook) -> None:
    assert hook.send(_said(ldesk)).status == 204
    ldesk.desk.owner.execute("UPDATE t_acme.targets SET lease = now() + interval '5 min'")
    for more in ({}, {"x-zernio-event-id": "evt_2"}):
        assert hook.send(_said(ldesk), **more).status == 204
        assert not _is_due(ldesk)
    assert hook.send(_said(ldesk, number="evt_3")).status == 204
    assert _is_due(ldesk)


def test_order_does_not_matter(ldesk: Desked, waiting: dict[str, Any], hook: Hook) -> None:
    ldesk.server.finish(next(iter(ldesk.server.posts)), "published")
    run = ldesk.desk.start(waiting["id"])
    ldesk.desk.open(waiting["id"], run)
    ldesk.desk.confirm(waiting["id"], run)
    for number, name in enumerate(reversed(ENDS)):
        assert hook.send(_said(ldesk, name, f"evt_{number}")).status == 204
    assert ldesk.desk.target(waiting["id"])["state"] == "published"


@pytest.mark.parametrize("other", OTHERS)
def test_what_is_no_end_changes_nothing(ldesk: Desked, hook: Hook, other: dict[str, Any]) -> None:
    assert hook.send(_said(ldesk) | other).status == 204
    assert not _is_due(ldesk)


@pytest.mark.parametrize(
    "post",
    [
        None,
        [],
        {"id": "../../x"},
        {"id": 7},
        {"id": "0" * 24},
        {"metadata": None},
        {"metadata": {"socialflow": "not-an-id"}},
        {"metadata": {"socialflow": "00000000-0000-0000-0000-000000000000-abc"}},
    ],
)
def test_a_post_that_is_not_ours_is_nothing(ldesk: Desked, hook: Hook, post: Any) -> None:
    said = _said(ldesk)
    said["post"] = {**said["post"], **post} if isinstance(post, dict) else post
    assert hook.send(said).status == 204
    assert not _is_due(ldesk)


def test_who_has_not_signed_is_refused(ldesk: Desked, hook: Hook) -> None:
    said = _said(ldesk)
    assert hook.send(said, secret="another").code == "signature-refused"
    for signature in ("", "0" * 64, "zz", "\u00e9" * 64, "a" * 10_000):
        headers = {"content-type": "application/json", "x-zernio-signature": signature}
        reply = Client().send(event("POST", hook.path, headers=headers, body=json.dumps(said)))
        assert (reply.status, reply.code) == (401, "signature-refused")
    changed = json.dumps(said).replace("evt_1", "evt_9")
    signature = hmac.new(hook.secret.encode(), json.dumps(said).encode(), hashlib.sha256).hexdigest()
    headers = {"content-type": "application/json", "x-zernio-signature": signature}
    assert Client().send(event("POST", hook.path, headers=headers, body=changed)).status == 401
    assert not _is_due(ldesk)


def test_an_address_that_is_nobodys_is_answered_like_any_other(ldesk: Desked, hook: Hook) -> None:
    old = hook.path
    newer = Hook(ldesk)
    answers = []
    for path in (old, "/v1/webhooks/late/" + "0" * 64, "/v1/webhooks/late/acme", "/v1/webhooks/late/%00"):
        reply = Client().send(event("POST", path, headers={"content-type": "application/json"}, body="{}"))
        answers.append({name: value for name, value in reply.json.items() if name != "request_id"})
        assert reply.status == 404
    assert all(answer == answers[0] for answer in answers)
    assert newer.send(_said(ldesk)).status == 204


def test_without_a_key_there_is_no_address(ldesk: Desked, hook: Hook) -> None:
    assert ldesk.desk.admin.request("DELETE", "/v1/networks/late").status == 204
    assert hook.send({"id": "evt_1"}).code == "unknown-webhook"


def test_a_body_that_is_none_is_refused(hook: Hook) -> None:
    assert hook.send("x" * 600_000).status == 413
    for body in ("", "[]", "{", "\ufeff{}", '{"a":' * 200 + "1" + "}" * 200):
        assert hook.send(body).status == 422, body


def test_another_tenants_post_is_not_theirs_to_tell_of(
    ldesk: Desked, hook: Hook, contoso: Tenant, owner: psycopg.Connection
) -> None:
    owner.execute(
        "INSERT INTO t_contoso.late_keys SELECT true, secret, %s, webhook_secret, 1, now(), set_by"
        " FROM t_acme.late_keys",
        ("c" * 64,),
    )
    with control() as connection:
        late.note_hook(connection, "c" * 64, contoso.id)
    own, hook.path = hook.path, "/v1/webhooks/late/" + "c" * 64
    assert hook.send(_said(ldesk)).code == "unknown-webhook"  # what is sealed for acme opens for nobody else
    assert not _is_due(ldesk)
    hook.path = own
    assert hook.send(_said(ldesk)).status == 204


def test_what_is_still_being_sent_is_left_to_its_sender(ldesk: Desked) -> None:
    post = ldesk.desk.post("Being sent", accounts=[ldesk.account()])
    ldesk.desk.claim_and_die(post["id"], ldesk.desk.ready(post["id"]))
    assert Hook(ldesk).send(_said(ldesk)).status == 204
    assert not _is_due(ldesk)
