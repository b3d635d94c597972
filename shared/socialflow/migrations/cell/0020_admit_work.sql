-- Which runs are under way, so that no more are begun than there is room for: see the decision "Begun as there is room".
-- `begun_at` is set when a run is started, and taken back when it waits for a person, fails, or is at rest.
ALTER TABLE {s}.work ADD COLUMN begun_at timestamptz;
CREATE INDEX work_under_way ON {s}.work (kind, tenant) WHERE begun_at IS NOT NULL;
CREATE INDEX work_by_tenant ON {s}.work (kind, tenant, wake_at) WHERE wake_at IS NOT NULL;
