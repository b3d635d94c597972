"""The chain: append-only for everybody, and whatever is done to it in spite of that is found."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege
from psycopg.rows import class_row

from functions.ops_verify_audit.handler import handler as ops_verify_audit
from socialflow.audit.model import Row
from socialflow.platform import database
from socialflow.platform.acting import Actor, act_as
from socialflow.platform.database import Transaction, control, engine_room, transaction
from socialflow.platform.ids import new_id
from socialflow.platform.tenancy import Tenant

DRAFT = """
INSERT INTO {s}.posts (id, state, text, approval_required, content_hash, request_sha256, created_by)
VALUES (%(id)s, 'draft', %(text)s, false, 'hash', 'hash', %(id)s)
"""


def draft(tx: Transaction, text: str = "Good evening") -> Any:
    post_id = new_id()
    tx.execute(DRAFT, {"id": post_id, "text": text})
    return post_id


@pytest.fixture
def five(acme: Tenant) -> Tenant:
    """Acme, with five rows in its chain."""
    for number in range(5):
        with transaction(acme) as tx:
            draft(tx, f"post {number}")
    return acme


def verified(slug: str | None = "acme", **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = ops_verify_audit({"tenant": slug, **more} if slug else more, None)
    return answer


def test_a_chain_that_nobody_touched_is_intact(five: Tenant) -> None:
    answer = verified()
    assert (answer["outcome"], answer["first_bad"]) == ("intact", None)
    assert answer["heads"]["t_acme"]["seq"] == 5
    assert answer["rows"] >= 5


def test_every_chain_is_verified_where_no_tenant_is_named(five: Tenant, contoso: Tenant) -> None:
    with transaction(contoso) as tx:
        draft(tx)
    with control() as connection:
        connection.execute("INSERT INTO control.users (id, issuer, subject) VALUES (%s, 'i', 's')", (new_id(),))
    answer = verified(None)
    assert answer["outcome"] == "intact"
    assert {"t_acme", "t_contoso", "control/people"} <= set(answer["heads"])


FORGED = """
INSERT INTO t_acme.audit_log
SELECT chain, {seq}, gen_random_uuid(), at, actor_kind, actor_id, actor_name, request_id, address, action, subject_type,
       subject_id, item, changes, prev_hash, hash FROM t_acme.audit_log WHERE seq = {like}
