"""Posts from a file: each row is judged as a post that is made alone, and all are made, or none."""

import csv
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from functions.api_posts.bulk import File
from functions.api_posts.schemas import MOST_TEXT
from infra_cdk import openapi
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.ids import new_id
from socialflow.publishing.importing import LONGEST, ImportInFlight, ImportTooSlow
from tests.integration.media.test_together import together
from tests.integration.publishing.conftest import Desk
from tests.integration.publishing.files import Rows, brought, everything, found, looked, posts, send, sheet
from tests.integration.publishing.test_queue import MONDAY, THURSDAY, asked, made, put

# What rows say


def test_each_row_is_a_post_as_its_columns_say(desk: Desk) -> None:
    account, media = desk.account(), desk.media()
    due = (now() + timedelta(days=2)).replace(microsecond=0, tzinfo=None)
    rows: Rows = [
        {
            "accounts": account,
            "text": 'She said "no",\r\nand left; =cmd|calc',
            "text:mastodon": "Shorter",
            "option:mastodon:visibility": "unlisted",
            "option:mastodon:sensitive": "TRUE",
            "publish_at": due.isoformat(" "),
            "zone": "Europe/Berlin",
            "media": media,
            "alt_text:1": "A boat; red",
            "reply:1": "Under it",
            "reply:2": "And under that",
        },
        {"text": "For later"},
        {"text": "At once", "accounts": account, "publish_at": "NOW", "zone": "Europe/Berlin"},
    ]
    report = brought(desk, sheet(rows))
    assert (report["new"], report["refused"], report["fits"]) == (3, 0, True)
    assert [line["line"] for line in report["lines"]] == [2, 4, 5]
    first, draft, at_once = (desk.read(line["post_id"]) for line in report["lines"])
    assert first["text"] == 'She said "no",\nand left; =cmd|calc'
    assert first["variants"]["mastodon"]["text"] == "Shorter"
    assert first["variants"]["mastodon"]["options"] == {"visibility": "unlisted", "sensitive": True}
    assert [(one["id"], one["alt_text"]) for one in first["media"]] == [(media, "A boat; red")]
    assert [reply["text"] for reply in first["replies"]] == ["Under it", "And under that"]
    assert (first["due_local"], first["due_zone"]) == (due.isoformat(), "Europe/Berlin")
    assert (draft["state"], draft["due_at"], draft["targets"]) == ("draft", None, [])
    assert (at_once["state"], [one["account_id"] for one in at_once["targets"]]) == ("scheduled", [account])
    assert [line["due_at"] for line in report["lines"]] == [first["due_at"], None, at_once["due_at"]]
    assert desk.value("SELECT count(*) FROM cell.work WHERE kind = 'publish'") == 2


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_file_is_read_as_spreadsheets_write_it(desk: Desk, delimiter: str, line_end: str, mark: bytes) -> None:
    rows: Rows = [{"Text": "One\nand two", "Publish_At ": ""}, {"Text": "", "Publish_At ": ""}, {"Text": "Three"}]
    report = looked(desk, mark + sheet(rows, delimiter=delimiter, lineterminator=line_end, quoting=csv.QUOTE_ALL))
    assert [(line["line"], line["outcome"]) for line in report["lines"]] == [(2, "ready"), (5, "ready")]


def test_the_gateway_may_hand_a_file_over_as_text(desk: Desk) -> None:
    reply = send(desk.editor, 'text\n"Good evening, 👩‍👩‍👧"\n', base64=False)
    assert desk.read(reply.json["lines"][0]["post_id"])["text"] == "Good evening, 👩‍👩‍👧"


def test_accounts_go_by_their_names(desk: Desk) -> None:
    account = desk.account()
    name = str(desk.value("SELECT remote_name FROM t_acme.social_accounts"))
    rows: Rows = [
        {"text": str(index), "accounts": f" Mastodon : {written} ;"}
        for index, written in enumerate([name, name.upper(), name.removeprefix("@")])
    ]
    report = brought(desk, sheet(rows))
    assert [desk.read(line["post_id"])["targets"][0]["account_id"] for line in report["lines"]] == [account] * 3


def test_of_two_accounts_of_one_name_the_id_is_asked_for(desk: Desk) -> None:
    desk.account()
    name = desk.value("SELECT remote_name FROM t_acme.social_accounts")
    desk.owner.execute(
        "INSERT INTO t_acme.social_accounts (id, network, base_url, remote_account, remote_name, secret, connected_by)"
        " VALUES (%s, 'mastodon', 'https://another.invalid', '1', %s, '', %s)",
        (new_id(), name, new_id()),
    )
    assert found(looked(desk, sheet([{"text": "x", "accounts": f"mastodon:{name}"}]))) == [
        (2, "accounts", "ambiguous-account")
    ]


