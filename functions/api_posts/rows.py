"""From the rows of a file to posts, and back to cells: each column says what a field of POST /v1/posts says."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from pydantic import ValidationError

from functions.api_posts.schemas import PostIn
from functions.api_posts.sheet import UNREADABLE, Row, Sheet, shown, unusable
from socialflow.errors import FieldError
from socialflow.limits import ALIASES, NETWORKS, canonical
from socialflow.platform.http.body import is_plain
from socialflow.platform.http.problems import pointer
from socialflow.publishing.findings import Finding, error
from socialflow.publishing.importing import Line
from socialflow.publishing.service import Order
from socialflow.publishing.timing import Due, UnusableTime

PLAIN = ("id", "text", "publish_at", "zone", "on_ambiguous", "accounts", "media")

_OF_ONE = re.compile(r"(?P<kind>text|option|alt_text):(?P<of>\w+)(:(?P<name>\w+))?")
_WORDS = ("now", "next_slot")
_LONGEST_TIME = 64
_NOBODY = UUID("00000000-0000-7000-8000-000000000000")
_SAVE = "Save the file as CSV UTF-8."
_CELL = "#"
"""Before a column's name, in place of a pointer: what was found of a cell and not of what it says."""

Name = tuple[str, str]
"""A network, and what an account goes by there."""


@dataclass(frozen=True)
class Column:
    """What a column is for: a field, a field of one network, or the alt text of one medium."""

    name: str
    kind: str
    of: str = ""
    option: str = ""

    @property
    def purpose(self) -> tuple[str, str, str]:
        """What no other column is for."""
        return self.kind, self.of, self.option


@dataclass(frozen=True)
class Asking:
    """A row as the body of a request, whose accounts are still as they are written."""

    row: Row
    body: dict[str, Any]
    accounts: tuple[str, ...]
    media: tuple[str, ...]
    faults: tuple[Finding, ...]

    @property
    def names(self) -> Iterator[Name]:
        """The accounts that are not written as ids."""
        return (name for written in self.accounts if (name := _name(written)))

    @property
    def account_ids(self) -> Iterator[UUID]:
        """The accounts that are."""
        return (known for written in self.accounts if (known := _uuid(written)))


def columns(sheet: Sheet) -> tuple[Column, ...]:
    """Return what each column is for; raises `UnusableFile` where one is for nothing, or two are for the same."""
    found: dict[tuple[str, str, str], Column] = {}
    for name in sheet.columns:
        column = _column(name, sheet.header_at)
        other = found.setdefault(column.purpose, column)
        if other is not column:
            raise unusable(sheet.header_at, name, "repeated", f"{shown(name)} is for what {shown(other.name)} is.")
    return tuple(found.values())


def asking(row: Row, own: Sequence[Column]) -> Asking:
    """Return what a row asks for, in the shape of a request."""
    faults = [error(one.pointer, one.code, one.detail, "") for one in row.faults]
    cells = {column: row.cells.get(column.name, "") for column in own}
    faults += [fault for column, cell in cells.items() for fault in _unreadable(column, cell)]
    said = {column.purpose: cell for column, cell in cells.items() if cell.strip()}
    accounts, media = (_listed(said.get((kind, "", ""), "")) for kind in ("accounts", "media"))
    alt_texts = {int(of): cell for (kind, of, _), cell in said.items() if kind == "alt_text"}
    for place in sorted(set(alt_texts) - set(range(1, len(media) + 1))):
        words = f"The row has no medium in place {place}."
        faults.append(
            error(f"{_CELL}alt_text:{place}", "no-such-medium", words, "Name it under media, or empty the cell.")
        )
    body = {
        "id": said.get(("id", "", ""), "").strip() or None,
        "text": _text(said.get(("text", "", ""), "")),
        "media": [
            {"id": one, "alt_text": _text(alt_texts[at]) if at in alt_texts else None}
            for at, one in enumerate(media, start=1)
        ],
        "variants": _variants(said),
        "publish_at": _time(said),
    }
    return Asking(row, body, accounts, media, tuple(faults))


