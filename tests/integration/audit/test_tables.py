"""Every table is audited, or has its reason here; what the registry and the cell have of the audit is the same."""

from collections.abc import Sequence

import psycopg
import pytest

from socialflow.platform.database import transaction
from socialflow.platform.ids import new_id
from socialflow.platform.tenancy import Tenant
from tests.integration.audit.ledger import lines, text_of
from tests.integration.conftest import Member

SHARED = {
    "outbox": "facts on their way out: what they tell of is audited",
    "outbox_shard": "who relays",
    "fact_seq": "numbers of facts",
    "work": "what is to be done: what comes of it is audited",
    "idempotency": "answers that were given",
    "rate_limit": "how often somebody asked",
    "usage": "counted in the transaction of what uses it, which is audited",
    "ai_budget": "counted by the call",
    "ai_usage": "sums of calls of long ago",
    "ai_calls": "each is a record by itself, and its text an audited caption",
}
"""Why what the tenants of a cell share is not audited."""
NOT_AUDITED = {
    "audit_log": "it is the audit",
    "audit_head": "it is the audit",
    "schema_migrations": "the migrator's own ledger",
    "webhook_receipts": "what has been taken: its effect is audited",
    "clerk_memberships": "what Clerk said last: what came of it is a member's row, which is audited",
    "migration_state": "how far a migration has come",
    "schema_target": "what the newest migration wants",
    "outbox": "facts on their way out: what they tell of is audited",
    "late_hooks": "addresses that come and never go: which one holds is in the tenant's own row, which is audited",
}
SECRETS = {
    "social_accounts": {"secret"},
    "account_connections": {"secret", "state_sha256"},
    "ai_keys": {"secret"},
    "late_keys": {"secret", "webhook_token", "webhook_secret"},
    "api_keys": {"secret_sha256"},
    "invitations": {"nonce", "token_sha256"},
    "support_grants": {"secret_sha256"},
}
_TRIGGERS = """
SELECT c.relname, array_agg(t.tgname::text ORDER BY t.tgname), bool_and(t.tgenabled = 'O'),
       bool_and(t.tginitdeferred OR t.tgname <> 'audit'), max(encode(t.tgargs, 'escape'))
  FROM pg_class c LEFT JOIN pg_trigger t ON t.tgrelid = c.oid AND t.tgname IN ('audit', 'audit_truncate')
 WHERE c.relnamespace = %s::regnamespace AND c.relkind IN ('r', 'p') GROUP BY 1 ORDER BY 1
"""


@pytest.mark.parametrize("place", ["t_acme", "t_contoso", "control", "cell"])
def test_a_table_is_audited_or_says_why_not(acme: Tenant, owner: psycopg.Connection, place: str) -> None:
    seen = set()
    for table, triggers, enabled, deferred, arguments in owner.execute(_TRIGGERS, (place,)).fetchall():
        if table in (NOT_AUDITED | SHARED if place == "cell" else NOT_AUDITED):
            continue
        seen.add(table)
        assert triggers == ["audit", "audit_truncate"], f"{place}.{table}: one line of a migration is missing"
        assert enabled, table
        assert deferred, f"{place}.{table}: the audit's lock is the last"
        assert set(filter(None, arguments.split("\\000")[6].split(","))) == SECRETS.get(table, set())
    assert seen


def test_the_registry_and_the_cell_have_the_same_functions(acme: Tenant, owner: psycopg.Connection) -> None:
    query = "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = %s::regnamespace AND proname LIKE 'audit%%'"

    def functions(place: str) -> Sequence[tuple[str, str]]:
        rows = owner.execute(query, (place,)).fetchall()
        return sorted((name, source.replace(f'"{place}".', "")) for name, source in rows)

    assert len(functions("cell")) == 5
    assert functions("cell") == functions("control")


def test_a_table_is_not_emptied_behind_the_audits_back(acme: Tenant, owner: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
        owner.execute("TRUNCATE t_acme.reviews")


def test_what_is_done_with_a_login_of_the_database_has_that_logins_name(
    acme: Tenant, owner: psycopg.Connection
) -> None:
    owner.execute("UPDATE control.tenants SET name = 'By hand' WHERE id = %s", (acme.id,))
    (line,) = lines(owner, "control", chain=str(acme.id))
    assert (line.actor_kind, line.actor_name, line.address) == ("operator", "sf_owner", "127.0.0.1")
    assert line.changes == {"name": ["Acme", "By hand"]}


def test_a_long_text_keeps_its_beginning_length_and_hash(acme: Tenant, owner: psycopg.Connection) -> None:
    query = (
        "INSERT INTO {s}.posts (id, state, text, variants, approval_required, content_hash, request_sha256, created_by)"
        " VALUES (%(id)s, 'draft', %(text)s, '{{}}', false, 'x', 'x', %(id)s)"
    )
    with transaction(acme) as tx:
        tx.execute(query, {"id": new_id(), "text": "ä" * 5_000})
        tx.execute(query, {"id": new_id(), "text": "ä" * 4_000})
    long, short = (line.changes["text"][1] for line in lines(owner))
    assert short == "ä" * 4_000
    assert (len(long["start"]), long["bytes"]) == (1_000, 10_000)
    expected = owner.execute("SELECT encode(sha256(convert_to(repeat('ä', 5000), 'UTF8')), 'hex')").fetchone()
    assert (long["sha256"],) == expected


def test_a_persons_own_name_is_in_the_chain_of_people(acme: Tenant, member: Member, owner: psycopg.Connection) -> None:
    assert member("viewer").patch("/v1/me", {"name": "Somebody Else"}).status == 200
    line = lines(owner, "control", chain="people")[-1]
    assert (line.action, line.actor_kind, line.actor_name) == ("user.update", "person", "Viewer of acme")
    assert line.changes["name"] == ["Viewer of acme", "Somebody Else"]


def test_a_key_is_made_and_revoked_without_a_trace_of_it(
    acme: Tenant, member: Member, owner: psycopg.Connection
) -> None:
    admin = member("admin")
    made = admin.post("/v1/api-keys", {"name": "For the shop", "scopes": ["media:read"]})
    assert made.status == 201, made
    assert admin.delete(f"/v1/api-keys/{made.json['id']}").status == 204
    created, revoked = lines(owner, "control", chain=str(acme.id))
    assert (created.action, created.actor_name) == ("api_key.create", "Admin of acme")
    assert created.changes["secret_sha256"] == [None, "(hidden)"]
    assert set(revoked.changes) == {"revoked_at", "revoked_by"}
    secret = made.json["key"].rpartition("_")[2]
    kept = owner.execute("SELECT encode(secret_sha256, 'hex') FROM control.api_keys").fetchone()
    assert kept is not None
    everything = text_of(owner, "control")
    assert secret not in everything
    assert kept[0] not in everything
