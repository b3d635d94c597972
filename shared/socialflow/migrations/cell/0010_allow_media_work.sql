-- Two more kinds of work: a rendition is made, an original's SHA-256 is taken.
ALTER TABLE {s}.work DROP CONSTRAINT work_kind_check;
ALTER TABLE {s}.work ADD CONSTRAINT work_kind_check CHECK (kind IN
    ('ingest', 'publish', 'export', 'rendition', 'digest'));
