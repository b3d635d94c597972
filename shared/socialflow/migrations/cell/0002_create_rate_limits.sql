-- How often each caller, and each tenant in all, has asked: one moment a key, by the generic cell rate algorithm. `tat`
-- is when all that was asked for is paid off; a row whose moment has passed says what no row says, and may go.
-- Not logged: what a crash forgets here is an allowance that is whole again, and no request waits for a disk.
CREATE UNLOGGED TABLE {s}.rate_limit (
    key text PRIMARY KEY,
    tat timestamptz NOT NULL
) WITH (fillfactor = 50);

-- Count one request against a key, or return NULL where a minute's allowance is used up. One statement, under the row's
-- lock: whoever comes at the same moment waits for it and counts on from there.
CREATE FUNCTION {s}.count_request(counted text, per_minute int) RETURNS timestamptz LANGUAGE sql AS $$
    INSERT INTO {s}.rate_limit AS r (key, tat)
    VALUES (counted, clock_timestamp() + interval '1 microsecond' * (60000000 / per_minute))
    ON CONFLICT (key) DO UPDATE
       SET tat = greatest(r.tat, clock_timestamp()) + interval '1 microsecond' * (60000000 / per_minute)
     WHERE greatest(r.tat, clock_timestamp()) + interval '1 microsecond' * (60000000 / per_minute)
           <= clock_timestamp() + interval '1 minute'
    RETURNING tat
$$;

-- Count a request against its caller and against its tenant (NULL: there is none), or against neither. Seconds by which
-- each is ahead; `refused_by` names whose allowance is used up. Always the caller's row first: no two wait for each
-- other. A wait that is too long is an error, and the request is let through.
CREATE FUNCTION {s}.take_turn(caller text, caller_rate int, tenant text, tenant_rate int,
    OUT refused_by text, OUT caller_ahead float8, OUT tenant_ahead float8)
LANGUAGE plpgsql SET lock_timeout = '500ms' AS $$
DECLARE
    caller_tat timestamptz := {s}.count_request(caller, caller_rate);
    tenant_tat timestamptz;
BEGIN
    IF caller_tat IS NULL THEN
        refused_by := 'caller';
        SELECT r.tat INTO caller_tat FROM {s}.rate_limit r WHERE r.key = caller;
    ELSIF tenant IS NOT NULL THEN
        tenant_tat := {s}.count_request(tenant, tenant_rate);
        IF tenant_tat IS NULL THEN
            refused_by := 'tenant';
            UPDATE {s}.rate_limit r SET tat = r.tat - interval '1 microsecond' * (60000000 / caller_rate)
             WHERE r.key = caller RETURNING r.tat INTO caller_tat;
            SELECT r.tat INTO tenant_tat FROM {s}.rate_limit r WHERE r.key = tenant;
        END IF;
    END IF;
    caller_ahead := greatest(0, extract(epoch FROM caller_tat - clock_timestamp()));
    tenant_ahead := greatest(0, extract(epoch FROM tenant_tat - clock_timestamp()));
END $$;

REVOKE ALL ON FUNCTION {s}.count_request(text, int), {s}.take_turn(text, int, text, int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {s}.count_request(text, int), {s}.take_turn(text, int, text, int) TO sf_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON {s}.rate_limit TO sf_app;
