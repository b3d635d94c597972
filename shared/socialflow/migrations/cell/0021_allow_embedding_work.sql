-- One more kind of work: the vectors of a media item.
ALTER TABLE {s}.work DROP CONSTRAINT work_kind_check;
ALTER TABLE {s}.work ADD CONSTRAINT work_kind_check CHECK (kind IN
    ('ingest', 'publish', 'export', 'rendition', 'digest', 'caption', 'embedding'));
