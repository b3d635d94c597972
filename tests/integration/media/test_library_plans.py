"""Each order of the library is an index's: a page in the middle of many items is read, and nothing is sorted."""

from typing import Any

import psycopg
from psycopg import sql

from socialflow.media.library_repository import _KEYS, _PAGES
from socialflow.media.listing import PRESENT, Mark
from socialflow.platform.tenancy import Tenant
from tests.integration.media.shelf import day

MANY = """
INSERT INTO t_acme.media_items (id, state, file_name, declared_type, declared_size, object_key, upload_expires_at,
                                created_by, created_at, captured_at)
SELECT gen_random_uuid(), 'approved', 'n' || g, 'image/jpeg', g, 'k', now(), gen_random_uuid(),
       now() - g * interval '1 s', CASE WHEN g % 3 > 0 THEN now() END FROM generate_series(1, 5000) g
"""
MIDDLE = "SELECT id, created_at, captured_at, file_name, declared_size AS size FROM t_acme.media_items"
UNASKED: dict[str, Any] = dict.fromkeys(
    ("kind", "uploaded_from", "uploaded_before", "captured_from", "captured_before", "colour", "uploader", "text")
)


def test_no_order_sorts(acme: Tenant, superuser: psycopg.Connection) -> None:
    superuser.execute(MANY)
    superuser.execute("ANALYZE t_acme.media_items")
    with superuser.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        row = cursor.execute(MIDDLE + " ORDER BY declared_size OFFSET 2500 LIMIT 1").fetchone()
    assert row is not None
    assert {ordering.sort for ordering in _PAGES} == set(_KEYS)
    for ordering, query in _PAGES.items():
        mark = Mark(row[ordering.sort], row["id"])
        asked = UNASKED | {"used": None, "tags": [], "states": list(PRESENT), "remembered": day(1), "limit": 51}
        explain = sql.SQL("EXPLAIN {}").format(sql.SQL(query).format(s=sql.Identifier("t_acme")))
        lines = superuser.execute(explain, asked | {"value": mark.value, "id": mark.id}).fetchall()
        plan = "\n".join(line for (line,) in lines)
        assert "Sort" not in plan, (ordering, plan)
        assert "Index Scan" in plan, (ordering, plan)
