-- What a tenant pays for, as Stripe said when it was last asked. Stripe has the truth; this is what follows from it.
CREATE TABLE {s}.billing (
    tenant_id    uuid PRIMARY KEY REFERENCES {s}.tenants (id) ON DELETE CASCADE,
    customer     text NOT NULL UNIQUE,
    version      int NOT NULL DEFAULT 0,          -- of two that ask Stripe at once, the one that read older state asks again
    subscription text,
    status       text NOT NULL DEFAULT 'none',
    granted      text NOT NULL DEFAULT 'free',    -- the plan that the subscription has given; another one was given by hand
    period_end   timestamptz,
    cancels_at   timestamptz,
    unpaid_since timestamptz,
    read_at      timestamptz
);
GRANT SELECT, INSERT, UPDATE ON {s}.billing TO sf_app;

-- The application has no right to write tenants; this it may: the plan of one, where it is what it was thought to be.
CREATE FUNCTION {s}.change_plan(tenant uuid, present text, wanted text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$ BEGIN
    UPDATE {s}.tenants SET plan = wanted WHERE id = tenant AND plan = present;
    RETURN FOUND;
END $$;
REVOKE ALL ON FUNCTION {s}.change_plan(uuid, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {s}.change_plan(uuid, text, text) TO sf_app;
