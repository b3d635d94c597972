-- Who exists: tenants, people and who belongs where. One cluster holds it.
CREATE TABLE {s}.tenants (
    id             uuid PRIMARY KEY,
    slug           text NOT NULL UNIQUE CHECK (slug ~ '^[a-z][a-z0-9_]{{1,38}}$'),
    name           text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    status         text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended', 'deleted')),
    plan           text NOT NULL DEFAULT 'free',
    settings       jsonb NOT NULL DEFAULT '{{}}',
    cell           text NOT NULL DEFAULT 'cell-1',
    schema_version text NOT NULL DEFAULT '',
    created_at     timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE {s}.users (
    id         uuid PRIMARY KEY,
    issuer     text NOT NULL,
    subject    text NOT NULL,
    email      text NOT NULL DEFAULT '',
    name       text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT users_one_per_subject UNIQUE (issuer, subject)
);

CREATE TABLE {s}.members (
    tenant_id  uuid NOT NULL REFERENCES {s}.tenants (id) ON DELETE CASCADE,
    user_id    uuid NOT NULL REFERENCES {s}.users (id) ON DELETE CASCADE,
    role       text NOT NULL CHECK (role IN ('owner', 'admin', 'editor', 'viewer')),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, user_id)
);
CREATE INDEX members_by_user ON {s}.members (user_id);

GRANT USAGE ON SCHEMA {s} TO sf_app;
GRANT SELECT ON {s}.tenants, {s}.members TO sf_app;
GRANT SELECT, INSERT, UPDATE ON {s}.users TO sf_app;
