-- What a tenant pays for is audited; when Stripe was last asked is noise.
DO $do$ BEGIN
    IF to_regclass('{s}.billing') IS NOT NULL THEN
        PERFORM {s}.audit_table('{s}.billing', 'tenant_id', 'billing', 'tenant', 'tenant_id', keys => 'tenant_id',
                                noise => 'version,read_at');
    END IF;
END $do$;
