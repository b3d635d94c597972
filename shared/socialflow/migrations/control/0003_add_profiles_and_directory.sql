-- What the issuer last said of a person, what they say of themselves, and whether the issuer has deleted them. The row
-- of a deleted person stays, without name and address: history refers to its id, and nobody signs in as it again.
ALTER TABLE {s}.users
    ADD COLUMN name_chosen boolean NOT NULL DEFAULT false,  -- by the person: the issuer's name no longer counts
    ADD COLUMN said_at     timestamptz,                     -- when the issuer said what stands here
    ADD COLUMN locale      text NOT NULL DEFAULT '',
    ADD COLUMN time_zone   text NOT NULL DEFAULT '',
    ADD COLUMN deleted_at  timestamptz;

-- A Clerk organization whose members belong to a tenant.
CREATE TABLE {s}.clerk_organizations (
    id         text PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 255),
    tenant_id  uuid NOT NULL UNIQUE REFERENCES {s}.tenants (id) ON DELETE CASCADE,
    linked_at  timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz   -- said by Clerk: nothing older is taken, and nobody joins any more
);

-- The newest that Clerk has said of a person in an organization. Who has left keeps a row, so that what was said before
-- and comes after changes nothing.
CREATE TABLE {s}.clerk_memberships (
    organization text NOT NULL REFERENCES {s}.clerk_organizations (id) ON DELETE CASCADE,
    subject      text NOT NULL,
    role         text NOT NULL,      -- in Clerk's words; empty once left
    said_at      timestamptz NOT NULL,
    PRIMARY KEY (organization, subject)
);

GRANT SELECT, UPDATE ON {s}.clerk_organizations TO sf_app;
GRANT SELECT, INSERT, UPDATE ON {s}.clerk_memberships TO sf_app;
GRANT INSERT, DELETE, UPDATE (role) ON {s}.members TO sf_app;
