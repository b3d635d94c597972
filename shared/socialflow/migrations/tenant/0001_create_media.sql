CREATE TABLE {s}.media_items (
    id               uuid PRIMARY KEY,
    version          int NOT NULL DEFAULT 1,
    state            text NOT NULL CHECK (state IN
        ('awaiting_upload', 'processing', 'in_review', 'approved', 'rejected', 'expired', 'refused', 'deleted')),
    stage            text NOT NULL DEFAULT 'uploaded' CHECK (stage IN
        ('uploaded', 'inspecting', 'processing', 'embedding', 'captioning', 'in_review', 'done')),
    percent          int NOT NULL DEFAULT 0 CHECK (percent BETWEEN 0 AND 100),
    file_name        text NOT NULL CHECK (length(file_name) BETWEEN 1 AND 255),
    declared_type    text NOT NULL,
    declared_size    bigint NOT NULL CHECK (declared_size > 0),
    object_key       text NOT NULL,
    object_version   text,          -- pinned when inspected: the only version that is ever served
    content_type     text,
    size             bigint,
    sha256           bytea,
    width            int,           -- as a person sees it: after the orientation
    height           int,
    captured_at      timestamp,     -- the camera's wall clock; it has no zone
    camera           text,
    refusal_code     text,
    refusal_detail   text,
    inspections      int NOT NULL DEFAULT 0,   -- begun and not yet survived: a file that kills its worker is given up
    upload_expires_at timestamptz NOT NULL,
    created_by       uuid NOT NULL,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX media_items_by_time ON {s}.media_items (created_at DESC, id DESC);
CREATE INDEX media_items_by_state ON {s}.media_items (state, created_at DESC, id DESC);

CREATE TABLE {s}.derivatives (
    media_id       uuid NOT NULL REFERENCES {s}.media_items (id) ON DELETE CASCADE,
    variant        text NOT NULL CHECK (variant IN ('thumb', 'small', 'medium', 'large')),
    object_key     text NOT NULL,
    object_version text NOT NULL,
    content_type   text NOT NULL,
    width          int NOT NULL,
    height         int NOT NULL,
    size           bigint NOT NULL,
    sha256         bytea NOT NULL,
    PRIMARY KEY (media_id, variant)
);

-- A wish for a caption, and what became of it: skipped ones say why.
CREATE TABLE {s}.caption_requests (
    id            uuid PRIMARY KEY,
    media_id      uuid NOT NULL REFERENCES {s}.media_items (id) ON DELETE CASCADE,
    state         text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'written', 'skipped')),
    prompt        text NOT NULL DEFAULT '' CHECK (length(prompt) <= 1000),
    reason        text,
    reason_detail text,
    requested_by  uuid NOT NULL,
    requested_at  timestamptz NOT NULL DEFAULT now(),
    settled_at    timestamptz,
    CONSTRAINT caption_requests_skipped_says_why CHECK (state <> 'skipped' OR reason IS NOT NULL)
);
CREATE INDEX caption_requests_by_media ON {s}.caption_requests (media_id, requested_at DESC);
CREATE UNIQUE INDEX caption_requests_one_open ON {s}.caption_requests (media_id) WHERE state = 'open';

-- Every version of a caption and who wrote it; rows are never changed.
CREATE TABLE {s}.captions (
    id          uuid PRIMARY KEY,
    media_id    uuid NOT NULL REFERENCES {s}.media_items (id) ON DELETE CASCADE,
    version     int NOT NULL,
    text        text NOT NULL,
    alt_text    text NOT NULL DEFAULT '',
    hashtags    text[] NOT NULL DEFAULT '{{}}',
    description text NOT NULL DEFAULT '',
    source      text NOT NULL CHECK (source IN ('ai', 'person', 'device')),
    model       text,
    author      uuid,
    request_id  uuid REFERENCES {s}.caption_requests (id),
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT captions_one_per_version UNIQUE (media_id, version),
    CONSTRAINT captions_one_per_request UNIQUE (request_id),
    CONSTRAINT captions_have_an_author CHECK (source = 'ai' OR author IS NOT NULL)
);

CREATE TABLE {s}.reviews (
    media_id        uuid PRIMARY KEY REFERENCES {s}.media_items (id) ON DELETE CASCADE,
    version         int NOT NULL DEFAULT 1,
    state           text NOT NULL DEFAULT 'open' CHECK (state IN
        ('open', 'approved', 'rejected', 'changes_requested', 'expired')),
    caption_id      uuid REFERENCES {s}.captions (id),   -- the version that the decision was about
    requested_at    timestamptz NOT NULL DEFAULT now(),
    expires_at      timestamptz NOT NULL,
    decided_at      timestamptz,
    decided_by      uuid,
    decided_by_name text,
    reason          text CHECK (length(reason) <= 2000)
);
CREATE INDEX reviews_by_state ON {s}.reviews (state, requested_at, media_id);
