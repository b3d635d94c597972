"""Reading and exporting the audit by the API."""

import csv
import io
import itertools
import json
import re
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from socialflow.audit import export
from socialflow.audit.model import of_line
from socialflow.platform.database import transaction
from socialflow.platform.ids import new_id
from socialflow.platform.tenancy import Tenant
from tests.api import Client, Reply
from tests.integration.audit.test_chain import draft
from tests.integration.conftest import Member


@pytest.fixture
def admin(member: Member, acme: Tenant) -> Client:
    """Acme's admin, after some changes in both of acme's chains and in contoso's."""
    client = member("admin")
    for name in ("one.jpg", "two.jpg", "three.jpg"):
        body = {"file_name": name, "content_type": "image/jpeg", "size": 1_000, "caption": {"skip": True}}
        assert member("editor").post("/v1/media/uploads", body).status == 201
        assert client.patch("/v1/tenant", {"name": f"Acme of {name}"}, if_match="*").status == 200
    assert member("owner", "contoso").patch("/v1/tenant", {"name": "Contoso's own"}, if_match="*").status == 200
    return client


def items(reply: Reply) -> list[dict[str, Any]]:
    """The rows of a page."""
    assert reply.status == 200, reply
    found: list[dict[str, Any]] = reply.json["items"]
    return found


def test_both_chains_are_one_list_the_newest_first(admin: Client) -> None:
    found = items(admin.get("/v1/audit"))
    assert [row["action"] for row in found] == ["tenant.update", "media.create"] * 3
    assert [row["chain"] for row in found] == ["registry", "workspace"] * 3
    assert [row["at"] for row in found] == sorted((row["at"] for row in found), reverse=True)
    assert found[0]["changes"] == {"name": ["Acme of two.jpg", "Acme of three.jpg"]}
    assert found[0]["actor"]["name"] == "Admin of acme"
    assert found[1]["actor"]["name"] == "Editor of acme"


def test_pages_hold_each_row_once(admin: Client) -> None:
    whole = items(admin.get("/v1/audit"))
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = admin.get(f"/v1/audit?limit=2{cursor}")
        found += items(page)
        if page.json["next_cursor"] is None:
            break
        cursor = f"&cursor={quote(page.json['next_cursor'])}"
    assert found == whole


def test_filters(admin: Client) -> None:
    whole = items(admin.get("/v1/audit"))
    editor, subject = whole[1]["actor"]["id"], whole[1]["subject"]["id"]
    assert items(admin.get(f"/v1/audit?actor={editor}")) == whole[1::2]
    assert items(admin.get(f"/v1/audit?actor={new_id()}")) == []
    assert items(admin.get("/v1/audit?actor_kind=system")) == []
    assert items(admin.get("/v1/audit?actor_kind=person")) == whole
    assert items(admin.get("/v1/audit?subject_type=tenant")) == whole[::2]
    assert items(admin.get(f"/v1/audit?subject_type=media&subject_id={subject}")) == [whole[1]]
    assert items(admin.get("/v1/audit?action=media.create")) == whole[1::2]
    assert items(admin.get("/v1/audit?action=tenant")) == whole[::2]
    assert items(admin.get("/v1/audit?action=medi")) == []
    middle = quote(whole[3]["at"])
    assert items(admin.get(f"/v1/audit?from={middle}")) == whole[:4]
    assert items(admin.get(f"/v1/audit?to={middle}")) == whole[4:]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("from=2026-01-01T00:00:00", "?from"),
        ("to=yesterday", "?to"),
        ("actor=somebody", "?actor"),
        ("actor_kind=robot", "?actor_kind"),
        ("limit=0", "?limit"),
        ("action=" + "x" * 101, "?action"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/audit", "/v1/audit/export"])
def test_a_filter_that_cannot_be_is_named(admin: Client, path: str, query: str, pointer: str) -> None:
    reply = admin.get(f"{path}?{query}")
    assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, pointer)


@pytest.mark.parametrize("path", ["/v1/audit", "/v1/audit/export"])
def test_it_is_for_those_who_see_the_settings(admin: Client, member: Member, stranger: Client, path: str) -> None:
    for role, status in (("owner", 200), ("admin", 200), ("editor", 403), ("viewer", 403)):
        assert member(role).get(path).status == status, role
    assert stranger.get(path).code == "not-a-member"
    assert member("owner", "contoso", tenant="acme").get(path).code == "not-a-member"
    assert Client().get(path).status == 401


