-- What machines sign in with. A key is one tenant's, and may do what its scopes and its maker's role both allow.
-- `secret_sha256` needs no slow hash: the secret is 256 random bits, which nobody guesses however fast a guess is.
-- `created_by` is no foreign key: a key outlives its maker's account, to be named as an author and to say why it fails.
CREATE TABLE {s}.api_keys (
    id             uuid PRIMARY KEY,
    tenant_id      uuid NOT NULL REFERENCES {s}.tenants (id) ON DELETE CASCADE,
    prefix         text NOT NULL UNIQUE CHECK (prefix ~ '^[0-9a-f]{{16}}$'),
    secret_sha256  bytea NOT NULL CHECK (length(secret_sha256) = 32),
    name           text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    scopes         text[] NOT NULL CHECK (cardinality(scopes) > 0),
    created_by     uuid NOT NULL,
    created_at     timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL CHECK (expires_at <= created_at + interval '1 year 1 day'),
    last_used_at   timestamptz,
    revoked_at     timestamptz,
    revoked_by     uuid,
    -- The request that made it: its answer has the secret and is kept nowhere, so that a repeat is told so instead.
    request_key    text,
    request_sha256 bytea,
    CONSTRAINT api_keys_one_per_request UNIQUE (tenant_id, created_by, request_key)
);
CREATE INDEX api_keys_by_time ON {s}.api_keys (tenant_id, created_at DESC, id DESC);

-- What a key may do and what it is proved by cannot be changed: it is made anew.
GRANT SELECT, INSERT, UPDATE (last_used_at, revoked_at, revoked_by) ON {s}.api_keys TO sf_app;
