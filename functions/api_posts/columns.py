"""What the columns of a file are for, by their names in its header; and which of them a finding is about."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from functions.api_posts.schemas import MOST_REPLIES
from functions.api_posts.sheet import Sheet, shown, unusable
from socialflow.limits import ALIASES, NETWORKS, canonical
from socialflow.publishing.findings import Finding

PLAIN = ("id", "text", "publish_at", "zone", "on_ambiguous", "accounts", "media")

NUMBERED = {"alt_text": 20, "reply": MOST_REPLIES}
"""What there may be several of, each in a column of its own."""
CELL = "#"
"""Before a column's name, in place of a pointer: what was found of a cell and not of what it says."""

_OF_ONE = re.compile(r"(?P<kind>text|option|alt_text|reply):(?P<of>\w+)(:(?P<name>\w+))?")


@dataclass(frozen=True)
class Column:
    """What a column is for: a field, a field of one network, the alt text of one medium, or one reply."""

    name: str
    kind: str
    of: str = ""
    option: str = ""

    @property
    def purpose(self) -> tuple[str, str, str]:
        """What no other column is for."""
        return self.kind, self.of, self.option


def columns(sheet: Sheet) -> tuple[Column, ...]:
    """Return what each column is for; raises `UnusableFile` where one is for nothing, or two are for the same."""
    found: dict[tuple[str, str, str], Column] = {}
    for name in sheet.columns:
        column = _column(name, sheet.header_at)
        other = found.setdefault(column.purpose, column)
        if other is not column:
            raise unusable(sheet.header_at, name, "repeated", f"{shown(name)} is for what {shown(other.name)} is.")
    return tuple(found.values())


def column_of(finding: Finding, own: Sequence[Column]) -> str:
    """Return the column that a finding is about; empty: the row as a whole."""
    if finding.pointer.startswith(CELL):
        return finding.pointer.removeprefix(CELL)
    purpose = _purpose([part.replace("~1", "/").replace("~0", "~") for part in finding.pointer.split("/")[1:]])
    if purpose[0] == "publish_at" and finding.code == "unknown-zone":
        purpose = ("zone", "", "")
    named = {column.purpose: column.name for column in own}
    if purpose not in named and purpose[0] == "alt_text":
        purpose = ("media", "", "")
    return named.get(purpose, ":".join(part for part in purpose if part))


def _column(name: str, line: int) -> Column:
    if name in PLAIN:
        return Column(name, name)
    of_one = _OF_ONE.fullmatch(name)
    kind, of, option = (of_one["kind"], of_one["of"], of_one["name"] or "") if of_one else ("", "", "")
    network = canonical(of)
    if not option and of in {str(place) for place in range(1, NUMBERED.get(kind, 0) + 1)}:
        return Column(name, kind, of)
    if network in NETWORKS and (kind, bool(option)) in {("text", False), ("option", True)}:
        return Column(name, kind, network, option)
    if kind in {"text", "option"} and network not in NETWORKS:
        detail = f"Nothing is known of the network {shown(of)}. There are: {', '.join((*NETWORKS, *ALIASES))}."
        raise unusable(line, name, "unknown-network", detail)
    there = f"{', '.join(PLAIN)}, text:<network>, option:<network>:<name>, alt_text:<place>, reply:<place>"
    raise unusable(line, name, "unknown-column", f"There is no column {shown(name)}. There are: {there}.")


def _purpose(parts: list[str]) -> tuple[str, str, str]:
    """Return what a column is for that says what stands at a place of the request."""
    head, *rest = parts or [""]
    if head == "publish_at" and rest and rest[0] in {"zone", "on_ambiguous"}:
        head = rest[0]
    if head == "targets":
        return ("accounts", "", "")
    if head == "media" and len(rest) > 1 and rest[1] == "alt_text":
        return ("alt_text", str(int(rest[0]) + 1), "")
    if head == "replies" and rest:
        return ("reply", str(int(rest[0]) + 1), "")
    if head == "variants" and len(rest) > 2 and rest[1] == "options":
        return ("option", canonical(rest[0]), rest[2])
    if head == "variants" and rest:
        return ("text", canonical(rest[0]), "")
    return (head, "", "")
