-- How a caption is wished for, and when it is a request's turn; variants for a network and alternatives are versions too.
ALTER TABLE {s}.caption_requests
    ADD COLUMN style jsonb NOT NULL DEFAULT '{{}}',     -- tone, length, language, network, alternatives
    ADD COLUMN turn_at timestamptz;                     -- booked once: whoever waits does not ask again
ALTER TABLE {s}.captions
    ADD COLUMN network text,                            -- cut for it; the caption under review has none
    ADD COLUMN alternative int NOT NULL DEFAULT 1 CHECK (alternative BETWEEN 1 AND 4),
    ADD COLUMN notes text[] NOT NULL DEFAULT '{{}}',    -- what was changed in a model's answer, for the reviewer
    DROP CONSTRAINT captions_one_per_request,
    ADD CONSTRAINT captions_one_per_request UNIQUE (request_id, alternative);
SELECT cell.audit_table('{s}.caption_requests', ':workspace', 'caption_request', 'media', 'media_id',
                        noise => 'turn_at');
