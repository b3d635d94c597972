-- A sender repeats a webhook until it is answered: each message is taken once.
CREATE TABLE {s}.webhook_receipts (
    source      text NOT NULL CHECK (source IN ('clerk', 'stripe')),
    id          text NOT NULL CHECK (length(id) BETWEEN 1 AND 255),
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source, id)
);
CREATE INDEX webhook_receipts_by_time ON {s}.webhook_receipts (received_at);
GRANT SELECT, INSERT, DELETE ON {s}.webhook_receipts TO sf_app;
