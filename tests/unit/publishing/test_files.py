"""Files of posts are read as they were written, and their rows are known again by what they say."""

import csv
import io
import re
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.api_posts import columns, rows, sheet

AT = datetime(2027, 1, 1, tzinfo=UTC)
ACCOUNT = UUID("01890a5d-ac96-774b-bcce-b302099a8058")
LINE_END = re.compile("\r\n|\r|\n")
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufffd"), max_size=12)
cells = texts | st.sampled_from(['"', '""', ",", ";", "\t", "\n", "\r\n", "\r", "=1+1", "\ufeff", " "])


@given(
    st.lists(st.tuples(cells, cells, cells), max_size=6),
    st.sampled_from(sheet.DELIMITERS),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["", "\ufeff"]),
)
def test_what_is_written_is_read_and_stands_in_its_line(
    said: list[tuple[str, str, str]], delimiter: str, end: str, mark: str
) -> None:
    out, expected = io.StringIO(newline=""), []
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerow(["Text", "zone", "accounts"])
    for row in said:
        if any(cell.strip() for cell in row):
            expected.append((len(LINE_END.findall(out.getvalue())) + 1, *row))
        writer.writerow(row)
    sent = (mark + out.getvalue()).encode()
    if not expected:
        with pytest.raises(sheet.UnusableFile):
            sheet.read(sent)
        return
    read = sheet.read(sent)
    assert read.columns == ("text", "zone", "accounts")
    assert [(row.line, *row.cells.values()) for row in read.rows] == expected
    assert not any(row.faults for row in read.rows)


def known(text: str) -> list[str]:
    """Return by what the rows of a file are known."""
    read = sheet.read(text.encode())
    own = columns.columns(read)
    askings = [rows.asking(row, own) for row in read.rows]
    lines = rows.lines(askings, {("mastodon", "@ada"): [ACCOUNT]}, at=AT)
    assert not any(line.findings for line in lines)
    return [line.order.sha256.hex() for line in lines if line.order]


def test_a_row_is_known_by_what_it_says_however_it_is_written() -> None:
    (one,) = known(f"text,accounts,publish_at\nGood evening,{ACCOUNT},next_slot\n")
    for same in (
        "accounts;text;publish_at;media\r\n mastodon:@ada ;Good evening;NEXT_SLOT;\r\n",
        f"text,text:x,accounts,publish_at,zone\nGood evening,,{str(ACCOUNT).upper()},next_slot,Europe/Berlin\n",
    ):
        assert known(same) == [one]
    for other in ("Good evening ,mastodon:@ada,next_slot", "Good evening,,next_slot", "Good evening,mastodon:@ada,now"):
        assert known(f"text,accounts,publish_at\n{other}\n") != [one]
    assert len({*known("text\na\na\na\n")}) == 3


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("2027-03-01T09:00:00+01:00,", "2027-03-01 08:00Z,"),
        ("2027-03-01T09:00,Europe/Berlin", "2027-03-01 09:00:00,Europe/Berlin"),
    ],
)
def test_a_time_is_the_same_whichever_way_it_is_written(first: str, second: str) -> None:
    head = "publish_at,zone,media\n"
    one = known(f"{head}{first},{ACCOUNT}")
    assert known(f"{head}{second},{str(ACCOUNT).upper()}") == one
    assert known(f"{head}{first.replace('2027', '2028')},{ACCOUNT}") != one


def test_by_what_a_row_is_known_never_changes() -> None:
    """Rows were imported under these: another answer here makes every one of them a second time."""
    text = "text,text:x,option:mastodon:visibility,accounts,publish_at,zone,reply:1\n"
    text += '"a\nb",c,public,mastodon:@ada,2027-03-01T09:00:00,Europe/Berlin,d\na,,,,,,\n'
    assert known(text) == [
        "3b7bedcbbea6ed2fc19106afe51d916f7f3c72b818b5248e2403fca66829ed1f",
        "5c48f574957c34969efa1be7b6d4bf74a4a4fa43be2d8677f44fdd0bf4c78933",
    ]
