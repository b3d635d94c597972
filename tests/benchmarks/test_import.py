"""What a file of five hundred posts costs, by how much each row says: what the function does, in one process.

The database is on this machine: what its distance costs elsewhere follows from the number of statements. Nothing here
asserts anything about time.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from functions.api_posts.bulk import File, ImportOut
from socialflow.accounts import service as accounts
from socialflow.accounts.model import Profile
from socialflow.platform.clock import now
from socialflow.platform.database import snapshot, transaction
from socialflow.platform.ids import new_id
from socialflow.platform.settings import PublishSettings
from socialflow.platform.tenancy import Tenant
from socialflow.publishing.asking import Asked
from socialflow.publishing.model import Pace
from tests.benchmarks.conftest import Tell

pytestmark = pytest.mark.benchmark

ROWS = 500
NETWORKS = ("x", "mastodon", "bluesky", "linkedin", "threads")
DAILY = """
INSERT INTO t_acme.queues (name, version, slots)
SELECT 'queue', 1, jsonb_agg(jsonb_build_object('weekday', d, 'local_time', '09:00', 'zone', 'Europe/Berlin',
                                                'account_id', null, 'network', null))
  FROM unnest('{monday,tuesday,wednesday,thursday,friday,saturday,sunday}'::text[]) d
"""


@dataclass(frozen=True)
class Shape:
    """What each row says: how many accounts, how long a text, whether a picture, and when."""

    name: str
    accounts: int
    signs: int
    picture: bool = False
    at: str = "time"

    def file(self, ids: list[str], pictures: list[str]) -> bytes:
        """Return a file of such rows."""
        lines = ["text,publish_at,accounts,media"]
        for row in range(ROWS):
            when = f"2027-03-01T09:{row // 60:02}:{row % 60:02}Z" if self.at == "time" else self.at
            said = f"{row:05} " + "Opén häuse, 🎉 " * self.signs
            lines.append(f'"{said[: self.signs]}",{when},{";".join(ids)},{pictures[row % 20] if pictures else ""}')
        return "\n".join(lines).encode()


SHAPES = [
    Shape("drafts", 0, 100, at=""),
    Shape("one account", 1, 280),
    Shape("one account, in the queue", 1, 280, at="next_slot"),
    Shape("three accounts, a picture", 3, 250, picture=True),
    Shape("five accounts, as much text as a file has", 5, 1_350),
]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
@pytest.mark.usefixtures("cloud")
def test_five_hundred_rows(shape: Shape, acme: Tenant, superuser: psycopg.Connection, tell: Tell) -> None:
    pictures = [_picture(superuser) for _ in range(20)] if shape.picture else []
    sent = shape.file([_account(acme, index) for index in range(shape.accounts)], pictures)
    if shape.at == "next_slot":
        superuser.execute(DAILY)
    took: dict[str, list[float]] = {}
    _timed(took, "dry run", lambda: _looked(acme, sent))
    with _counted() as statements:
        made, commit = _timed(took, "import", lambda: _brought(acme, sent))
    took["of it the commit, with the audit"] = [commit * 1000]
    again, _ = _timed(took, "the same file again", lambda: _brought(acme, sent))
    assert (made.new, again.there) == (ROWS, ROWS)
    answer = len(made.model_dump_json())
    tell(f"{shape.name}: {len(sent):,} bytes, {statements[0]:,} statements, {answer:,} bytes of answer", took)


def _looked(acme: Tenant, sent: bytes) -> ImportOut:
    with snapshot(acme) as tx:
        found = File(sent).look(tx, _asked())
    assert found.fits
    return found


def _brought(acme: Tenant, sent: bytes) -> tuple[ImportOut, float]:
    with transaction(acme) as tx:
        made = File(sent).bring(tx, _asked())
        began = time.perf_counter()
    return made, time.perf_counter() - began


def _timed(took: dict[str, list[float]], name: str, errand: Callable[[], Any]) -> Any:
    began, used = time.perf_counter(), time.process_time()
    done = errand()
    took[name] = [(time.perf_counter() - began) * 1000]
    took[f"{name}, our processor"] = [(time.process_time() - used) * 1000]
    return done


def _asked() -> Asked:
    return Asked(new_id(), now(), Pace.of(PublishSettings.from_env()))


def _account(acme: Tenant, index: int) -> str:
    own = {"max_characters": 5_000}  # so that what is long fits
    profile = Profile(NETWORKS[index], "https://no-such-server.invalid", str(index), f"@a{index}", own)
    with transaction(acme) as tx:
        return str(accounts.connect(tx, profile, b"", by=new_id(), at=now())[0].id)


def _picture(superuser: psycopg.Connection) -> str:
    media_id = new_id()
    superuser.execute(
        "INSERT INTO t_acme.media_items (id, state, file_name, declared_type, declared_size, object_key,"
        " upload_expires_at, created_by) VALUES (%s, 'approved', 'a.jpg', 'image/jpeg', 1, 'k', now(), %s)",
        (media_id, new_id()),
    )
    superuser.execute(
        "INSERT INTO t_acme.derivatives VALUES (%s, 'large', 'k', 'v', 'image/jpeg', 640, 480, 9000, %s)",
        (media_id, media_id.bytes * 2),
    )
    return str(media_id)


@contextmanager
def _counted() -> Iterator[list[int]]:
    """Count what goes to the database."""
    counted, execute = [0], psycopg.Cursor.execute

    def counting(self: Any, *args: Any, **more: Any) -> Any:
        counted[0] += 1
        return execute(self, *args, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psycopg.Cursor, "execute", counting)
        yield counted
