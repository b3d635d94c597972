-- What calls of long ago came to, by day (UTC): a call is kept for a month, and then added to its line here.
CREATE TABLE {s}.ai_usage (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant     text NOT NULL,
    day        date NOT NULL,
    model      text NOT NULL,
    member     uuid,
    key_owner  text NOT NULL CHECK (key_owner IN ('platform', 'tenant')),
    calls      bigint NOT NULL,
    answered   bigint NOT NULL,
    tokens_in  bigint NOT NULL,
    tokens_out bigint NOT NULL,
    micros     bigint NOT NULL,                 -- millionths of a US dollar
    latency_ms bigint NOT NULL,                 -- of all that were answered together
    CONSTRAINT ai_usage_has_one_line_of_each UNIQUE NULLS NOT DISTINCT (tenant, day, model, member, key_owner)
);
CREATE INDEX ai_calls_ended ON {s}.ai_calls (begun_at) WHERE state <> 'open';

GRANT SELECT, INSERT, UPDATE, DELETE ON {s}.ai_usage TO sf_app;
GRANT SELECT ON {s}.ai_usage TO sf_tenant;
ALTER TABLE {s}.ai_usage ENABLE ROW LEVEL SECURITY;
CREATE POLICY everything ON {s}.ai_usage TO sf_app USING (true) WITH CHECK (true);
CREATE POLICY own ON {s}.ai_usage TO sf_tenant USING (tenant = {s}.current_tenant());
