-- How many posts an account has had of those that its network gives it for 24 hours, as the network last said.
ALTER TABLE {s}.social_accounts
    ADD COLUMN quota_used int,
    ADD COLUMN quota_most int,
    ADD COLUMN quota_at   timestamptz,
    ADD CONSTRAINT social_accounts_quota_whole CHECK (num_nonnulls(quota_used, quota_most, quota_at) IN (0, 3));
CREATE INDEX targets_by_account_and_time ON {s}.targets (account_id, due_at) WHERE position = 0;
-- Learning a quota is no change that anybody made.
SELECT cell.audit_table('{s}.social_accounts', ':workspace', 'account', 'account', 'id', secrets => 'secret',
                        noise => 'look_at,looked_at,quota_used,quota_most,quota_at');