# What is told


Expected = list[tuple[dict[str, Any], list[tuple[str, str]]]]


def tried(account: str, waiting: str, at: str) -> Expected:
    """Return rows with the columns at fault, and why."""
    fine = {"text": "Fine", "accounts": account, "publish_at": at}
    return [
        (fine, []),
        (fine | {"text": "x" * 501}, [("text", "too-long")]),
        ({"text": "x" * 501, "accounts": account}, []),
        (fine | {"publish_at": "2020-01-01T00:00:00Z"}, [("publish_at", "in-the-past")]),
        (fine | {"publish_at": "2027-03-28T02:30", "zone": "Europe/Berlin"}, [("publish_at", "does-not-exist")]),
        (fine | {"publish_at": "2027-03-28T03:30", "zone": "Europe/Berlim"}, [("zone", "unknown-zone")]),
        (fine | {"publish_at": "next tuesday"}, [("publish_at", "not-a-time")]),
        (fine | {"publish_at": "2027-03-28T03:30:00"}, [("publish_at", "no-offset")]),
        (
            {"text": "Finer", "accounts": f"{account};{new_id()};mastodon:@nobody", "publish_at": at},
            [("accounts", "unknown-account")] * 2,
        ),
        ({"text": "Fine", "media": f"{waiting};{new_id()};boat.jpg"}, [("media", "uuid-parsing")]),
        ({"text": "Fine", "media": f"{waiting};{new_id()}"}, [("media", "in_review"), ("media", "unknown-media")]),
        (fine | {"publish_at": "next_slot"}, []),
        (fine | {"text": "In line", "publish_at": "next_slot"}, []),
        ({"text": "Fine", "publish_at": at}, [("accounts", "empty")]),
        (fine, [("", "repeats-line")]),
        ({"text": "y" * (MOST_TEXT + 1), "accounts": account}, [("text", "string-too-long")]),
        ({"text": "a", "id": str(new_id()), "alt_text:2": "Of what?"}, [("alt_text:2", "no-such-medium")]),
        ({"text": "a", "id": "7"}, [("id", "uuid-parsing")]),
        ({"text": "a", "reply:2": "After what?"}, [("reply:2", "no-reply-before")]),
        (fine | {"text": "b", "reply:1": "y" * 501}, [("reply:1", "too-long")]),
        (
            {"text": "a", "publish_at": "2027-10-31T02:30", "zone": "Europe/Berlin", "on_ambiguous": "both"},
            [("on_ambiguous", "literal-error")],
        ),
        ({"text": "a", "id": "9b2f7b0e-6c0e-4c55-8f0b-2f6f4a3d1c11"}, [("id", "uuid-version")]),
    ]


def test_a_dry_run_tells_each_row_and_writes_nothing(desk: Desk) -> None:
    put(desk, MONDAY, THURSDAY)
    expected = tried(desk.account(), desk.media(state="in_review"), desk.in_minutes(60))
    sent, before = sheet([row for row, _ in expected]), everything(desk)
    reply = send(desk.editor, sent, dry=True, idempotency_key="dry")
    assert everything(desk) == before
    report = reply.json
    assert (reply.status, report["dry_run"], report["fits"]) == (200, True, False)
    assert found(report) == [
        (line, column, code) for line, (_, wrong) in enumerate(expected, start=2) for column, code in wrong
    ]
    assert (4, "text", "too-long") in found(report, "warning")
    slots = [line["due_at"] for line in report["lines"] if line["slot"]]
    assert len(slots) == 2
    assert slots == sorted(slots)
    refused = send(desk.editor, sent)
    assert (refused.status, refused.code) == (422, "import-refused")
    assert refused.json["errors"][0]["pointer"] == "/3/text"
    assert refused.json["errors"][0]["detail"].startswith("Line 3, text: The text counts 501")
    assert everything(desk) == before


