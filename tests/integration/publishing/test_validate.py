"""What is told while a post is written is what scheduling it does."""

import json
from typing import Any

import pytest

from socialflow.limits import NETWORKS
from socialflow.platform.ids import new_id
from tests.integration.publishing.conftest import Desk
from tests.integration.publishing.test_cuts import rendition


def told(desk: Desk, **body: Any) -> dict[str, Any]:
    reply = desk.editor.post("/v1/posts/validate", body)
    assert reply.status == 200, reply
    found: dict[str, Any] = reply.json
    return found


def errors(report: dict[str, Any]) -> set[tuple[str, str]]:
    found = [*report["findings"], *(one for network in report["networks"] for one in network["findings"])]
    return {(one["pointer"], one["code"]) for one in found if one["severity"] == "error"}


@pytest.mark.parametrize(
    "body",
    [
        {"text": "x" * 501},
        {"text": ""},
        {"text": "x", "variants": {"mastodon": {"text": "y" * 501}}},
        {"text": "x", "variants": {"mastodon": {"options": {"visibility": "direct", "colour": "red"}}}},
        {"text": "@ada@example.social " * 60},
        {"text": "👨‍👩‍👧‍👦" * 500},
    ],
)
def test_what_is_told_is_what_scheduling_refuses(desk: Desk, body: dict[str, Any]) -> None:
    account = desk.account()
    found = errors(told(desk, **body, targets=[{"account_id": account}]))
    reply = desk.try_post(**{"text": "x", **body}, accounts=[account], at=desk.in_minutes(60))
    refused = {(one["pointer"], one["code"]) for one in reply.json.get("errors", [])}
    assert refused == found
    assert (reply.status == 201) is not bool(found)


def test_media_are_held_against_every_network_approved_or_not(desk: Desk) -> None:
    approved, waiting = desk.media(), desk.media(state="in_review", alt_text="")
    report = told(desk, text="Look", media=[{"id": approved}, {"id": waiting}, {"id": str(new_id())}])
    assert [(one["pointer"], one["code"]) for one in report["findings"]] == [
        ("/media/1/id", "in_review"),
        ("/media/2/id", "unknown-media"),
    ]
    assert [one["network"] for one in report["networks"]] == list(NETWORKS)
    mastodon = report["networks"][NETWORKS.index("mastodon")]
    assert {(one["pointer"], one["code"]) for one in mastodon["findings"]} >= {("/media/1/alt_text", "no-alt-text")}
    assert mastodon["fits"]


def test_a_picture_that_a_rendition_makes_fit_asks_for_it(desk: Desk) -> None:
    media = desk.media()
    desk.owner.execute("UPDATE t_acme.derivatives SET width = 2400, height = 600")
    report = told(desk, text="Wide", media=[{"id": media}], networks=["instagram"])
    (found,) = [one for one in report["networks"][0]["findings"] if one["code"] == "ratio"]
    assert (found["severity"], found["pointer"]) == ("error", "/media/0/id")
    assert "renditions" in found["advice"]
    cut = {"id": media, "rendition_id": rendition(desk, media, network="instagram")}
    report = told(desk, text="Wide", variants={"instagram": {"media": [cut]}}, networks=["instagram"])
    assert report["fits"], report


def test_a_video_that_no_rendition_mends_is_an_error(desk: Desk) -> None:
    media = desk.media()
    desk.owner.execute(
        "UPDATE t_acme.media_items SET declared_type = 'video/mp4', duration_ms = 500000, width = 1280, height = 720,"
        " content_type = 'video/mp4', sha256 = %s, object_version = 'v', frame_rate = 30",
        (b"0" * 32,),
    )
    report = told(desk, text="Long", media=[{"id": media}], networks=["x", "mastodon", "facebook"])
    assert errors(report) == {("/media/0/id", "too-long")}
    assert report["networks"][2]["fits"]


def test_nothing_is_kept_and_nothing_is_counted(desk: Desk) -> None:
    counted = desk.value("SELECT count(*) FROM t_acme.audit_log")
    told(desk, text="Words")
    assert desk.value("SELECT count(*) FROM t_acme.posts") == 0
    assert desk.value("SELECT count(*) FROM t_acme.audit_log") == counted


def test_what_is_another_tenants_is_unknown(desk: Desk) -> None:
    stranger = str(new_id())
    report = told(desk, text="x", media=[{"id": stranger}], targets=[{"account_id": stranger}])
    assert errors(report) == {("/media/0/id", "unknown-media"), ("/targets/0/account_id", "unknown-account")}
    assert report["networks"] == []


@pytest.mark.parametrize(
    "body",
    [
        {"text": "x" * 63_207},
        {"text": None},
        {"text": "x", "networks": "x"},
        {"text": "x", "networks": ["x"] * 21},
        {"text": "x", "networks": [""]},
        {"text": "x", "media": [{"id": "1"}]},
        {"text": "x", "surprise": 1},
        {"text": "x", "variants": {"x": {"options": {"a": [1]}}}},
        [],
        "x",
        None,
    ],
)
def test_what_is_no_draft_is_refused_in_words(desk: Desk, body: Any) -> None:
    reply = desk.editor.post("/v1/posts/validate", body)
    assert reply.status in (400, 415, 422), reply
    assert reply.json["detail"]


@pytest.mark.parametrize("text", ["\ud800", "\x00", "a\ud83dz", "\uffff\ufffe", "\U0010ffff", "\u202e" * 100])
def test_whatever_unicode_holds_is_answered(desk: Desk, text: str) -> None:
    raw = json.dumps({"text": text, "variants": {"x": {"text": text}}})
    reply = desk.editor.post("/v1/posts/validate", json.loads(raw))
    assert reply.status in (200, 400, 422), reply


def test_an_account_that_is_let_in_no_more_is_told_before_the_post_is_due(desk: Desk) -> None:
    account = desk.account()
    body = {"text": "Later", "targets": [{"account_id": account}]}
    assert all(one["code"] != "account-lapsed" for one in told(desk, **body)["networks"][0]["findings"])
    refused = desk.post(accounts=[account])
    run = desk.ready(refused["id"])
    desk.mastodon.wire.fail("POST", "/api/v1/statuses", 401)
    desk.publish(refused["id"], run)
    report = told(desk, **body)
    (found,) = [one for one in report["networks"][0]["findings"] if one["code"] == "account-lapsed"]
    assert (found["severity"], found["pointer"], report["fits"]) == ("warning", "/targets", True)
    assert "Connect it again" in found["advice"]
    assert desk.try_post("Later", accounts=[account], at=desk.in_minutes(60)).status == 201
