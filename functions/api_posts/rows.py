"""From the rows of a file to posts: each column says what a field of POST /v1/posts says."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from pydantic import ValidationError

from functions.api_posts.columns import CELL, Column
from functions.api_posts.schemas import PostIn
from functions.api_posts.sheet import SAVE_AS, UNREADABLE, Row, shown
from socialflow.errors import FieldError
from socialflow.limits import NETWORKS, canonical
from socialflow.platform.http.body import is_plain
from socialflow.platform.http.problems import pointer
from socialflow.publishing.findings import Finding, error
from socialflow.publishing.importing import Line
from socialflow.publishing.service import Order
from socialflow.publishing.timing import Due, UnusableTime

_WORDS = ("now", "next_slot")
_LONGEST_TIME = 64
_NOBODY = UUID("00000000-0000-7000-8000-000000000000")
Name = tuple[str, str]
"""A network, and what an account goes by there."""


@dataclass(frozen=True)
class Asking:
    """A row as the body of a request, whose accounts are still as they are written."""

    row: Row
    body: dict[str, Any]
    accounts: tuple[str, ...]
    media: tuple[str, ...]
    faults: tuple[Finding, ...]

    @property
    def places(self) -> int:
        """How many targets it has: the post at each account, and each of its replies there."""
        return len(self.accounts) * (1 + len(self.body.get("replies", ())))

    @property
    def names(self) -> Iterator[Name]:
        """The accounts that are not written as ids."""
        return (name for written in self.accounts if (name := _name(written)))


def asking(row: Row, own: Sequence[Column]) -> Asking:
    """Return what a row asks for, in the shape of a request."""
    faults = [error(one.pointer, one.code, one.detail, "") for one in row.faults]
    cells = {column: row.cells.get(column.name, "") for column in own}
    faults += [fault for column, cell in cells.items() for fault in _unreadable(column, cell)]
    said = {column.purpose: cell for column, cell in cells.items() if cell.strip()}
    accounts, media = (_listed(said.get((kind, "", ""), "")) for kind in ("accounts", "media"))
    alt_texts, replies = _numbered(said, "alt_text"), _numbered(said, "reply")
    faults += _out_of_place(alt_texts, len(media), replies)
    body = {
        "id": said.get(("id", "", ""), "").strip(),
        "text": _text(said.get(("text", "", ""), "")),
        "media": [
            {"id": str(_uuid(one) or one)} | ({"alt_text": alt_texts[at]} if at in alt_texts else {})
            for at, one in enumerate(media, start=1)
        ],
        "variants": _variants(said),
        "replies": [{"text": replies[place]} for place in sorted(replies)],
        "publish_at": _time(said),
    }
    # What is not said is left out: a row stays the same when there is more that one may say.
    return Asking(row, {name: value for name, value in body.items() if value}, accounts, media, tuple(faults))


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


def words(finding: Finding, one: Asking) -> str:
    """Return what a finding says, with the account or the medium that it is about as the cell names it."""
    head, _, rest = finding.pointer.removeprefix("/").partition("/")
    listed = {"targets": one.accounts, "media": one.media}.get(head, ())
    index = rest.partition("/")[0]
    if index.isdigit() and int(index) < len(listed):
        return f"{shown(listed[int(index)])}: {finding.detail}"
    return finding.detail


def _numbered(said: Mapping[tuple[str, str, str], str], what: str) -> dict[int, str]:
    return {int(of): _text(cell) for (kind, of, _), cell in said.items() if kind == what}


def _out_of_place(alt_texts: Mapping[int, str], media: int, replies: Mapping[int, str]) -> Iterator[Finding]:
    for place in sorted(set(alt_texts) - set(range(1, media + 1))):
        words, advice = f"The row has no medium in place {place}.", "Name it under media, or empty the cell."
        yield error(f"{CELL}alt_text:{place}", "no-such-medium", words, advice)
    for place in sorted(set(replies) - {1} - {before + 1 for before in replies}):
        words, advice = f"Reply {place - 1} says nothing.", "Write that one first, or empty the cell."
        yield error(f"{CELL}reply:{place}", "no-reply-before", words, advice)


def _unreadable(column: Column, cell: str) -> Iterator[Finding]:
    if not is_plain(cell):
        yield error(CELL + column.name, "text-invalid", "There is a NUL in the cell.", SAVE_AS)
    if UNREADABLE in cell:
        yield error(CELL + column.name, "not-utf-8", "A sign in the cell could not be read (U+FFFD).", SAVE_AS)


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
    when = _one_way(when[:_LONGEST_TIME])
    if not (when and zone):
        return when or None
    return {"local": when, "zone": zone} | ({"on_ambiguous": ambiguous.lower()} if ambiguous else {})


def _one_way(when: str) -> str:
    """Return a time as it is always written, whichever way a spreadsheet has written it."""
    try:
        moment = datetime.fromisoformat(when)
        return (moment.astimezone(UTC) if moment.utcoffset() is not None else moment).isoformat()
    except (ValueError, OverflowError):
        return when


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
