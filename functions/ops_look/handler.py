"""Shows operators a tenant, one of its posts, or who is behind with migrations. It writes nothing."""

import json
from typing import Any
from uuid import UUID

from socialflow.errors import Invalid
from socialflow.platform import oversight, registry
from socialflow.platform.database import control, transaction
from socialflow.platform.operations import operation
from socialflow.platform.settings import DatabaseSettings
from socialflow.publishing import service, switches
from socialflow.tenants import migration

NEEDS = (DatabaseSettings,)


@operation(*NEEDS, anonymous=True)
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Take `{action: find, text}`, `{action: post, tenant, id}` or `{action: migrations|stopped}`; return what is."""
    plain: dict[str, Any] = json.loads(json.dumps({"outcome": "found", **_look(event)}, default=str))
    return plain


def _look(event: dict[str, Any]) -> dict[str, Any]:
    match event["action"]:
        case "find":
            rows = oversight.find(event["text"])
            if len(rows) == 1 or (rows and rows[0]["slug"] == event["text"]):
                return {"tenants": [rows[0] | oversight.usage(rows[0]["slug"], rows[0]["cell"])]}
            return {"tenants": rows}
        case "post":
            return _post(event["tenant"], event["id"])
        case "migrations":
            with control() as connection:
                connection.execute("SET TRANSACTION READ ONLY")
                return {"behind": migration.behind(connection)}
        case "stopped":
            return {"switches": switches.listed()}
        case other:
            raise ValueError(f"There is no action {other!r}")


def _post(slug: str, ident: str) -> dict[str, Any]:
    tenant = registry.named(slug)
    try:
        post_id = UUID(ident)
    except ValueError:
        raise Invalid(f"{ident!r} is no post's id: it is a UUID.") from None
    with transaction(tenant) as tx:
        tx.execute("SET TRANSACTION READ ONLY")
        detail = service.get(tx, post_id)
    post = detail.post
    return {
        "post": {"id": post.id, "state": post.state, "due_at": post.due_at, "version": post.version},
        "targets": [
            {
                "id": one.id,
                "network": one.network,
                "state": one.state,
                "tries": one.tries,
                "next_at": one.next_at,
                "lease": one.lease,
                "url": one.remote_url,
                "error": one.error_code,
            }
            for one in detail.targets
        ],
        "attempts": [
            {
                "target": one.target_id,
                "attempt": one.attempt,
                "started_at": one.started_at,
                "finished_at": one.finished_at,
                "outcome": one.outcome or "under way",
                "url": one.remote_url,
            }
            for one in detail.attempts
        ],
        "work": oversight.work_of(tenant, post_id),
    }
