-- How often in a row a subject's runs have failed. A run is taken for failed from its start until it is heard of
-- (it promises, finishes, or the subject is scheduled anew), and again once its execution is known to have failed.
ALTER TABLE {s}.work
    ADD COLUMN failures int NOT NULL DEFAULT 0,
    ADD COLUMN unheard  boolean NOT NULL DEFAULT false;
