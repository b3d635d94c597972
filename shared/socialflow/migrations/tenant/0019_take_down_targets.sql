-- What was published and is deleted at its network: the receipt stays, and says so.
ALTER TABLE {s}.targets ADD COLUMN deleted_at timestamptz, ADD COLUMN deleted_by uuid,
    ADD CONSTRAINT targets_deleted_by_somebody CHECK ((deleted_at IS NULL) = (deleted_by IS NULL)),
    ADD CONSTRAINT targets_deleted_was_published CHECK (deleted_at IS NULL OR state = 'published');