@pytest.mark.parametrize(
    "more",
    [
        {"text": "x" * 501},
        {"text": ""},
        {"variants": {"mastodon": {"text": "y" * 501}}},
        {"variants": {"mastodon": {"options": {"visibility": "direct", "colour": "red"}}}},
        {"publish_at": "2020-01-01T00:00:00Z"},
        {"publish_at": "next_slot"},
        {"media": ["unknown"]},
    ],
)
def test_a_row_is_refused_as_the_same_post_is(desk: Desk, more: dict[str, Any]) -> None:
    account = desk.account()
    given = {"text": "x", "publish_at": desk.in_minutes(60), **more}
    media = [str(new_id()) for _ in given.pop("media", [])]
    variant = given.get("variants", {}).get("mastodon", {})
    row = {"text": given["text"], "accounts": account, "publish_at": given["publish_at"], "media": ";".join(media)}
    row |= {"text:mastodon": variant.get("text", "")}
    row |= {f"option:mastodon:{name}": value for name, value in variant.get("options", {}).items()}
    single = desk.editor.post(
        "/v1/posts", given | {"targets": [{"account_id": account}], "media": [{"id": one} for one in media]}
    )
    codes = {one["code"] for one in single.json.get("errors", [{"code": single.code}])}
    report = looked(desk, sheet([row]))
    assert {code for _, _, code in found(report)} == codes
    assert not report["fits"]


def test_slots_are_given_in_the_order_of_the_file_as_they_were_told(desk: Desk) -> None:
    account = desk.account()
    put(desk, MONDAY, THURSDAY)
    desk.post("There before", accounts=[account], at="next_slot")
    sent = sheet([{"text": f"{index}", "accounts": account, "publish_at": "next_slot"} for index in range(5)])
    told, given = looked(desk, sent), brought(desk, sent)
    due = [line["due_at"] for line in given["lines"]]
    assert due == sorted(set(due)) == [line["due_at"] for line in told["lines"]]
    assert [desk.read(line["post_id"])["due_at"] for line in given["lines"]] == due


def test_the_plan_is_held_against_the_whole_file(desk: Desk) -> None:
    desk.owner.execute("INSERT INTO cell.usage VALUES ('acme', 'posts', to_char(now(), 'YYYY-MM'), 19998)")
    sent, before = sheet([{"text": f"{index}"} for index in range(3)]), everything(desk)
    report = looked(desk, sent)
    assert (report["fits"], report["problem"]["code"]) == (False, "limit-reached")
    assert "19,998 are used" in report["problem"]["detail"]
    refused = send(desk.editor, sent)
    assert (refused.status, refused.code, refused.json["asked"]) == (402, "limit-reached", 3)
    assert everything(desk) == before
    assert brought(desk, sheet([{"text": "1"}, {"text": "2"}]))["new"] == 2


# Once


def test_the_same_file_again_makes_nothing_more(desk: Desk) -> None:
    account = desk.account()
    put(desk, MONDAY)
    rows: Rows = [
        {"text": "Timed", "accounts": account, "publish_at": desk.in_minutes(60)},
        {"text": "Queue", "accounts": account, "publish_at": "next_slot"},
        {"text": "Draft", "accounts": account, "publish_at": ""},
        {"text": "Draft", "accounts": account, "publish_at": ""},
    ]
    first = brought(desk, sheet(rows))
    assert found(first, "warning") == [(5, "", "repeats-line")]
    again = brought(desk, sheet([*reversed(rows), {"text": "One more"}]))
    assert (again["new"], again["there"], posts(desk)) == (1, 4, 5)
    assert {line["post_id"] for line in again["lines"]} > {line["post_id"] for line in first["lines"]}
    desk.owner.execute("UPDATE t_acme.posts SET due_at = now() - interval '1 d' WHERE due_at IS NOT NULL")
    assert brought(desk, sheet(rows))["there"] == 4


def test_what_was_cancelled_is_made_again(desk: Desk) -> None:
    account = desk.account()
    sent = sheet([{"text": "Timed", "accounts": account, "publish_at": desk.in_minutes(60)}])
    first = brought(desk, sent)["lines"][0]["post_id"]
    assert desk.editor.post(f"/v1/posts/{first}/cancel").status == 200
    again = brought(desk, sent)
    assert (again["new"], again["there"]) == (1, 0)
    assert again["lines"][0]["post_id"] != first
    assert brought(desk, sent)["lines"][0]["post_id"] == again["lines"][0]["post_id"]


def test_an_id_of_ones_own_is_one_post(desk: Desk) -> None:
    own = str(new_id())
    assert brought(desk, sheet([{"id": own, "text": "Mine"}]))["lines"][0]["post_id"] == own
    assert brought(desk, sheet([{"id": own, "text": "Mine"}]))["there"] == 1
    assert found(looked(desk, sheet([{"id": own, "text": "Other"}]))) == [(2, "id", "post-exists")]
    twice = str(new_id())
    report = looked(desk, sheet([{"id": twice, "text": "A"}, {"id": twice, "text": "B"}]))
    assert found(report) == [(3, "id", "repeated")]


