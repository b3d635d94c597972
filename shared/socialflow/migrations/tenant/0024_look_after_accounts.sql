-- When an account is looked at next, what its network said last, and until when a token that is used no more is kept to
-- be given back.
ALTER TABLE {s}.social_accounts
    ADD COLUMN look_at        timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN looked_at      timestamptz,
    ADD COLUMN ends_at        timestamptz,     -- of what was granted; NULL: it does not end, or nobody says when
    ADD COLUMN trouble_code   text,
    ADD COLUMN trouble_detail text,
    ADD COLUMN revoke_until   timestamptz,
    DROP CONSTRAINT social_accounts_state_check,
    ADD CONSTRAINT social_accounts_state_check CHECK (state IN ('connected', 'expiring', 'lapsed', 'disconnected'));
SELECT cell.audit_table('{s}.social_accounts', ':workspace', 'account', 'account', 'id', secrets => 'secret',
                        noise => 'look_at,looked_at');