"""
TAMPERED: dict[str, tuple[list[str], int, str]] = {
    "a value was changed": (
        ["UPDATE t_acme.audit_log SET changes = jsonb_set(changes, '{text,1}', '\"another\"') WHERE seq = 3"],
        3,
        "changed",
    ),
    "somebody else did it": (["UPDATE t_acme.audit_log SET actor_name = 'Eve' WHERE seq = 2"], 2, "changed"),
    "at another time": (["UPDATE t_acme.audit_log SET at = at + interval '1 us' WHERE seq = 5"], 5, "changed"),
    "by nobody's id": (["UPDATE t_acme.audit_log SET actor_id = gen_random_uuid() WHERE seq = 1"], 1, "changed"),
    "a row in the middle is gone": (["DELETE FROM t_acme.audit_log WHERE seq = 3"], 3, "missing"),
    "the first row is gone": (["DELETE FROM t_acme.audit_log WHERE seq = 1"], 1, "missing"),
    "the last row is gone": (["DELETE FROM t_acme.audit_log WHERE seq = 5"], 5, "missing"),
    "the last two are gone": (["DELETE FROM t_acme.audit_log WHERE seq > 3"], 4, "missing"),
    "all are gone": (["DELETE FROM t_acme.audit_log"], 1, "missing"),
    "a row was put at the end": ([FORGED.format(seq=6, like=5)], 6, "beyond-head"),
    "a row was put into a gap": (
        ["UPDATE t_acme.audit_log SET seq = 6 WHERE seq = 5", FORGED.format(seq=5, like=4)],
        5,
        "changed",
    ),
    "two rows were swapped": (
        [
            "UPDATE t_acme.audit_log SET seq = 99 WHERE seq = 2",
            "UPDATE t_acme.audit_log SET seq = 2 WHERE seq = 4",
            "UPDATE t_acme.audit_log SET seq = 4 WHERE seq = 99",
        ],
        2,
        "changed",
    ),
    "the numbers were closed over a gap": (
        ["DELETE FROM t_acme.audit_log WHERE seq = 3", "UPDATE t_acme.audit_log SET seq = seq - 1 WHERE seq > 3"],
        3,
        "changed",
    ),
    "the head was put back": (["UPDATE t_acme.audit_head SET seq = 4"], 4, "head-differs"),
    "the head is gone": (["DELETE FROM t_acme.audit_head"], 1, "no-head"),
    "the chain began otherwise": (["UPDATE t_acme.audit_head SET genesis = 'another'"], 1, "unlinked"),
}


@pytest.mark.parametrize("how", TAMPERED)
def test_tampering_is_found_where_it_was_done(five: Tenant, superuser: psycopg.Connection, how: str) -> None:
    statements, seq, reason = TAMPERED[how]
    for statement in statements:
        superuser.execute(statement)
    answer = verified()
    assert answer["outcome"] == "broken"
    assert answer["first_bad"] == {"chain": "t_acme", "seq": seq, "reason": reason}


def _rehash(superuser: psycopg.Connection, seq: int) -> None:
    """Give a row the hash that it would have had, as somebody would who has read how it is made."""
    query = "SELECT *, item::text AS item, changes::text AS changes FROM t_acme.audit_log WHERE seq = %s"
    with superuser.cursor(row_factory=class_row(Row)) as cursor:
        row = cursor.execute(query, (seq,)).fetchone()
    assert row is not None
    superuser.execute("UPDATE t_acme.audit_log SET hash = %s WHERE seq = %s", (row.digest(), seq))


def test_a_row_with_a_hash_of_its_own_no_longer_fits_the_next(five: Tenant, superuser: psycopg.Connection) -> None:
    superuser.execute("UPDATE t_acme.audit_log SET actor_name = 'Eve' WHERE seq = 2")
    _rehash(superuser, 2)
    assert verified()["first_bad"] == {"chain": "t_acme", "seq": 3, "reason": "unlinked"}


def test_the_last_row_with_a_hash_of_its_own_is_not_what_the_head_says(
    five: Tenant, superuser: psycopg.Connection
) -> None:
    superuser.execute("UPDATE t_acme.audit_log SET actor_name = 'Eve' WHERE seq = 5")
    _rehash(superuser, 5)
    assert verified()["first_bad"] == {"chain": "t_acme", "seq": 5, "reason": "head-differs"}


def _rewrite(superuser: psycopg.Connection) -> None:
    """Write the end of the chain anew, hashes and head: within the database nothing is left to compare it with."""
    superuser.execute("UPDATE t_acme.audit_log SET actor_name = 'Eve' WHERE seq = 4")
    _rehash(superuser, 4)
    superuser.execute(
        "UPDATE t_acme.audit_log SET prev_hash = (SELECT hash FROM t_acme.audit_log WHERE seq = 4) WHERE seq = 5"
    )
    _rehash(superuser, 5)
    superuser.execute("UPDATE t_acme.audit_head SET hash = (SELECT hash FROM t_acme.audit_log WHERE seq = 5)")


def test_a_chain_written_anew_does_not_contain_a_head_that_was_kept(
    five: Tenant, superuser: psycopg.Connection
) -> None:
    kept = verified()["heads"]
    _rewrite(superuser)
    assert verified()["outcome"] == "intact", "so far nobody could tell"
    answer = verified(anchor=kept)
    assert answer["first_bad"] == {"chain": "t_acme", "seq": 5, "reason": "anchor-differs"}


def test_a_chain_that_was_cut_with_its_head_is_shorter_than_what_was_kept(
    five: Tenant, superuser: psycopg.Connection
) -> None:
    kept = verified()["heads"]
    superuser.execute("TRUNCATE t_acme.audit_log, t_acme.audit_head")
    assert verified(anchor=kept)["first_bad"] == {"chain": "t_acme", "seq": 1, "reason": "anchor-differs"}
    assert verified(anchor={"t_contoso": {"seq": 9, "hash": "00"}})["outcome"] == "intact", "another chain's anchor"


def test_a_chain_goes_on_from_an_anchor(five: Tenant) -> None:
    kept = verified()["heads"]
    with transaction(five) as tx:
        draft(tx)
    assert verified(anchor=kept)["outcome"] == "intact"


def test_a_broken_chain_stops_no_other(five: Tenant, contoso: Tenant, superuser: psycopg.Connection) -> None:
    with transaction(contoso) as tx:
        draft(tx)
    superuser.execute("UPDATE t_acme.audit_log SET action = 'post.delete' WHERE seq = 2")
    superuser.execute("UPDATE t_contoso.audit_log SET action = 'post.delete' WHERE seq = 1")
    bad = {(each["chain"], each["seq"]) for each in verified(None)["bad"]}
    assert bad == {("t_acme", 2), ("t_contoso", 1)}


def test_a_chain_that_cannot_be_read_stops_no_other(
    five: Tenant, contoso: Tenant, superuser: psycopg.Connection
) -> None:
    superuser.execute("REVOKE SELECT ON t_acme.audit_log FROM t_acme_rw")
    try:
        answer = verified(None)
    finally:
        superuser.execute("GRANT SELECT ON t_acme.audit_log TO t_acme_rw")
    assert answer["bad"] == [{"chain": "t_acme", "seq": 0, "reason": "unreadable"}]


CHANGES = (
    "INSERT INTO {place}.audit_log SELECT * FROM {place}.audit_log",
    "UPDATE {place}.audit_log SET actor_name = 'Eve'",
    "DELETE FROM {place}.audit_log",
    "TRUNCATE {place}.audit_log",
    "UPDATE {place}.audit_head SET seq = 0",
    "DELETE FROM {place}.audit_head",
)


@pytest.mark.parametrize("statement", CHANGES)
def test_a_tenants_role_only_reads_the_audit(five: Tenant, statement: str) -> None:
    with pytest.raises(InsufficientPrivilege), transaction(five) as tx:
        tx.connection.execute(statement.format(place="t_acme"))


@pytest.mark.parametrize("statement", CHANGES)
def test_the_application_only_reads_the_registrys_audit(acme: Tenant, statement: str) -> None:
    with pytest.raises(InsufficientPrivilege), control() as connection:
        connection.execute(statement.format(place="control"))


@pytest.mark.parametrize("statement", CHANGES[1:4])
@pytest.mark.parametrize("place", ["t_acme", "control"])
def test_the_owner_of_the_database_is_refused_as_well(
    five: Tenant, owner: psycopg.Connection, place: str, statement: str
) -> None:
    with pytest.raises(InsufficientPrivilege, match="append-only"):
        owner.execute(statement.format(place=place))


@pytest.mark.parametrize("place", ["cell", "control"])
@pytest.mark.parametrize("call", ["audit_append('t_contoso', 'INSERT', '{}', '{}', '{}')", "audit_tables('t_acme')"])
def test_nobody_but_the_owner_calls_what_writes_it(acme: Tenant, place: str, call: str) -> None:
    with pytest.raises(InsufficientPrivilege), transaction(acme) as tx:
        tx.connection.execute(f"SELECT {place}.{call}")
    with pytest.raises(InsufficientPrivilege), engine_room() as connection:
        connection.execute(f"SELECT {place}.{call}")


def test_two_tenants_have_chains_of_their_own(five: Tenant, contoso: Tenant, owner: psycopg.Connection) -> None:
    with transaction(contoso) as tx:
        draft(tx)
    row = owner.execute("SELECT seq, prev_hash FROM t_contoso.audit_log").fetchall()
    genesis = owner.execute("SELECT genesis FROM t_contoso.audit_head").fetchone()
    assert genesis is not None
    assert row == [(1, genesis[0])]
    assert owner.execute("SELECT genesis FROM t_acme.audit_head").fetchone() != genesis


def test_a_row_of_another_tenants_chain_fits_nowhere(
    five: Tenant, contoso: Tenant, superuser: psycopg.Connection
) -> None:
    with transaction(contoso) as tx:
        draft(tx)
    superuser.execute("DELETE FROM t_acme.audit_log WHERE seq = 1")
    superuser.execute("INSERT INTO t_acme.audit_log SELECT * FROM t_contoso.audit_log")
    assert verified()["first_bad"] == {"chain": "t_acme", "seq": 1, "reason": "unlinked"}


def test_many_at_once_make_one_chain_without_a_gap_or_a_deadlock(
    acme: Tenant, contoso: Tenant, owner: psycopg.Connection
) -> None:
    with transaction(acme) as tx:
        shared = [draft(tx, "shared") for _ in range(3)]

    def work(worker: int) -> None:
        act_as(Actor("person", new_id(), f"worker {worker}", f"request-{worker}"))
        try:
            for turn in range(6):
                tenant = contoso if worker % 4 == 0 else acme
                with transaction(tenant) as tx:
                    mine = draft(tx, f"{worker}/{turn}")
                    if tenant is acme:  # all in one order, as the product's own locks are
                        for post_id in shared:
                            tx.execute("UPDATE {s}.posts SET text = text || 'x' WHERE id = %(id)s", {"id": post_id})
                    tx.execute("DELETE FROM {s}.posts WHERE id = %(id)s", {"id": mine})
        finally:
            database.forget()

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(16)))
    answer = verified(None)
    assert answer["outcome"] == "intact"
    assert answer["heads"]["t_acme"]["seq"] == 3 + 12 * 6 * 5
    assert answer["heads"]["t_contoso"]["seq"] == 4 * 6 * 2
    requests = owner.execute("SELECT DISTINCT actor_name, request_id FROM t_acme.audit_log WHERE seq > 3").fetchall()
    assert sorted(requests) == sorted((f"worker {n}", f"request-{n}") for n in range(16) if n % 4)
    times = [row[0] for row in owner.execute("SELECT at FROM t_acme.audit_log ORDER BY seq").fetchall()]
    assert times == sorted(set(times)), "a chain's order is its order in time"


def test_changes_of_two_chains_of_the_registry_do_not_deadlock(
    acme: Tenant, contoso: Tenant, owner: psycopg.Connection
) -> None:
    """Somebody joins two tenants in one transaction, whichever of them comes first."""
    users = [new_id() for _ in range(80)]
    for user_id in users:
        owner.execute("INSERT INTO control.users (id, issuer, subject) VALUES (%s, 'x', %s)", (user_id, str(user_id)))
    belong = "INSERT INTO control.members (tenant_id, user_id, role) VALUES (%s, %s, 'viewer')"

    def work(worker: int) -> None:
        with psycopg.connect(owner.info.dsn, password=owner.info.password, autocommit=True) as connection:
            for turn in range(10):
                places = (acme, contoso) if (worker + turn) % 2 else (contoso, acme)
                with connection.transaction():
                    for place in places:
                        connection.execute(belong, (place.id, users[worker * 10 + turn]))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert verified(None)["outcome"] == "intact"


def test_a_request_that_is_rolled_back_leaves_nothing(acme: Tenant, owner: psycopg.Connection) -> None:
    def stopped() -> None:
        with transaction(acme) as tx:
            draft(tx)
            raise LookupError

    with pytest.raises(LookupError):
        stopped()
    assert owner.execute("SELECT count(*) FROM t_acme.audit_log").fetchone() == (0,)
    with transaction(acme) as tx:
        draft(tx)
    assert verified()["heads"]["t_acme"]["seq"] == 1, "and no number is lost"
