-- What tenants share and people decide is audited too: exports, and kill switches. The cell has a chain for each tenant,
-- by its slug, and one of what concerns everybody, whose name is empty as the column is. They are not in the tenant's
-- own schema: an export would change what it writes.
SELECT {s}.audit_tables('{s}');
GRANT SELECT ON {s}.audit_log, {s}.audit_head TO sf_app;
GRANT SELECT ON {s}.audit_log TO sf_tenant;
ALTER TABLE {s}.audit_log ENABLE ROW LEVEL SECURITY;
CREATE POLICY everything ON {s}.audit_log FOR SELECT TO sf_app USING (true);
CREATE POLICY own ON {s}.audit_log FOR SELECT TO sf_tenant USING (chain = {s}.current_tenant());

SELECT {s}.audit_table('{s}.exports', 'tenant', 'export', 'export', 'id', noise => 'stage,percent,tries'),
       {s}.audit_table('{s}.switches', 'tenant', 'switch', 'switch', 'scope', keys => 'tenant,scope');

-- Says who acts, as the registry's does: a transaction of the application itself enters no tenant's role.
CREATE FUNCTION {s}.act_as(actor text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
    PERFORM set_config('socialflow.actor', actor, true);
END $$;
