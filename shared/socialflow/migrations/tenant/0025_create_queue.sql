-- The weekly slots of a tenant's queue: one row, whose lock whoever takes a slot holds until the commit.
CREATE TABLE {s}.queues (
    name       text PRIMARY KEY CHECK (name = 'queue'),
    version    int NOT NULL,
    slots      jsonb NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);
SELECT cell.audit_table('{s}.queues', ':workspace', 'queue', 'queue', 'name', 'name', noise => 'updated_at');

ALTER TABLE {s}.posts ADD COLUMN slot text,   -- which slot its time is of; null: a time of its own
    ADD CONSTRAINT posts_slot_has_time CHECK (slot IS NULL OR due_at IS NOT NULL);
-- A slot comes round once at a time, and is one post's then; a post that was cancelled gives it back.
CREATE UNIQUE INDEX posts_one_per_slot ON {s}.posts (slot, due_at) WHERE slot IS NOT NULL AND state <> 'cancelled';
