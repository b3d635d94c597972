-- What must commit together with a tenant's rows: facts on their way out, work to be done, answers already given.
-- Tenant roles see only their own rows (row security by the role's name); sf_app, which relays and starts, sees all.
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'sf_tenant') THEN CREATE ROLE sf_tenant NOLOGIN; END IF;
END $$;
GRANT USAGE ON SCHEMA {s} TO sf_tenant, sf_app;

CREATE FUNCTION {s}.current_tenant() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT substring(current_user FROM '^t_(.*)_rw$')
$$;

CREATE FUNCTION {s}.enter_tenant_role(schema_name text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
    IF schema_name !~ '^t_[a-z][a-z0-9_]{{1,38}}$' OR to_regnamespace(quote_ident(schema_name)) IS NULL THEN
        RAISE EXCEPTION 'unknown tenant schema %', schema_name USING errcode = 'invalid_schema_name';
    END IF;
    -- Every wait has an end. Inside a function this does not pin a proxied connection; SET would.
    PERFORM set_config('statement_timeout', '15s', true), set_config('lock_timeout', '5s', true),
            set_config('idle_in_transaction_session_timeout', '30s', true);
    PERFORM set_config('role', schema_name || '_rw', true);
END $$;

CREATE TABLE {s}.outbox (
    position     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id           uuid NOT NULL UNIQUE,
    tenant       text NOT NULL,
    type         text NOT NULL,
    aggregate    text NOT NULL,
    aggregate_id uuid NOT NULL,
    seq          bigint NOT NULL,
    data         jsonb NOT NULL,
    occurred_at  timestamptz NOT NULL DEFAULT now(),
    attempts     int NOT NULL DEFAULT 0,
    parked_at    timestamptz,
    shard        smallint GENERATED ALWAYS AS ((hashtext(aggregate_id::text) & 2147483647) % 16) STORED
);
CREATE INDEX outbox_by_shard ON {s}.outbox (shard, position) WHERE parked_at IS NULL;

CREATE TABLE {s}.outbox_shard (shard smallint PRIMARY KEY);
INSERT INTO {s}.outbox_shard SELECT generate_series(0, 15);

-- The last number given to a fact of each aggregate: consumers order by it.
CREATE TABLE {s}.fact_seq (
    tenant       text NOT NULL,
    aggregate_id uuid NOT NULL,
    seq          bigint NOT NULL,
    PRIMARY KEY (tenant, aggregate_id)
) WITH (fillfactor = 80);

-- One row for each subject that has, or had, a workflow; without `wake_at` it is at rest, and kept for the number of its
-- last run. `token` is the doorbell of the run that waits for a person.
CREATE TABLE {s}.work (
    tenant    text NOT NULL,
    kind      text NOT NULL CHECK (kind IN ('ingest', 'publish')),
    id        uuid NOT NULL,
    run       int NOT NULL DEFAULT 0,
    wake_at   timestamptz,
    token     text,
    token_run int,
    PRIMARY KEY (tenant, kind, id)
) WITH (fillfactor = 80);
CREATE INDEX work_by_wake_at ON {s}.work (wake_at) WHERE wake_at IS NOT NULL;

CREATE TABLE {s}.idempotency (
    tenant      text NOT NULL,
    principal   text NOT NULL,
    route       text NOT NULL,
    key         text NOT NULL,
    body_sha256 bytea NOT NULL,
    status      int NOT NULL,
    headers     jsonb NOT NULL DEFAULT '{{}}',
    body        jsonb,
    expires_at  timestamptz NOT NULL,
    PRIMARY KEY (tenant, principal, route, key)
);
CREATE INDEX idempotency_by_expiry ON {s}.idempotency (expires_at);

-- Kill switches: scope is 'all', 'tenant' or a network's name; tenant '' means every tenant.
CREATE TABLE {s}.switches (
    tenant text NOT NULL DEFAULT '',
    scope  text NOT NULL,
    reason text NOT NULL,
    set_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant, scope)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON {s}.outbox, {s}.fact_seq, {s}.work, {s}.idempotency, {s}.switches TO sf_app;
GRANT SELECT, UPDATE ON {s}.outbox_shard TO sf_app;
GRANT INSERT ON {s}.outbox TO sf_tenant;
GRANT SELECT, INSERT, UPDATE ON {s}.fact_seq TO sf_tenant;
GRANT SELECT, INSERT, UPDATE ON {s}.work TO sf_tenant;
GRANT SELECT, INSERT, UPDATE, DELETE ON {s}.idempotency TO sf_tenant;
GRANT SELECT ON {s}.switches TO sf_tenant;

ALTER TABLE {s}.outbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.fact_seq ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.work ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.idempotency ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.switches ENABLE ROW LEVEL SECURITY;
CREATE POLICY everything ON {s}.outbox TO sf_app USING (true) WITH CHECK (true);
CREATE POLICY everything ON {s}.fact_seq TO sf_app USING (true) WITH CHECK (true);
CREATE POLICY everything ON {s}.work TO sf_app USING (true) WITH CHECK (true);
CREATE POLICY everything ON {s}.idempotency TO sf_app USING (true) WITH CHECK (true);
CREATE POLICY everything ON {s}.switches TO sf_app USING (true) WITH CHECK (true);
CREATE POLICY own ON {s}.outbox TO sf_tenant USING (tenant = {s}.current_tenant()) WITH CHECK (tenant = {s}.current_tenant());
CREATE POLICY own ON {s}.fact_seq TO sf_tenant USING (tenant = {s}.current_tenant()) WITH CHECK (tenant = {s}.current_tenant());
CREATE POLICY own ON {s}.work TO sf_tenant USING (tenant = {s}.current_tenant()) WITH CHECK (tenant = {s}.current_tenant());
CREATE POLICY own ON {s}.idempotency TO sf_tenant USING (tenant = {s}.current_tenant()) WITH CHECK (tenant = {s}.current_tenant());
CREATE POLICY own ON {s}.switches TO sf_tenant USING (tenant IN ('', {s}.current_tenant()));