def test_nothing_of_another_tenant_is_ever_shown(admin: Client, member: Member, acme: Tenant, contoso: Tenant) -> None:
    theirs = member("owner", "contoso")
    ours = items(admin.get("/v1/audit"))
    for asked in (str(acme.id), *(row["subject"]["id"] for row in ours)):
        assert items(theirs.get(f"/v1/audit?subject_id={asked}")) == []
        assert theirs.get(f"/v1/audit/export?subject_id={asked}").text == ""
    everything = theirs.get("/v1/audit").text + theirs.get("/v1/audit/export").text
    assert str(acme.id) not in everything
    assert "Acme" not in everything
    assert "Contoso's own" in everything
    page = admin.get("/v1/audit?limit=1").json["next_cursor"]
    assert theirs.get(f"/v1/audit?limit=1&cursor={quote(page)}").code == "cursor-expired"


def test_a_suspended_tenants_audit_can_be_read(admin: Client, owner: psycopg.Connection, acme: Tenant) -> None:
    owner.execute("UPDATE control.tenants SET status = 'suspended' WHERE id = %s", (acme.id,))
    assert items(admin.get("/v1/audit"))[0]["changes"] == {"status": ["active", "suspended"]}


def pieces(client: Client, query: str) -> list[Reply]:
    """Every piece of an export, by the links from one to the next."""
    found = [client.get(f"/v1/audit/export?{query}")]
    while link := found[-1].headers.get("link"):
        where = re.fullmatch(r'<([^>]+)>; rel="next"', link)
        assert where
        found.append(client.get(where[1]))
    return found


def test_an_export_in_pieces_is_the_whole_and_can_be_verified(admin: Client, acme: Tenant) -> None:
    with transaction(acme) as tx:
        tx.execute(
            "UPDATE {s}.media_items SET file_name = %(name)s",
            {"name": 'a "quoted", back\\slashed\nname\x1f with ünïcode 🌅 and \u2028'},
        )
        post_id = draft(tx)
        tx.execute(
            "UPDATE {s}.posts SET variants = %(v)s::jsonb WHERE id = %(id)s",
            {"id": post_id, "v": '{"zz": 1.50, "a": -0.000001, "é": 1e30, "b": [null, true, {}, []]}'},
        )
    whole = admin.get("/v1/audit/export")
    assert whole.headers["content-type"] == "application/x-ndjson"
    assert "link" not in whole.headers
    rows = [of_line(line) for line in whole.text.split("\n") if line]
    assert "".join(piece.text for piece in pieces(admin, "limit=2")) == whole.text
    assert len(pieces(admin, "limit=2")) > 3
    assert [row.chain for row in rows] == [str(acme.id)] * 3 + ["workspace"] * (len(rows) - 3)
    assert [row.seq for row in rows] == [1, 2, 3, *range(1, len(rows) - 2)]
    for row in rows:
        assert row.digest() == row.hash, row
    for before, row in itertools.pairwise(rows):
        assert row.prev_hash == before.hash or row.seq == 1
    tampered = whole.text.rstrip("\n").split("\n")[-1].replace("1.50", "1.5")
    assert of_line(tampered).digest() != of_line(tampered).hash


def test_a_piece_ends_before_it_is_too_large_for_an_answer(
    admin: Client, acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = admin.get("/v1/audit/export").text
    monkeypatch.setattr(export, "MOST_BYTES", 1_000)
    found = pieces(admin, "format=ndjson")
    assert "".join(piece.text for piece in found) == whole
    assert all(len(piece.text) <= 1_000 or piece.text.count("\n") == 1 for piece in found)
    assert len(found) > 2


def test_csv_is_safe_in_a_spreadsheet(admin: Client, member: Member) -> None:
    assert admin.patch("/v1/me", {"name": '=HYPERLINK("https://evil.test")'}).status == 200
    assert admin.patch("/v1/tenant", {"name": "By a formula"}, if_match="*").status == 200
    reply = admin.get("/v1/audit/export?format=csv&subject_type=tenant")
    assert reply.headers["content-type"] == "text/csv; charset=utf-8"
    assert reply.headers["content-disposition"] == 'attachment; filename="audit.csv"'
    rows = list(csv.DictReader(io.StringIO(reply.text, newline="")))
    assert [row["actor_name"] for row in rows][-1] == '\'=HYPERLINK("https://evil.test")'
    assert json.loads(rows[-1]["changes"])["name"][1] == "By a formula"
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    both = pieces(admin, "format=csv&limit=2&subject_type=tenant")
    assert all(piece.text.startswith('"chain","seq"') for piece in both), "each piece is a file of its own"


def test_an_export_keeps_its_filters_from_piece_to_piece(admin: Client) -> None:
    found = pieces(admin, "limit=1&action=media&from=2020-01-01T00:00:00%2B02:00")
    rows = [json.loads(line) for piece in found for line in piece.text.splitlines()]
    assert [row["action"] for row in rows] == ["media.create"] * 3
    link = found[0].headers["link"].replace("action=media", "action=tenant")
    where = re.fullmatch(r'<([^>]+)>; rel="next"', link)
    assert where
    assert admin.get(where[1]).code == "cursor-expired"
