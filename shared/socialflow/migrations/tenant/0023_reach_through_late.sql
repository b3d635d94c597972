-- Late, by way of which networks may be reached: the tenant's one key there, sealed for it. Its webhooks come to an
-- address of the tenant's own, signed with a secret of its own.
CREATE TABLE {s}.late_keys (
    id             boolean PRIMARY KEY DEFAULT true CHECK (id),   -- there is one
    secret         bytea NOT NULL,
    webhook_token  text NOT NULL,
    webhook_secret bytea NOT NULL,
    version        int NOT NULL DEFAULT 1,
    verified_at    timestamptz NOT NULL,
    set_by         uuid NOT NULL
);
SELECT cell.audit_table('{s}.late_keys', ':workspace', 'late_key', 'late_key', 'id', secrets => 'secret,webhook_token,webhook_secret');

-- By which way a network is reached; one that is not here, by its own API.
CREATE TABLE {s}.routes (
    network text PRIMARY KEY CHECK (length(network) <= 40),
    route   text NOT NULL CHECK (route IN ('direct', 'late')),
    set_by  uuid NOT NULL,
    set_at  timestamptz NOT NULL
);
SELECT cell.audit_table('{s}.routes', ':workspace', 'route', 'route', 'network', 'network');

-- Late's own id of an account; one that is connected there alone has no token.
ALTER TABLE {s}.social_accounts ADD COLUMN late_account text;
CREATE UNIQUE INDEX social_accounts_by_late ON {s}.social_accounts (late_account);

-- The way of the first attempt, written by its claim: no other one is made by another way. And for which way what was
-- prepared was prepared.
ALTER TABLE {s}.targets
    ADD COLUMN route          text CHECK (route IN ('direct', 'late')),
    ADD COLUMN prepared_route text NOT NULL DEFAULT 'direct';
