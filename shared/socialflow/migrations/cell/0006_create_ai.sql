-- What a tenant spends on models in a month (UTC), by whose keys. A call reserves the most that it may come to and is
-- settled by what it came to: whoever comes at the same moment waits for the row, and finds the reservation in it.
-- `warned_for` and `exceeded_for` name the cap that the tenant was told of: a new cap is told of again.
CREATE TABLE {s}.ai_budget (
    tenant          text NOT NULL,
    period          text NOT NULL CHECK (period ~ '^[0-9]{{4}}-[0-9]{{2}}$'),
    key_owner       text NOT NULL CHECK (key_owner IN ('platform', 'tenant')),
    spent_micros    bigint NOT NULL DEFAULT 0 CHECK (spent_micros >= 0),   -- millionths of a US dollar
    reserved_micros bigint NOT NULL DEFAULT 0 CHECK (reserved_micros >= 0),
    spent_tokens    bigint NOT NULL DEFAULT 0 CHECK (spent_tokens >= 0),
    reserved_tokens bigint NOT NULL DEFAULT 0 CHECK (reserved_tokens >= 0),
    warned_for      text,
    exceeded_for    text,
    PRIMARY KEY (tenant, period, key_owner)
) WITH (fillfactor = 50);

-- Every call of a model: open while it is reserved, then what it used and how it ended. One that nobody has settled in
-- time is lost, and counted in full, as its provider may bill it.
CREATE TABLE {s}.ai_calls (
    id              uuid PRIMARY KEY,
    tenant          text NOT NULL,
    period          text NOT NULL,
    purpose         text NOT NULL CHECK (purpose IN ('caption', 'embedding')),
    subject         uuid NOT NULL,
    member          uuid,
    model           text NOT NULL,
    key_owner       text NOT NULL CHECK (key_owner IN ('platform', 'tenant')),
    state           text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'settled', 'lost')),
    reserved_micros bigint NOT NULL CHECK (reserved_micros >= 0),
    reserved_tokens bigint NOT NULL CHECK (reserved_tokens >= 0),
    micros          bigint NOT NULL DEFAULT 0 CHECK (micros >= 0),
    tokens_in       bigint NOT NULL DEFAULT 0 CHECK (tokens_in >= 0),
    tokens_out      bigint NOT NULL DEFAULT 0 CHECK (tokens_out >= 0),
    latency_ms      int,
    outcome         text,
    begun_at        timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    settled_at      timestamptz,
    CONSTRAINT ai_calls_settled_says_how CHECK ((state = 'open') = (outcome IS NULL))
);
CREATE INDEX ai_calls_open ON {s}.ai_calls (expires_at) WHERE state = 'open';
CREATE INDEX ai_calls_by_time ON {s}.ai_calls (tenant, begun_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON {s}.ai_budget, {s}.ai_calls TO sf_app;
GRANT SELECT, INSERT, UPDATE ON {s}.ai_budget, {s}.ai_calls TO sf_tenant;
ALTER TABLE {s}.ai_budget ENABLE ROW LEVEL SECURITY;
ALTER TABLE {s}.ai_calls ENABLE ROW LEVEL SECURITY;
CREATE POLICY everything ON {s}.ai_budget TO sf_app USING (true) WITH CHECK (true);
CREATE POLICY everything ON {s}.ai_calls TO sf_app USING (true) WITH CHECK (true);
CREATE POLICY own ON {s}.ai_budget TO sf_tenant
    USING (tenant = {s}.current_tenant()) WITH CHECK (tenant = {s}.current_tenant());
CREATE POLICY own ON {s}.ai_calls TO sf_tenant
    USING (tenant = {s}.current_tenant()) WITH CHECK (tenant = {s}.current_tenant());

-- Book the next turn under a key, as `count_request` counts one: the seconds until it comes, or NULL where that would be
-- more than `longest`, and nothing is booked. Who waits so long need not ask again: turns come one after another.
CREATE FUNCTION {s}.book_turn(counted text, per_minute int, longest float8) RETURNS float8 LANGUAGE sql AS $$
    WITH booked AS (
        INSERT INTO {s}.rate_limit AS r (key, tat)
        VALUES (counted, clock_timestamp() + interval '1 microsecond' * (60000000 / per_minute))
        ON CONFLICT (key) DO UPDATE
           SET tat = greatest(r.tat, clock_timestamp()) + interval '1 microsecond' * (60000000 / per_minute)
         WHERE greatest(r.tat, clock_timestamp()) + interval '1 microsecond' * (60000000 / per_minute)
               <= clock_timestamp() + interval '1 minute' + interval '1 second' * longest
        RETURNING tat)
    SELECT greatest(0, extract(epoch FROM tat - clock_timestamp()) - 60)::float8 FROM booked
$$;
REVOKE ALL ON FUNCTION {s}.book_turn(text, int, float8) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {s}.book_turn(text, int, float8) TO sf_app;