def test_a_key_answers_once_and_is_of_its_file(desk: Desk) -> None:
    sent = sheet([{"text": "One"}])
    first = send(desk.editor, sent, idempotency_key="k")
    again = send(desk.editor, sent, idempotency_key="k")
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json == first.json
    other = send(desk.editor, sheet([{"text": "Other"}]), idempotency_key="k")
    assert (other.status, other.code) == (422, "idempotency-key-reused")
    assert posts(desk) == 1


def bring(desk: Desk, sent: bytes) -> int | None:
    """Bring a file as one of many; return how many posts that made, None where somebody else was at it."""
    try:
        with transaction(desk.tenant) as tx:
            return File(sent).bring(tx, asked()).new
    except ImportInFlight:
        return None


def test_of_eight_that_bring_a_file_at_once_one_makes_it(desk: Desk) -> None:
    account = desk.account()
    put(desk, MONDAY)
    rows: Rows = [{"text": f"{n}", "accounts": account, "publish_at": "next_slot"} for n in range(10)]
    found = together(*[partial(bring, desk, sheet(rows)) for _ in range(8)])
    assert {10} <= set(found) <= {10, 0, None}
    assert found.count(10) == 1
    assert posts(desk) == 10
    assert brought(desk, sheet(rows))["there"] == 10


def test_a_file_and_single_posts_never_get_one_slot_twice(desk: Desk) -> None:
    account = desk.account()
    put(desk, MONDAY)
    rows: Rows = [{"text": f"{n}", "accounts": account, "publish_at": "next_slot"} for n in range(8)]
    together(partial(bring, desk, sheet(rows)), *[partial(made, desk, account) for _ in range(8)])
    assert desk.value("SELECT count(DISTINCT due_at) FROM t_acme.posts") == posts(desk) == 16
    assert desk.value("SELECT used FROM cell.usage WHERE meter = 'posts'") == 16


def test_an_approval_is_asked_for_and_the_audit_says_who(desk: Desk) -> None:
    account = desk.account()
    desk.approvals("required")
    rows: Rows = [{"text": f"{n}", "accounts": account, "publish_at": desk.in_minutes(60)} for n in range(3)]
    imported = [desk.read(line["post_id"]) for line in brought(desk, sheet(rows))["lines"]]
    assert {post["state"] for post in imported} == {"awaiting_approval"}
    by = {post["created_by"] for post in imported}
    audited = desk.owner.execute(
        "SELECT DISTINCT actor_id::text FROM t_acme.audit_log WHERE action = 'post.create' AND subject_id = ANY(%s)",
        ([post["id"] for post in imported],),
    ).fetchall()
    assert {who for (who,) in audited} == by
    assert len(by) == 1


def test_what_takes_too_long_is_given_up_in_words(desk: Desk) -> None:
    late = replace(asked(), at=now() - LONGEST)
    with pytest.raises(ImportTooSlow, match="two halves"), transaction(desk.tenant) as tx:
        File(sheet([{"text": "Good evening"}])).bring(tx, late)
    assert posts(desk) == 0


def test_all_are_made_or_none(desk: Desk) -> None:
    account = desk.account()
    desk.owner.execute("CREATE FUNCTION t_acme.stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$")
    desk.owner.execute(
        "CREATE TRIGGER stop BEFORE INSERT ON t_acme.posts FOR EACH ROW WHEN (NEW.text = 'Last')"
        " EXECUTE FUNCTION t_acme.stop()"
    )
    try:
        before = everything(desk)
        rows: Rows = [{"text": f"{n}", "accounts": account, "publish_at": desk.in_minutes(60)} for n in range(5)]
        assert send(desk.editor, sheet([*rows, {"text": "Last"}]), idempotency_key="k").status == 500
        assert everything(desk) == before
    finally:
        desk.owner.execute("DROP TRIGGER stop ON t_acme.posts; DROP FUNCTION t_acme.stop()")


def test_the_example_in_the_documentation_can_be_read(desk: Desk) -> None:
    text = Path(openapi.CSV_EXAMPLE).read_text("utf-8")
    media, account = desk.media(), desk.account()
    text = text.replace("01890a5d-ac96-774b-bcce-b302099a8057", media)
    for written in (
        "mastodon:@shop@example.social;x:@shop",
        "bluesky:shop.example",
        "01890a5d-ac96-774b-bcce-b302099a8058",
    ):
        text = text.replace(written, account)
    put(desk, MONDAY)
    due = now() + timedelta(days=30)
    text = text.replace("2027-03-01", f"{due:%Y-%m-%d}").replace("2027-03-02", f"{due:%Y-%m-%d}")
    report = brought(desk, text)
    assert [(line["line"], line["outcome"]) for line in report["lines"]] == [(n, "made") for n in (2, 4, 5, 6)]
