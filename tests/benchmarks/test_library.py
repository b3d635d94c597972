"""What a library of a hundred thousand media items costs to list, to count and to ask about.

Each statement is the library's own, in a transaction as a request has it; nothing here asserts anything about time.
"""

import time
from collections.abc import Callable
from uuid import uuid4

import psycopg
import pytest

from socialflow.media import library
from socialflow.media.library_repository import _PAGES
from socialflow.media.listing import Filters, Mark, Ordering, Part
from socialflow.media.model import State
from socialflow.platform.clock import now
from socialflow.platform.database import Transaction, transaction
from socialflow.platform.tenancy import Tenant
from socialflow.publishing import usage
from tests.benchmarks.conftest import Tell

pytestmark = pytest.mark.benchmark

MANY = 100_000
CALLS = 30
ITEMS = f"""
INSERT INTO t_acme.media_items (id, state, percent, file_name, title, declared_type, declared_size, size, object_key,
                                upload_expires_at, created_by, created_at, captured_at, tags, colour_names)
SELECT gen_random_uuid(),
       CASE WHEN g % 100 = 0 THEN 'refused' WHEN g % 10 = 0 THEN 'in_review' ELSE 'approved' END, 100,
       'IMG_' || lpad(((g * 7919) % {MANY})::text, 6, '0') || '.jpg', 'Title of number ' || g,
       CASE WHEN g % 20 = 0 THEN 'video/mp4' ELSE 'image/jpeg' END, 1000 + g, 1000 + (g * 31) % {MANY}, 'k', now(),
       ('00000000-0000-7000-8000-' || lpad((g % 50)::text, 12, '0'))::uuid, now() - g * interval '5 min',
       CASE WHEN g % 4 > 0 THEN now() - g * interval '7 min' END,
       ARRAY['tag ' || g % 200, 'tag ' || g % 7], ARRAY[(ARRAY['red', 'blue', 'green', 'brown'])[1 + g % 4]]
  FROM generate_series(1, {MANY}) g
"""
POSTS = """
WITH p AS (INSERT INTO t_acme.posts (id, state, approval_required, content_hash, request_sha256, created_by)
           SELECT gen_random_uuid(), 'published', false, '', '', gen_random_uuid() FROM generate_series(1, 20000)
           RETURNING id),
     numbered AS (SELECT id, row_number() OVER () AS n FROM p),
     media AS (SELECT id, row_number() OVER (ORDER BY created_at) AS n FROM t_acme.media_items LIMIT 20000)
INSERT INTO t_acme.post_media SELECT numbered.id, 0, media.id, '{}' FROM numbered JOIN media USING (n)
"""


def test_a_library_of_a_hundred_thousand(acme: Tenant, superuser: psycopg.Connection, tell: Tell) -> None:
    superuser.execute(ITEMS)
    superuser.execute(POSTS)
    superuser.execute("ANALYZE t_acme.media_items, t_acme.post_media, t_acme.posts")
    tell("A page of fifty in each order, the first and one in the middle", _orders(acme))
    tell("The newest fifty through a filter", _filters(acme))
    tell("Counts, tags, and a hundred at once", _rest(acme))


def _orders(acme: Tenant) -> dict[str, list[float]]:
    took = {}
    for ordering in _PAGES:
        with transaction(acme) as tx:
            middle = library.page(tx, Filters(), Part(ordering, None, 200), at=now())[-1]
        mark = Mark.of(middle, ordering.sort)
        name = f"{ordering.sort} {ordering.direction}"
        took[f"{name}, first"] = _measured(acme, _page(Filters(), ordering))
        took[f"{name}, further"] = _measured(acme, _page(Filters(), ordering, mark))
    return took


def _filters(acme: Tenant) -> dict[str, list[float]]:
    asked = {
        "in review": Filters(states=(State.IN_REVIEW,)),
        "refused (1 %)": Filters(states=(State.REFUSED,)),
        "a tag (0.5 %)": Filters(tags=("tag 101",)),
        "two tags": Filters(tags=("tag 101", "tag 3")),
        "a tag that nobody has": Filters(tags=("nobody",)),
        "a colour": Filters(colour="brown"),
        "a colour that nobody has": Filters(colour="pink"),
        "used (20 %, the oldest)": Filters(used=True),
        "unused": Filters(used=False),
        "text that is found": Filters(text="number 99"),
        "text that is not": Filters(text="nowhere"),
    }
    return {name: _measured(acme, _page(filters, Ordering())) for name, filters in asked.items()}


def _rest(acme: Tenant) -> dict[str, list[float]]:
    with transaction(acme) as tx:
        ids = [item.id for item in library.page(tx, Filters(), Part(Ordering(), None, 100), at=now())]
    return {
        "counts": _measured(acme, library.counts),
        "tags": _measured(acme, lambda tx: library.tags(tx, beginning="", limit=50)),
        "tags that begin with tag 1": _measured(acme, lambda tx: library.tags(tx, beginning="tag 1", limit=50)),
        "where a hundred stand": _measured(acme, lambda tx: library.progress(tx, ids)),
        "which of a hundred are used": _measured(acme, lambda tx: usage.used(tx, ids)),
        "where a hundred nobodies stand": _measured(acme, lambda tx: library.progress(tx, [uuid4() for _ in ids])),
    }


def _page(filters: Filters, ordering: Ordering, mark: Mark | None = None) -> Callable[[Transaction], object]:
    return lambda tx: library.page(tx, filters, Part(ordering, mark, 51), at=now())


def _measured(acme: Tenant, call: Callable[[Transaction], object]) -> list[float]:
    took = []
    for _ in range(CALLS):
        began = time.monotonic()
        with transaction(acme) as tx:
            call(tx)
        took.append((time.monotonic() - began) * 1000)
    return took
