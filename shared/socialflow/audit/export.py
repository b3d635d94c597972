"""The audit as a file: NDJSON, which can be verified, and CSV, for spreadsheets."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Literal

from socialflow.audit.model import Row

Format = Literal["ndjson", "csv"]

MEDIA_TYPES: Mapping[Format, str] = {"ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}
MOST_BYTES = 4_000_000
"""Of one answer: in base64 it is 5.4 MB, and a function's answer has 6 MB at the most."""
COLUMNS = tuple(field.name for field in fields(Row))

# What a spreadsheet takes for the beginning of a formula, also in full width.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_JSON = ("item", "changes")


@dataclass(frozen=True)
class Piece:
    """A part of a file; `last` is its last row where others follow."""

    content: bytes
    last: Row | None


def piece(rows: Iterable[Row], kind: Format, *, limit: int) -> Piece:
    """Return as many of the rows as are asked for and one answer holds."""
    made = bytearray(_csv_line(COLUMNS) if kind == "csv" else b"")
    line: Callable[[Row], bytes] = _in_csv if kind == "csv" else _in_ndjson
    last = None
    for count, row in enumerate(rows):
        text = line(row)
        if last is not None and (count == limit or len(made) + len(text) > MOST_BYTES):
            return Piece(bytes(made), last)
        made += text
        last = row
    return Piece(bytes(made), None)


def _in_ndjson(row: Row) -> bytes:
    # JSON goes in as PostgreSQL wrote it: to read and write it again would change digits, and with them the hash.
    values = ((name, value if name in _JSON else json.dumps(value, ensure_ascii=False)) for name, value in _texts(row))
    return ("{" + ", ".join(f'"{name}": {value}' for name, value in values) + "}\n").encode()


def _in_csv(row: Row) -> bytes:
    return _csv_line(["" if value is None else _harmless(str(value)) for _, value in _texts(row)])


def _texts(row: Row) -> Iterable[tuple[str, object]]:
    return row.texts().items()


def _csv_line(cells: Iterable[str]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow(cells)
    return buffer.getvalue().encode()


def _harmless(cell: str) -> str:
    """Return a cell that no spreadsheet computes."""
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA) else cell
