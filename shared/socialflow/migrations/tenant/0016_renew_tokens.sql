-- Somebody is renewing the account's token until then: of many that need it, one asks the network.
ALTER TABLE {s}.social_accounts ADD COLUMN renewing_until timestamptz;
