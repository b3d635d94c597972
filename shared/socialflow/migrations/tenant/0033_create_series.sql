-- A post that recurs: what it says, where it goes, and the rule of its days on the clocks of a zone.
CREATE TABLE {s}.series (
    id             uuid PRIMARY KEY,
    version        int NOT NULL DEFAULT 1,
    state          text NOT NULL CHECK (state IN ('active', 'paused', 'ended')),
    rule           text NOT NULL CHECK (rule ~ '^FREQ=[A-Z]+(;[A-Z]+=[A-Z0-9,+-]+)*$'),
    starts_local   timestamp NOT NULL,
    zone           text NOT NULL CHECK (length(zone) <= 64),
    content        jsonb NOT NULL,           -- as it was written: media are pinned anew for each post
    accounts       uuid[] NOT NULL,
    made_local     timestamp,                -- of the last occurrence that was made, or left behind
    look_at        timestamptz,              -- when the next ones are made; null: nothing is left to make
    missed         int NOT NULL DEFAULT 0,   -- occurrences that fell due and could not be made
    trouble_code   text,
    trouble_detail text,
    trouble_at     timestamptz,              -- the occurrence that cannot be made, by when it is due
    created_by     uuid NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX series_to_look_at ON {s}.series (look_at) WHERE state = 'active' AND look_at IS NOT NULL;
CREATE INDEX series_by_creation ON {s}.series (created_at DESC, id DESC);
SELECT cell.audit_table('{s}.series', ':workspace', 'series', 'series', 'id',
                        noise => 'look_at,made_local,missed,trouble_code,trouble_detail,trouble_at,updated_at');

ALTER TABLE {s}.posts
    ADD COLUMN series_id  uuid REFERENCES {s}.series (id),
    ADD COLUMN occurrence timestamp,         -- which of its series it is, as the rule's clock says
    ADD CONSTRAINT posts_occurrence_whole CHECK ((series_id IS NULL) = (occurrence IS NULL));
-- Each occurrence is one post; one that was cancelled may be made again.
CREATE UNIQUE INDEX posts_one_per_occurrence ON {s}.posts (series_id, occurrence)
 WHERE series_id IS NOT NULL AND state <> 'cancelled';
