-- Exports of tenants: one row for each archive that was asked for, kept after the archive is gone.
CREATE TABLE {s}.exports (
    id              uuid PRIMARY KEY,
    tenant          text NOT NULL,
    state           text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'writing', 'ready', 'failed')),
    stage           text NOT NULL DEFAULT 'queued' CHECK (stage IN ('queued', 'rows', 'files', 'done')),
    percent         int NOT NULL DEFAULT 0 CHECK (percent BETWEEN 0 AND 100),
    tries           int NOT NULL DEFAULT 0,   -- begun and not yet survived
    object_key      text,
    object_version  text,
    size            bigint,
    sha256          bytea,
    manifest_sha256 bytea,
    error_code      text,
    error_detail    text,
    requested_by    uuid NOT NULL,
    requested_at    timestamptz NOT NULL,
    finished_at     timestamptz,
    expires_at      timestamptz,
    CONSTRAINT exports_ready_has_an_archive CHECK (state <> 'ready' OR (object_version IS NOT NULL
        AND size IS NOT NULL AND sha256 IS NOT NULL AND expires_at IS NOT NULL)),
    CONSTRAINT exports_failed_says_why CHECK (state <> 'failed' OR error_code IS NOT NULL)
);
CREATE UNIQUE INDEX exports_one_open ON {s}.exports (tenant) WHERE state IN ('queued', 'writing');
CREATE INDEX exports_by_time ON {s}.exports (tenant, requested_at DESC, id DESC);

ALTER TABLE {s}.work DROP CONSTRAINT work_kind_check;
ALTER TABLE {s}.work ADD CONSTRAINT work_kind_check CHECK (kind IN ('ingest', 'publish', 'export'));

GRANT SELECT, INSERT, UPDATE, DELETE ON {s}.exports TO sf_app;
GRANT SELECT, INSERT, UPDATE ON {s}.exports TO sf_tenant;
ALTER TABLE {s}.exports ENABLE ROW LEVEL SECURITY;
CREATE POLICY everything ON {s}.exports TO sf_app USING (true) WITH CHECK (true);
CREATE POLICY own ON {s}.exports TO sf_tenant
    USING (tenant = {s}.current_tenant()) WITH CHECK (tenant = {s}.current_tenant());
