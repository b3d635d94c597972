-- Late's webhooks are repeated too, and taken once.
ALTER TABLE {s}.webhook_receipts DROP CONSTRAINT webhook_receipts_source_check,
    ADD CONSTRAINT webhook_receipts_source_check CHECK (source IN ('clerk', 'late', 'stripe'));
