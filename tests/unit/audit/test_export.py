"""Cells that a spreadsheet would compute."""

import csv
import io
from dataclasses import replace

import pytest

from socialflow.audit import export
from tests.unit.audit.test_model import ROW


def cell(name: str) -> str:
    """The cell that an actor's name becomes."""
    text = export.piece([replace(ROW, actor_name=name)], "csv", limit=1).content.decode()
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    return row["actor_name"]


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_a_formula_is_text(begin: str) -> None:
    assert cell(f"{begin}1+1") == f"'{begin}1+1"


@pytest.mark.parametrize("name", ["", "Zoë", "a=b", 'say "hi"; then, go', "two\nlines"])
def test_everything_else_stays(name: str) -> None:
    assert cell(name) == name


def test_a_piece_holds_at_least_one_row_and_says_where_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [replace(ROW, seq=seq) for seq in (1, 2, 3)]
    assert export.piece(rows, "ndjson", limit=3).last is None
    assert export.piece(rows, "ndjson", limit=2).last == rows[1]
    monkeypatch.setattr(export, "MOST_BYTES", 1)
    assert export.piece(rows, "ndjson", limit=3).last == rows[0]
