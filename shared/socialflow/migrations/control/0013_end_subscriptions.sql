-- A deleted tenant is charged no more: see the decision "A deleted tenant's subscription ends with what is paid for".
-- What was ended because the tenant was deleted; restoring it takes back these, and none that it ended itself.
ALTER TABLE {s}.billing ADD COLUMN ended text[] NOT NULL DEFAULT '{{}}';

-- It outlives the purge, until Stripe has been told: without it nobody would know whom to end.
ALTER TABLE {s}.billing DROP CONSTRAINT billing_tenant_id_fkey,
    ADD CONSTRAINT billing_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES {s}.tenants (id);

-- The application has no right to delete what is paid for; this it may: what belonged to a tenant that is purged.
CREATE FUNCTION {s}.forget_billing(tenant uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$ BEGIN
    DELETE FROM {s}.billing b USING {s}.tenants t
     WHERE b.tenant_id = tenant AND t.id = tenant AND t.purged_at IS NOT NULL;
    RETURN FOUND;
END $$;
REVOKE ALL ON FUNCTION {s}.forget_billing(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {s}.forget_billing(uuid) TO sf_app;
