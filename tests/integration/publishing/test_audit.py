"""What accounts and posts leave in the audit, and by whom; never a token."""

from functions.ops_verify_audit.handler import handler as ops_verify_audit
from tests.integration.audit.ledger import lines, text_of
from tests.integration.publishing.conftest import Desk
from tests.mastodon import TOKEN


def told(desk: Desk, after: int = 0) -> list[str]:
    """What happened, in order."""
    return [line.told for line in lines(desk.owner, after=after)]


def test_a_post_from_the_account_to_the_network(desk: Desk) -> None:
    account = desk.account()
    post = desk.post(accounts=[account])
    run = desk.ready(post["id"])
    assert desk.publish(post["id"], run)["outcome"] == "done"
    assert desk.settle(post["id"], run)["outcome"] == "settled"
    assert told(desk) == [
        "account.create by person: connected",
        "post.create by person: scheduled",
        "post_version.create by person",
        "target.create by person: scheduled",
        "target.update by system: preparing",
        "target.update by system: prepared",
        "target.update by system: attempting",
        "attempt.create by system",
        "post.update by system: publishing",
        "attempt.update by system",
        "attempt.update by system",
        "target.update by system: published",
        "post.update by system: published",
    ]
    assert ops_verify_audit({"tenant": "acme"}, None)["outcome"] == "intact"


def test_an_edit_says_what_was_and_what_became(desk: Desk) -> None:
    post = desk.post("Good evening", accounts=[desk.account()], at=desk.in_minutes(60))
    before = len(told(desk))
    where = f"/v1/posts/{post['id']}"
    assert desk.editor.patch(where, {"text": "Good morning"}, if_match="*").status == 200
    edit = next(line for line in lines(desk.owner, after=before) if line.action == "post.update")
    assert edit.actor_name == "Editor of acme"
    assert edit.changes["text"] == ["Good evening", "Good morning"]
    assert edit.changes["version"] == [1, 2]
    assert "updated_at" not in edit.changes
    assert desk.editor.post(f"{where}/cancel", {}).status == 200
    assert told(desk, before)[-1] == "post.update by person: cancelled"


def test_an_approval_names_who_gave_it(desk: Desk) -> None:
    desk.approvals("required")
    post = desk.post(accounts=[desk.account()], at=desk.in_minutes(60))
    before = len(told(desk))
    asked = {"content_hash": post["content_hash"]}
    assert desk.admin.post(f"/v1/posts/{post['id']}/approve", asked).status == 200
    found = lines(desk.owner, after=before)
    assert [line.told for line in found] == ["post.update by person: scheduled", "target.update by person"]
    assert {line.actor_name for line in found} == {"Admin of acme"}


def test_an_account_comes_and_goes_and_its_token_is_never_seen(desk: Desk) -> None:
    account = desk.account()
    sealed = [desk.value("SELECT secret FROM t_acme.social_accounts")]
    assert desk.account() == account, "the same account with its token sealed anew"
    sealed.append(desk.value("SELECT secret FROM t_acme.social_accounts"))
    assert desk.admin.delete(f"/v1/accounts/{account}").status == 204
    created, renewed, ended = lines(desk.owner)
    assert created.changes["secret"] == [None, "(hidden)"]
    assert renewed.changes["secret"] == ["(hidden)", "(hidden)"]
    assert ended.changes == {"state": ["connected", "disconnected"], "secret": ["(hidden)", "(hidden)"]}
    everything = text_of(desk.owner)
    assert TOKEN not in everything
    for secret in sealed:
        assert secret.hex() not in everything
        assert secret.hex()[:64] not in everything


def test_a_request_repeated_under_its_key_is_one_change(desk: Desk) -> None:
    account = desk.account()
    before = len(told(desk))
    body = {"text": "Once", "targets": [{"account_id": account}], "publish_at": None}
    for _ in range(2):
        assert desk.editor.post("/v1/posts", body, idempotency_key="the-same").status == 201
    assert told(desk, before).count("post.create by person: draft") == 1
