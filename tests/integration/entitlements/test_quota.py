"""What a plan includes is what can be had: not one more, whoever comes at once, and nothing is lost on the way."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier

import psycopg
import pytest

from socialflow.accounts import service as accounts
from socialflow.accounts.model import Profile
from socialflow.entitlements import service
from socialflow.entitlements.model import LimitReached, Meter, limit
from socialflow.media import service as media
from socialflow.media import uploads
from socialflow.media.model import UnfitFile
from socialflow.media.upload_model import Announcement
from socialflow.platform import database
from socialflow.platform.clock import now
from socialflow.platform.database import Transaction, transaction
from socialflow.platform.ids import new_id
from socialflow.platform.settings import PublishSettings
from socialflow.platform.tenancy import Tenant
from socialflow.publishing import service as publishing
from socialflow.publishing.asking import Asked
from socialflow.publishing.model import Pace
from socialflow.publishing.planning import Known, Written
from socialflow.publishing.service import Order
from tests.integration.conftest import Member

WORKERS = 16
AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
MB = 1024**2


@pytest.fixture
def free(acme: Tenant, owner: psycopg.Connection) -> Tenant:
    """Acme on the free plan."""
    owner.execute("UPDATE control.tenants SET plan = 'free' WHERE id = %s", (acme.id,))
    return replace(acme, plan="free")


def at_once(tenant: Tenant, tries: int, use_case: Callable[[Transaction], object]) -> int:
    """Run a use case many times, sixteen at a time; return how often it was let through."""
    begin = Barrier(WORKERS)

    def work(share: int) -> int:
        done = 0
        begin.wait()
        for _ in range(share):
            try:
                with transaction(tenant) as tx:
                    use_case(tx)
                done += 1
            except LimitReached:
                pass
        database.forget()
        return done

    with ThreadPoolExecutor(WORKERS) as pool:
        return sum(pool.map(work, [tries // WORKERS] * WORKERS))


def used(tenant: Tenant, meter: Meter, at: datetime = AT) -> int:
    with transaction(tenant) as tx:
        return service.used(tx, at=at).get(meter, 0)


def fill(owner: psycopg.Connection, meter: str, n: int, period: str, tenant: str = "acme") -> None:
    owner.execute(
        "INSERT INTO cell.usage VALUES (%s, %s, %s, %s)"
        " ON CONFLICT (tenant, meter, period) DO UPDATE SET used = excluded.used",
        (tenant, meter, period, n),
    )


def announce(tx: Transaction, size: int, at: datetime) -> None:
    uploads.begin(tx, Announcement("harbour.jpg", "image/jpeg", size), media_id=None, by=new_id(), at=at)


def test_sixteen_at_once_never_take_more_than_there_is(free: Tenant) -> None:
    assert limit("free", "posts") == 100
    assert at_once(free, 160, lambda tx: service.take(tx, "posts", at=AT)) == 100
    assert used(free, "posts") == 100


def test_the_first_of_sixteen_is_not_let_through_twice(free: Tenant, owner: psycopg.Connection) -> None:
    fill(owner, "posts", 99, "2026-11")
    assert at_once(free, 16, lambda tx: service.take(tx, "posts", at=AT)) == 1


def test_sixteen_uploads_at_once_never_announce_more_bytes_than_there_are(
    free: Tenant, owner: psycopg.Connection
) -> None:
    room = limit("free", "storage_bytes")
    assert room is not None
    fill(owner, "storage_bytes", room - 10 * MB, "standing")
    assert at_once(free, 32, lambda tx: announce(tx, 2 * MB, now())) == 5
    count = owner.execute("SELECT count(*), sum(declared_size) FROM t_acme.media_items").fetchone()
    assert count == (5, 10 * MB)


def test_one_remote_account_connected_by_sixteen_at_once_counts_once(free: Tenant) -> None:
    profile = Profile("mastodon", "https://one.test", "1", "@one@one.test")
    assert at_once(free, 32, lambda tx: accounts.connect(tx, profile, b"-", by=new_id(), at=AT)) == 32
    assert used(free, "accounts") == 1


def test_sixteen_at_once_connect_no_more_accounts_than_there_are(free: Tenant, owner: psycopg.Connection) -> None:
    def connect(tx: Transaction) -> None:
        name = new_id().hex
        accounts.connect(tx, Profile("mastodon", f"https://{name}.test", "1", f"@{name}"), b"-", by=new_id(), at=AT)

    assert at_once(free, 32, connect) == limit("free", "accounts") == used(free, "accounts")
    assert owner.execute("SELECT count(*) FROM t_acme.social_accounts").fetchone() == (3,)


def test_sixteen_at_once_announce_no_more_uploads_than_there_are(free: Tenant, owner: psycopg.Connection) -> None:
    at = now()
    fill(owner, "uploads", 493, at.strftime("%Y-%m"))
    assert at_once(free, 32, lambda tx: announce(tx, 9, at)) == 7
    assert owner.execute("SELECT count(*) FROM t_acme.media_items").fetchone() == (7,)
    assert used(free, "uploads", at) == limit("free", "uploads")


def test_sixteen_at_once_make_no_more_posts_than_there_are(free: Tenant, owner: psycopg.Connection) -> None:
    at = now()
    fill(owner, "posts", 93, at.strftime("%Y-%m"))
    asked = Asked(new_id(), at, Pace.of(PublishSettings.from_env()))
    draft = Order(None, Written("At once"), (), None, b"a request")
    assert at_once(free, 32, lambda tx: publishing.create(tx, draft, Known(), asked)) == 7
    assert owner.execute("SELECT count(*) FROM t_acme.posts").fetchone() == (7,)
    assert used(free, "posts", at) == limit("free", "posts")


def test_what_fails_has_taken_nothing(free: Tenant) -> None:
    def fail_after_taking() -> None:
        with transaction(free) as tx:
            service.take(tx, "posts", at=AT)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_taking()
    assert used(free, "posts") == 0


def test_a_step_larger_than_what_is_left_takes_nothing(free: Tenant, owner: psycopg.Connection) -> None:
    fill(owner, "uploads", 498, "2026-11")
    with pytest.raises(LimitReached) as refused, transaction(free) as tx:
        service.take(tx, "uploads", 3, at=AT)
    assert refused.value.facts == {"meter": "uploads", "limit": 500, "used": 498, "asked": 3, "plan": "free"}
    assert used(free, "uploads") == 498


def test_a_first_step_larger_than_the_limit_takes_nothing(free: Tenant) -> None:
    with pytest.raises(LimitReached), transaction(free) as tx:
        service.take(tx, "posts", 101, at=AT)
    assert used(free, "posts") == 0


def test_a_month_begins_at_midnight_of_utc_wherever_the_clock_stands(free: Tenant, owner: psycopg.Connection) -> None:
    fill(owner, "posts", 100, "2026-11")
    last = datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC)
    with pytest.raises(LimitReached), transaction(free) as tx:
        service.take(tx, "posts", at=last)
    with transaction(free) as tx:
        service.take(tx, "posts", at=last + timedelta(seconds=1))
    assert used(free, "posts", last + timedelta(seconds=1)) == 1


def test_what_stands_does_not_begin_anew(free: Tenant, owner: psycopg.Connection) -> None:
    fill(owner, "accounts", 3, "standing")
    with pytest.raises(LimitReached), transaction(free) as tx:
        service.take(tx, "accounts", at=AT + timedelta(days=40))


def test_more_is_never_given_back_than_was_taken(free: Tenant) -> None:
    with transaction(free) as tx:
        service.take(tx, "accounts", at=AT)
        service.give_back(tx, "accounts", 5, at=AT)
    assert used(free, "accounts") == 0


def test_nothing_is_too_much_for_a_plan_without_the_limit(acme: Tenant) -> None:
    with transaction(replace(acme, plan="enterprise")) as tx:
        service.take(tx, "posts", 10**9, at=AT)


def test_a_tenant_neither_sees_nor_counts_for_another(free: Tenant, contoso: Tenant, owner: psycopg.Connection) -> None:
    fill(owner, "posts", 100, "2026-11", tenant="contoso")
    with transaction(free) as tx:
        service.take(tx, "posts", at=AT)
        assert tx.value("SELECT count(*) FROM cell.usage") == 1
        assert tx.execute("UPDATE cell.usage SET used = 0 WHERE tenant = 'contoso'") == 0
    with pytest.raises(psycopg.errors.InsufficientPrivilege), transaction(free) as tx:
        tx.execute("INSERT INTO cell.usage VALUES ('contoso', 'uploads', 'standing', 0)")
    with pytest.raises(psycopg.errors.InsufficientPrivilege), transaction(free) as tx:
        tx.execute("DELETE FROM cell.usage")
    assert used(contoso, "posts") == 100


def warnings(owner: psycopg.Connection) -> list[dict[str, object]]:
    rows = owner.execute("SELECT data FROM cell.outbox WHERE type = 'tenant.plan.warning' ORDER BY position")
    return [row[0] for row in rows.fetchall()]


def test_the_step_over_four_fifths_is_told_once(free: Tenant, owner: psycopg.Connection) -> None:
    for _ in range(79):
        with transaction(free) as tx:
            service.take(tx, "posts", at=AT)
    assert warnings(owner) == []
    for _ in range(21):
        with transaction(free) as tx:
            service.take(tx, "posts", at=AT)
    assert warnings(owner) == [{"meter": "posts", "used": 80, "limit": 100, "period": "2026-11"}]


def test_announced_bytes_take_room_until_their_address_dies(free: Tenant, owner: psycopg.Connection) -> None:
    room = limit("free", "storage_bytes")
    assert room is not None
    fill(owner, "storage_bytes", room - 3 * MB, "standing")
    at = now()
    with transaction(free) as tx:
        announce(tx, 2 * MB, at)
        assert uploads.announced_bytes(tx, at=at) == 2 * MB
    with pytest.raises(LimitReached) as refused, transaction(free) as tx:
        announce(tx, 2 * MB, at)
    assert refused.value.facts["used"] == room - MB
    with transaction(free) as tx:
        announce(tx, 2 * MB, at + timedelta(days=1))


def test_an_upload_that_died_finds_no_room_by_being_announced_again(free: Tenant, owner: psycopg.Connection) -> None:
    room = limit("free", "storage_bytes")
    assert room is not None
    fill(owner, "storage_bytes", room - 3 * MB, "standing")
    mine, by, at = new_id(), new_id(), now()
    announced = Announcement("harbour.jpg", "image/jpeg", 2 * MB)
    with transaction(free) as tx:
        uploads.begin(tx, announced, media_id=mine, by=by, at=at)
    with transaction(free) as tx:
        announce(tx, 2 * MB, at + timedelta(days=1))
    with pytest.raises(LimitReached), transaction(free) as tx:
        uploads.begin(tx, announced, media_id=mine, by=by, at=at + timedelta(days=1))


def test_an_upload_announced_again_is_one_upload(free: Tenant) -> None:
    mine, by, at = new_id(), new_id(), now()
    announced = Announcement("harbour.jpg", "image/jpeg", MB)
    for _ in range(3):
        with transaction(free) as tx:
            uploads.begin(tx, announced, media_id=mine, by=by, at=at)
    with transaction(free) as tx:
        assert service.used(tx, at=at)["uploads"] == 1
        assert uploads.announced_bytes(tx, at=at) == MB


def test_bytes_that_have_come_stand_until_the_file_is_refused(free: Tenant, owner: psycopg.Connection) -> None:
    mine, at = new_id(), now()
    with transaction(free) as tx:
        uploads.begin(tx, Announcement("a.jpg", "image/jpeg", MB), media_id=mine, by=new_id(), at=at)
    for _ in range(2):  # the confirmation and the bucket's event
        with transaction(free) as tx:
            uploads.arrive(tx, mine, at=at)
    assert used(free, "storage_bytes") == MB
    owner.execute("UPDATE cell.work SET run = 1")
    for run in (0, 1, 1):  # an older run's refusal, the refusal, and a repetition of it
        with transaction(free) as tx:
            media.refuse(tx, mine, UnfitFile("unreadable", "No."), run=run, at=at)
    assert used(free, "storage_bytes") == 0
    with transaction(free) as tx:
        assert uploads.announced_bytes(tx, at=at) == 0
        assert service.used(tx, at=at)["uploads"] == 1  # its inspection was had


def test_a_disconnected_account_makes_room_and_takes_it_again(free: Tenant) -> None:
    profiles = [Profile("mastodon", f"https://{name}.test", "1", f"@one@{name}.test") for name in "abcd"]
    with transaction(free) as tx:
        first, *_ = [accounts.connect(tx, each, b"-", by=new_id(), at=AT)[0] for each in profiles[:3]]
        accounts.connect(tx, profiles[0], b"new", by=new_id(), at=AT)  # a new token is no new account
    with pytest.raises(LimitReached), transaction(free) as tx:
        accounts.connect(tx, profiles[3], b"-", by=new_id(), at=AT)
    with transaction(free) as tx:
        accounts.disconnect(tx, first.id, by=new_id(), at=AT)
        accounts.connect(tx, profiles[3], b"-", by=new_id(), at=AT)
    with pytest.raises(LimitReached), transaction(free) as tx:
        accounts.connect(tx, profiles[0], b"-", by=new_id(), at=AT)
    assert used(free, "accounts") == 3


def test_over_the_limit_the_api_refuses_more_and_keeps_what_is_there(
    free: Tenant, member: Member, owner: psycopg.Connection
) -> None:
    """As after a downgrade: everything can be read, nothing can be added."""
    editor = member("editor")
    draft = editor.post("/v1/posts", {"text": "Good evening", "media": [], "targets": [], "publish_at": None})
    assert draft.status == 201
    upload = editor.post("/v1/media/uploads", {"file_name": "a.jpg", "content_type": "image/jpeg", "size": 9})
    assert upload.status == 201
    month = now().strftime("%Y-%m")
    for meter in ("posts", "uploads"):
        fill(owner, meter, 5_000, month)
    again = editor.post("/v1/posts", {"text": "Good night", "media": [], "targets": [], "publish_at": None})
    assert (again.status, again.code, again.json["meter"]) == (402, "limit-reached", "posts")
    assert (again.json["limit"], again.json["used"], again.json["plan"]) == (100, 5_000, "free")
    more = editor.post("/v1/media/uploads", {"file_name": "b.jpg", "content_type": "image/jpeg", "size": 9})
    assert (more.status, more.json["meter"]) == (402, "uploads")
    assert len(editor.get("/v1/posts").json["items"]) == 1
    assert len(editor.get("/v1/media").json["items"]) == 1
    changed = editor.patch(f"/v1/posts/{draft.json['id']}", {"text": "Good morning"}, if_match='"1"')
    assert changed.status == 200


def test_a_refused_request_leaves_its_idempotency_key_free(
    free: Tenant, member: Member, owner: psycopg.Connection
) -> None:
    month = now().strftime("%Y-%m")
    fill(owner, "posts", 100, month)
    body: dict[str, object] = {"text": "Good evening", "media": [], "targets": [], "publish_at": None}
    editor = member("editor").with_headers(idempotency_key="one")
    assert editor.post("/v1/posts", body).status == 402
    fill(owner, "posts", 99, month)
    assert [editor.post("/v1/posts", body).status for _ in range(2)] == [201, 201]
    assert used(free, "posts", now()) == 100
