-- Whose address a webhook of Late's came to. The tenant's own row says whether it still holds.
CREATE TABLE {s}.late_hooks (
    token_sha256 bytea PRIMARY KEY CHECK (length(token_sha256) = 32),
    tenant_id    uuid NOT NULL REFERENCES {s}.tenants (id) ON DELETE CASCADE
);
GRANT SELECT, INSERT ON {s}.late_hooks TO sf_app;
