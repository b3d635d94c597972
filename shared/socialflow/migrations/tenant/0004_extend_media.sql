-- What a library asks of a media item, what videos have, and pictures and videos cut for a network.
ALTER TABLE {s}.media_items
    ADD COLUMN kind text GENERATED ALWAYS AS (split_part(declared_type, '/', 1)) STORED,   -- image or video
    ADD COLUMN title text NOT NULL DEFAULT '' CHECK (length(title) <= 200),
    ADD COLUMN alt_text text NOT NULL DEFAULT '' CHECK (length(alt_text) <= 2000),
    ADD COLUMN tags text[] NOT NULL DEFAULT '{{}}',
    ADD COLUMN focal_x real CHECK (focal_x BETWEEN 0 AND 1),   -- what a crop keeps, from the left and from the top,
    ADD COLUMN focal_y real CHECK (focal_y BETWEEN 0 AND 1),   -- as a part of what a person sees
    ADD COLUMN declared_sha256 bytea CHECK (length(declared_sha256) = 32),
    ADD COLUMN upload_id text,                 -- of an upload in parts that is under way
    ADD COLUMN part_size bigint,
    ADD COLUMN animated boolean NOT NULL DEFAULT false,
    ADD COLUMN dhash bit(64),                  -- near-duplicates differ in a few bits
    ADD COLUMN blurhash text,
    ADD COLUMN colours text[] NOT NULL DEFAULT '{{}}',        -- #rrggbb, the most of it first
    ADD COLUMN colour_names text[] NOT NULL DEFAULT '{{}}',   -- the same in words, to filter by
    ADD COLUMN duration_ms int CHECK (duration_ms >= 0),
    ADD COLUMN video_codec text,
    ADD COLUMN audio_codec text,               -- none: the video is silent
    ADD COLUMN frame_rate real,
    ADD COLUMN deleted_at timestamptz,         -- a tombstone: the row stays, so that clients learn of it
    ADD COLUMN deleted_by uuid,
    ADD CONSTRAINT media_items_focal_is_a_point CHECK ((focal_x IS NULL) = (focal_y IS NULL)),
    ADD CONSTRAINT media_items_deleted_says_when CHECK ((state = 'deleted') = (deleted_at IS NOT NULL));
CREATE INDEX media_items_by_sha256 ON {s}.media_items (sha256) WHERE sha256 IS NOT NULL;
CREATE INDEX media_items_by_tags ON {s}.media_items USING gin (tags);

ALTER TABLE {s}.derivatives DROP CONSTRAINT derivatives_variant_check,
    ADD CONSTRAINT derivatives_variant_check CHECK (variant IN
        ('thumb', 'small', 'medium', 'large', 'square', 'gif', 'preview'));

-- A media item cut and saved as a network takes it. What decides its bytes is in `spec`: the same wish is made once.
CREATE TABLE {s}.renditions (
    id             uuid PRIMARY KEY,
    media_id       uuid NOT NULL REFERENCES {s}.media_items (id) ON DELETE CASCADE,
    network        text NOT NULL,
    spec           jsonb NOT NULL,
    spec_sha256    bytea NOT NULL,
    state          text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'rendering', 'ready', 'refused')),
    percent        int NOT NULL DEFAULT 0 CHECK (percent BETWEEN 0 AND 100),
    reason_code    text,
    reason_detail  text,
    object_key     text,
    object_version text,
    content_type   text,
    width          int,
    height         int,
    duration_ms    int,
    size           bigint,
    sha256         bytea,
    requested_by   uuid NOT NULL,
    requested_at   timestamptz NOT NULL DEFAULT now(),
    settled_at     timestamptz,
    CONSTRAINT renditions_one_per_spec UNIQUE (media_id, spec_sha256),
    CONSTRAINT renditions_ready_is_there CHECK (state <> 'ready' OR object_version IS NOT NULL),
    CONSTRAINT renditions_refused_says_why CHECK (state <> 'refused' OR reason_code IS NOT NULL)
);

SELECT cell.audit_table('{s}.renditions', ':workspace', 'rendition', 'media', 'media_id', noise => 'percent');
