"""Unfriendly files: each is answered in words that say where, and leaves nothing behind."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialflow.platform.ids import new_id
from tests.api import event
from tests.integration.conftest import Member
from tests.integration.http.test_fuzz import PLAUSIBLE, QUICK
from tests.integration.publishing.conftest import Desk
from tests.integration.publishing.files import Rows, brought, everything, found, looked, posts, send, sheet, written

HOSTILE: dict[str, tuple[bytes, str, str]] = {
    "nothing": (b"", "empty", "Line 1:"),
    "only blanks": (b"\n\n , ,\n", "empty", "Line 1:"),
    "a mark and nothing": (b"\xef\xbb\xbf", "empty", "Line 1:"),
    "only a header": (b"text,accounts\n", "no-rows", "Line 1:"),
    "a header with nothing below": (b"text,accounts\n,\n\n", "no-rows", "Line 1:"),
    "latin-1": ("text\nfine\n\u00e9t\u00e9\n".encode("latin-1"), "not-utf-8", "Line 3: Byte 11 of the file, 0xe9"),
    "latin-1 after a mark": (b"\xef\xbb\xbftext\n\xe9\n", "not-utf-8", "Line 2: Byte 9 of the file, 0xe9"),
    "utf-16": ("text\nfine\n".encode("utf-16"), "not-utf-8", "Line 1: The file is UTF-16"),
    "utf-16 without a mark": ("text\nfine\n".encode("utf-16-le"), "not-utf-8", "Line 1: The header is no UTF-8"),
    "an open quote": (b'text\nfine\n"open\nand on\n', "unclosed-quote", "Line 3:"),
    "a lone quote": (b'text\n"a" b\n', "misquoted", "Line 2:"),
    "one cell of a megabyte": (b"text\n" + b"x" * 1_000_000, "cell-too-long", "Line 2:"),
    "a quoted one": (b'text\n"' + b"x\n" * 400_000 + b'"', "cell-too-long", "Line 2:"),
    "ten thousand columns": (b",".join(b"c%d" % n for n in range(10_000)) + b"\n1", "too-many-columns", "Line 1:"),
    "a column twice": (b"text,accounts,TEXT\na,b,c", "repeated", "Line 1:"),
    "a network twice": (b"text,text:x,text:twitter\na,b,c", "repeated", "Line 1:"),
    "an unknown column": (b"text,colour\na,red", "unknown-column", 'Line 1: There is no column "colour"'),
    "a column with what does not show": (
        "te\u200bxt\na".encode(),
        "unknown-column",
        'Line 1: There is no column "te\\u200bxt"',
    ),
    "an unknown network": (b"text,text:myspace\na,b", "unknown-network", "Line 1:"),
    "no header": (b"Good evening\nGood night", "unknown-column", "Line 1:"),
    "501 rows": (b"text\n" + b"x\n" * 501, "too-many-rows", "Line 502:"),
    "too many accounts": (b"accounts\n" + b"a;" * 2_501, "too-many-accounts", "Line 2:"),
    "too many replies": (b"accounts,reply:1\n" + b"a;" * 1_251 + b",b", "too-many-accounts", "Line 2:"),
    "a reply too many": (b"text,reply:16\na,b", "unknown-column", "Line 1:"),
    "too many media": (b"media\n" + b"a;" * 2_501, "too-many-media", "Line 2:"),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("dry", [True, False])
def test_a_file_that_cannot_be_read_says_where(desk: Desk, name: str, dry: bool) -> None:
    sent, code, begins = HOSTILE[name]
    before = everything(desk)
    reply = send(desk.editor, sent, dry=dry)
    assert (reply.status, reply.code) == (422, "unusable-file"), reply
    assert reply.json["errors"][0]["code"] == code
    assert reply.json["detail"].startswith(begins), reply.json["detail"]
    assert len(reply.text) < 5_000
    assert everything(desk) == before


COLUMNS = [
    "id",
    "text",
    "publish_at",
    "zone",
    "on_ambiguous",
    "accounts",
    "media",
    "alt_text:1",
    "alt_text:20",
    "reply:1",
    "reply:15",
]
COLUMNS += ["text:x", "text:twitter", "text:bluesky", "option:mastodon:visibility", "option:x:_", "", "colour"]
cells = st.sampled_from([*PLAUSIBLE, "mastodon:@a", ";;", ":", "x:", "1" * 70, "TRUE", "\0", "earlier"]) | st.text()
sheets = st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=6, unique=True).flatmap(
    lambda names: st.lists(st.lists(cells, min_size=1, max_size=len(names) + 1), max_size=4).map(
        lambda rows: written([names, *rows])
    )
)


def test_no_file_makes_a_failure(desk: Desk) -> None:
    """Rows of any content below any header, and files that are none; each as a try and in earnest."""

    @QUICK
    @given(sent=sheets | st.binary(max_size=200) | st.text(alphabet='",;\n\r\t\0 atex\ufeff').map(str.encode))
    def check(sent: bytes) -> None:
        tried, done = (send(desk.editor, sent, dry=dry) for dry in (True, False))
        assert (tried.status, done.status) in {(200, 200), (200, 422), (422, 422)}, (sent, tried, done)
        assert tried.status == 422 or tried.json["fits"] is (done.status == 200), (sent, tried, done)

    check()


def test_rows_of_another_shape_say_which(desk: Desk) -> None:
    sent = b"text,accounts,,zone\nfine,,,\nshort\nlong,,,,more\nnone,,what,\ntext,accounts,,zone\nn\0l,,,\n"
    assert found(looked(desk, sent)) == [
        (3, "", "too-few-cells"),
        (4, "", "too-many-cells"),
        (5, "", "too-many-cells"),
        (6, "", "header-again"),
        (6, "accounts", "unknown-account"),
        (7, "text", "text-invalid"),
    ]


def test_what_the_gateway_could_not_read_is_told(desk: Desk) -> None:
    """It hands a file over as text, with a sign of its own in the place of each byte that is none."""
    sent = "id,text\n,fine\n,\u00e9t\u00e9\n".encode("latin-1")
    reply = send(desk.editor, sent, dry=True, base64=False)
    assert found(reply.json) == [(3, "text", "not-utf-8")]
    assert send(desk.editor, sent, base64=False).code == "import-refused"
    for utf16 in ("utf-16", "utf-16-le", "utf-16-be"):
        wide = send(desk.editor, "text\nfine\n".encode(utf16), base64=False)
        assert (wide.code, wide.json["errors"][0]["code"]) == ("unusable-file", "not-utf-8"), utf16
    assert posts(desk) == 0


def test_text_is_text_whatever_it_says(desk: Desk) -> None:
    texts = ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "\u202eevil\u202c", "zero\u200bwidth", "' OR 1=1 --", "{s} %s"]
    report = brought(desk, sheet([{"text": text} for text in texts]))
    assert [desk.read(line["post_id"])["text"] for line in report["lines"]] == texts


def test_what_is_anothers_is_unknown(desk: Desk, member: Member) -> None:
    account, media = desk.account(), desk.media()
    name = desk.value("SELECT remote_name FROM t_acme.social_accounts")
    stranger = member("owner", "contoso")
    rows: Rows = [
        {"text": "x", "accounts": account, "media": media},
        {"text": "x", "accounts": str(new_id()), "media": str(new_id())},
        {"text": "x", "accounts": f"mastodon:{name}", "media": ""},
        {"text": "x", "accounts": "mastodon:@nobody", "media": ""},
    ]
    lines = send(stranger, sheet(rows), dry=True).json["lines"]
    told = [
        [one["detail"].partition(": ")[2] + one["advice"] + one["code"] for one in line["findings"]] for line in lines
    ]
    assert told[0] == told[1] != []
    assert told[2] == told[3] != []


def test_what_is_asked_is_asked_in_words(desk: Desk) -> None:
    sent = b"text\nfine"
    reply = send(desk.editor, sent, content_type="application/vnd.ms-excel")
    assert (reply.status, reply.json["title"]) == (415, "Send CSV")
    assert send(desk.editor, sent, content_type="text/csv; charset=windows-1252").status == 415
    assert send(desk.editor, b"text\n" + b"x,\n" * 400_000).status == 413
    headers = {**desk.editor.headers, "content-type": "text/csv"}
    for query in ("dryrun=true", "dry_run=perhaps", "dry_run=true&dry_run=false"):
        wrong = desk.editor.send(event("POST", f"/v1/posts/import?{query}", headers=headers, body=sent))
        assert wrong.status == 422, query
    assert posts(desk) == 0


def test_of_what_is_found_the_answer_has_its_limit(desk: Desk) -> None:
    options = ",".join(f"option:mastodon:o{n}" for n in range(20))
    account = desk.account()
    row = f"x,{account}," + ",".join(["v"] * 20)
    reply = send(desk.editor, f"text,accounts,{options}\n" + f"{row}\n" * 500, dry=True)
    assert reply.json["lines"][0]["more_findings"] == 10
    assert len(reply.text) < 5_000_000
