-- How much of its plan a tenant has used: by the calendar month (UTC), or standing until it is given back. The row is
-- what two requests at once take turns at.
CREATE TABLE {s}.usage (
    tenant text NOT NULL,
    meter  text NOT NULL,
    period text NOT NULL CHECK (period ~ '^(standing|[0-9]{{4}}-[0-9]{{2}})$'),
    used   bigint NOT NULL CHECK (used >= 0),
    PRIMARY KEY (tenant, meter, period)
) WITH (fillfactor = 80);

GRANT SELECT, INSERT, UPDATE, DELETE ON {s}.usage TO sf_app;
GRANT SELECT, INSERT, UPDATE ON {s}.usage TO sf_tenant;
ALTER TABLE {s}.usage ENABLE ROW LEVEL SECURITY;
CREATE POLICY everything ON {s}.usage TO sf_app USING (true) WITH CHECK (true);
CREATE POLICY own ON {s}.usage TO sf_tenant USING (tenant = {s}.current_tenant()) WITH CHECK (tenant = {s}.current_tenant());