def lines(askings: Sequence[Asking], known: Mapping[Name, Sequence[UUID]], *, at: datetime) -> list[Line]:
    """Return the lines as the publishing context is told; `known` are the accounts that go by the names written."""
    same: Counter[str] = Counter()
    found = []
    for one in askings:
        body = {**one.body, "targets": [{"account_id": str(_account(name, known))} for name in one.accounts]}
        asked = json.dumps(body, sort_keys=True, separators=(",", ":"))
        same[asked] += 1
        findings = [*one.faults, *_ambiguous(one, known)]
        order = None if any(fault.code == "text-invalid" for fault in findings) else _order(body, at, findings)
        if order and order.id is None:  # what a file says again, and what it says twice, is known by that
            digest = hashlib.sha256(f"import {same[asked]} {asked}".encode()).digest()
            order = replace(order, sha256=digest)
        found.append(Line(one.row.line, order, tuple(findings)))
    return found


def column_of(finding: Finding, own: Sequence[Column]) -> str:
    """Return the column that a finding is about; empty: the row as a whole."""
    if finding.pointer.startswith(_CELL):
        return finding.pointer.removeprefix(_CELL)
    purpose = _purpose([part.replace("~1", "/").replace("~0", "~") for part in finding.pointer.split("/")[1:]])
    if purpose[0] == "publish_at" and finding.code == "unknown-zone":
        purpose = ("zone", "", "")
    named = {column.purpose: column.name for column in own}
    if purpose not in named and purpose[0] == "alt_text":
        purpose = ("media", "", "")
    return named.get(purpose, ":".join(part for part in purpose if part))


def words(finding: Finding, one: Asking) -> str:
    """Return what a finding says, with the account or the medium that it is about as the cell names it."""
    head, _, rest = finding.pointer.removeprefix("/").partition("/")
    listed = {"targets": one.accounts, "media": one.media}.get(head, ())
    index = rest.partition("/")[0]
    if index.isdigit() and int(index) < len(listed):
        return f"{shown(listed[int(index)])}: {finding.detail}"
    return finding.detail


def _column(name: str, line: int) -> Column:
    if name in PLAIN:
        return Column(name, name)
    of_one = _OF_ONE.fullmatch(name)
    kind, of, option = (of_one["kind"], of_one["of"], of_one["name"] or "") if of_one else ("", "", "")
    network = canonical(of)
    if kind == "alt_text" and not option and of in {str(place) for place in range(1, 21)}:
        return Column(name, kind, of)
    if network in NETWORKS and (kind, bool(option)) in {("text", False), ("option", True)}:
        return Column(name, kind, network, option)
    if kind in {"text", "option"} and network not in NETWORKS:
        detail = f"Nothing is known of the network {shown(of)}. There are: {', '.join((*NETWORKS, *ALIASES))}."
        raise unusable(line, name, "unknown-network", detail)
    there = f"{', '.join(PLAIN)}, text:<network>, option:<network>:<name>, alt_text:<place>"
    raise unusable(line, name, "unknown-column", f"There is no column {shown(name)}. There are: {there}.")


def _unreadable(column: Column, cell: str) -> Iterator[Finding]:
    if not is_plain(cell):
        yield error(_CELL + column.name, "text-invalid", "There is a NUL in the cell.", _SAVE)
    if UNREADABLE in cell:
        yield error(_CELL + column.name, "not-utf-8", "A sign in the cell could not be read (U+FFFD).", _SAVE)


