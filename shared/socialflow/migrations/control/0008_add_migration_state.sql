-- How the last attempt to migrate each tenant's schema went. How far the schema is says tenants.schema_version: the
-- version of everything that a schema consists of; '' is a tenant that has none yet.
CREATE TABLE {s}.migration_state (
    tenant_id    uuid PRIMARY KEY REFERENCES {s}.tenants (id) ON DELETE CASCADE,
    state        text NOT NULL CHECK (state IN ('running', 'done', 'failed')),
    error        text,
    attempted_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- What the newest migration wants every schema to be. Who provisions holds the row until the commit, so that a
-- migration begins only when nobody makes a tenant by older rules.
CREATE TABLE {s}.schema_target (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version  text NOT NULL,
    set_at   timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT ON {s}.migration_state, {s}.schema_target TO sf_app;
