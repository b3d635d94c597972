-- A member signs in at a network to connect an account: begun here, completed by the same member, once, within minutes.
CREATE TABLE {s}.account_connections (
    id           uuid PRIMARY KEY,
    network      text NOT NULL,
    base_url     text NOT NULL,
    redirect_uri text NOT NULL,
    state        text NOT NULL DEFAULT 'begun' CHECK (state IN ('begun', 'completing', 'choosing', 'done')),
    state_sha256 bytea NOT NULL,        -- of the value that the network hands back
    secret       bytea NOT NULL,        -- sealed: what completing needs, afterwards what may be chosen; empty once done
    begun_by     uuid NOT NULL,
    begun_at     timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL
);
CREATE INDEX account_connections_by_end ON {s}.account_connections (expires_at);
SELECT cell.audit_table('{s}.account_connections', ':workspace', 'account_connection', 'account_connection', 'id', 'id',
                        secrets => 'secret,state_sha256');