def _variants(said: Mapping[tuple[str, str, str], str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for (kind, network, option), cell in said.items():
        if kind == "text" and network:
            found.setdefault(network, {})["text"] = _text(cell)
        elif kind == "option":
            value = {"true": True, "false": False}.get(cell.strip().lower(), cell.strip())
            found.setdefault(network, {}).setdefault("options", {})[option] = value
    return found


def _time(said: Mapping[tuple[str, str, str], str]) -> str | dict[str, str] | None:
    when, zone, ambiguous = (said.get((kind, "", ""), "").strip() for kind in ("publish_at", "zone", "on_ambiguous"))
    if when.lower() in _WORDS:
        return when.lower()
    when = when[:_LONGEST_TIME]
    if not (when and zone):
        return when or None
    return {"local": when, "zone": zone} | ({"on_ambiguous": ambiguous.lower()} if ambiguous else {})


def _text(cell: str) -> str:
    """Return text with its line breaks as everybody else writes them."""
    return cell.replace("\r\n", "\n").replace("\r", "\n")


def _listed(cell: str) -> tuple[str, ...]:
    return tuple(part for piece in cell.split(";") if (part := piece.strip()))


def _uuid(written: str) -> UUID | None:
    try:
        return UUID(written)
    except ValueError:
        return None


def _name(written: str) -> Name | None:
    network, colon, name = written.partition(":")
    known = canonical(network.strip().lower())
    return (known, name.strip()) if colon and known in NETWORKS and is_plain(name) else None


def _account(written: str, known: Mapping[Name, Sequence[UUID]]) -> UUID:
    """Return the account that is meant; for what is none an id that no account has, which is refused as any such."""
    name = _name(written)
    ids = known.get(name, ()) if name else ()
    return _uuid(written) or next(iter(ids), uuid5(_NOBODY, written))


def _ambiguous(one: Asking, known: Mapping[Name, Sequence[UUID]]) -> Iterator[Finding]:
    for index, written in enumerate(one.accounts):
        name = _name(written)
        ids = known.get(name, ()) if name else ()
        if len(ids) > 1:
            which = "Write the id of the one that is meant: GET /v1/accounts."
            yield error(f"/targets/{index}", "ambiguous-account", f"{len(ids)} accounts go by it.", which)


def _order(body: dict[str, Any], at: datetime, findings: list[Finding]) -> Order | None:
    """Return what the publishing context is told; what is wrong with it joins the findings."""
    try:
        post = PostIn.model_validate(body)
    except ValidationError as invalid:
        findings.extend(_of_pydantic(invalid))
        return None
    try:
        return post.order(at, body)
    except UnusableTime as unusable_time:
        findings.extend(_of_time(unusable_time.errors))
    # All else is looked at as if it had a time.
    return replace(post.model_copy(update={"publish_at": None}).order(at, body), due=Due(at))


def _of_pydantic(invalid: ValidationError) -> list[Finding]:
    found: dict[str, Finding] = {}
    for one in invalid.errors(include_url=False, include_context=False, include_input=False):
        at = pointer([part for part in one["loc"] if part != "WallClockIn"])
        first = "/publish_at" if one["loc"][0] == "publish_at" else at  # of each way to say it one
        found.setdefault(first, error(at, one["type"].replace("_", "-"), f"{one['msg']}.", ""))
    return list(found.values())


def _of_time(errors: Iterable[FieldError]) -> Iterator[Finding]:
    for one in errors:
        if one.code == "no-offset":
            advice = "Write 2027-03-01T09:00:00+01:00, or fill in the column zone: Europe/Berlin."
            yield error(one.pointer, one.code, "The time has no offset.", advice)
        else:
            yield error(one.pointer, one.code, one.detail, "")


def _purpose(parts: list[str]) -> tuple[str, str, str]:
    """Return what a column is for that says what stands at a place of the request."""
    head, *rest = parts or [""]
    if head == "publish_at" and rest and rest[0] in {"zone", "on_ambiguous"}:
        head = rest[0]
    if head == "targets":
        return ("accounts", "", "")
    if head == "media" and len(rest) > 1 and rest[1] == "alt_text":
        return ("alt_text", str(int(rest[0]) + 1), "")
    if head == "variants" and len(rest) > 2 and rest[1] == "options":
        return ("option", canonical(rest[0]), rest[2])
    if head == "variants" and rest:
        return ("text", canonical(rest[0]), "")
    return (head, "", "")
