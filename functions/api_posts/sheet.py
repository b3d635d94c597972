"""A CSV file as it was sent: what each cell says, and in which line of the file it stands."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from socialflow.errors import FieldError, Invalid
from socialflow.platform.http.problems import pointer

MOST_BYTES = 1024 * 1024
MOST_ROWS = 500
MOST_COLUMNS = 100
DELIMITERS = (",", ";", "\t")
"""What stands between cells: the one that the header has the most of. Spreadsheets write their country's."""

_LINE_END = re.compile(rb"\r\n|\r|\n")
_SHOWN = 40
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
SAVE_AS = "Save it as CSV UTF-8."
UNREADABLE = "\ufffd"
"""What the gateway, or whoever saved the file, has put in the place of what was no text."""


class UnusableFile(Invalid):
    """A file of which no row can be read."""

    code, title = "unusable-file", "The file cannot be read"


@dataclass(frozen=True)
class Row:
    """A row by its columns; `line` is where it begins, `faults` is what is wrong with its shape."""

    line: int
    cells: Mapping[str, str]
    faults: tuple[FieldError, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """A header and its rows; rows in which nothing stands are left out."""

    header_at: int
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def read(sent: bytes) -> Sheet:
    """Return what the file says; raises `UnusableFile` where it says nothing that can be told apart."""
    text = _decoded(sent)
    records = _records(text)
    header_at, header = next(records, (1, []))
    if not header:
        raise unusable(
            1, "", "empty", "The file is empty: its first line names the columns. docs/posts.csv is an example."
        )
    names = _names(header_at, header)
    rows: list[Row] = []
    for line, cells in records:
        if len(rows) == MOST_ROWS:
            raise unusable(line, "", "too-many-rows", f"A file has up to {MOST_ROWS} rows. Send the rest as another.")
        rows.append(_row(line, cells, names))
    if not rows:
        raise unusable(header_at, "", "no-rows", "Below the header there is nothing. Write a row for each post.")
    return Sheet(header_at, tuple(name for name in names if name), tuple(rows))


def unusable(line: int, column: str, code: str, detail: str, **facts: Any) -> UnusableFile:
    """Return the refusal of a file, with the line and the column at fault."""
    return UnusableFile(
        f"Line {line}: {detail}",
        errors=[FieldError(pointer((line, *([column] if column else []))), code, detail)],
        **facts,
    )


def shown(text: str) -> str:
    """Return the beginning of some text in quotes, with what does not show in it made visible."""
    begin = "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text[:_SHOWN])
    return f'"{begin}…"' if len(text) > _SHOWN else f'"{begin}"'


def _decoded(sent: bytes) -> str:
    if sent.startswith(_UTF16):
        raise unusable(1, "", "not-utf-8", f"The file is UTF-16. {SAVE_AS}")
    try:
        return sent.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # Its positions count from behind the mark at the beginning, where there is one.
        at = error.start + len(sent) - len(error.object)
        line = len(_LINE_END.findall(sent[:at])) + 1
        detail = f"Byte {at + 1:,} of the file, 0x{sent[at]:02x}, is no UTF-8. {SAVE_AS}"
        raise unusable(line, "", "not-utf-8", detail, byte=at + 1) from None


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each record in which something stands, with the line where it begins."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise _misquoted(line, str(error)) from None


def _delimiter(text: str) -> str:
    header = next((line for line in io.StringIO(text, newline="") if line.strip()), "")
    return max(DELIMITERS, key=header.count)


def _misquoted(line: int, said: str) -> UnusableFile:
    if "expected after" in said:
        why = "A cell goes on behind its closing quote. Write a quote inside of a quoted cell twice."
        return unusable(line, "", "misquoted", why)
    if "unexpected end" in said:
        return unusable(line, "", "unclosed-quote", "A quote opens in this row and is never closed. Close it.")
    most = f"{csv.field_size_limit():,}"
    why = f"A cell of this row is longer than {most} characters, or a quote in it is never closed."
    return unusable(line, "", "cell-too-long", why)


def _names(line: int, header: list[str]) -> list[str]:
    """Return the columns' names as they are meant; a column without one is empty."""
    if len(header) > MOST_COLUMNS:
        detail = f"The header has {len(header):,} columns. A file has up to {MOST_COLUMNS}."
        raise unusable(line, "", "too-many-columns", detail)
    if any("\0" in cell or UNREADABLE in cell for cell in header):
        raise unusable(line, "", "not-utf-8", f"The header is no UTF-8. {SAVE_AS}")
    names = [cell.strip().lower() for cell in header]
    for name, times in Counter(names).items():
        if name and times > 1:
            raise unusable(line, name, "repeated", f"The column {shown(name)} is there {times} times. Keep one.")
    return names


def _row(line: int, cells: list[str], names: list[str]) -> Row:
    faults = []
    if len(cells) < len(names):
        words = f"The row has {len(cells)} of {len(names)} cells. Text with a line break stands in quotes."
        faults.append(FieldError("", "too-few-cells", words))
    surplus = [cell for index, cell in enumerate(cells) if cell.strip() and (index >= len(names) or not names[index])]
    if surplus:
        words = f"{shown(surplus[0])} stands in no column. Text with a comma stands in quotes."
        faults.append(FieldError("", "too-many-cells", words))
    if [cell.strip().lower() for cell in cells] == names:
        faults.append(FieldError("", "header-again", "The line is the header once more. Delete it."))
    return Row(line, {name: cell for name, cell in zip(names, cells, strict=False) if name}, tuple(faults))
