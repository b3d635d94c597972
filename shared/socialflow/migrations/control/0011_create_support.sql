-- When an operator may look into a tenant, as its viewers see it: for some hours, for a reason, with a credential of
-- which the hash alone is kept. Only the owner of the database makes one, so no function that answers requests can.
-- `last_request` has the number of the request before it, so that each one is another value, and a row of the audit.
CREATE TABLE {s}.support_grants (
    id            uuid PRIMARY KEY,
    tenant_id     uuid NOT NULL REFERENCES {s}.tenants (id) ON DELETE CASCADE,
    operator      text NOT NULL CHECK (length(operator) BETWEEN 1 AND 200),
    reason        text NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
    prefix        text NOT NULL UNIQUE CHECK (prefix ~ '^[0-9a-f]{{16}}$'),
    secret_sha256 bytea NOT NULL CHECK (length(secret_sha256) = 32),
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL CHECK (expires_at <= created_at + interval '8 hours'),
    ended_at      timestamptz,
    ended_by      text,
    requests      int NOT NULL DEFAULT 0,
    last_request  text,
    last_used_at  timestamptz
);
CREATE INDEX support_grants_by_time ON {s}.support_grants (tenant_id, created_at DESC, id DESC);
GRANT SELECT, UPDATE (ended_at, ended_by, requests, last_request, last_used_at) ON {s}.support_grants TO sf_app;

SELECT {s}.audit_table('{s}.support_grants', 'tenant_id', 'support', 'support', 'id',
                       noise => 'requests,last_used_at', secrets => 'secret_sha256');
