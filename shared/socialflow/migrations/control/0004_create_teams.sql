-- A tenant's life from its creation to its end, its team's invitations, and facts of the registry on their way out.
ALTER TABLE {s}.tenants
    ADD COLUMN version       int NOT NULL DEFAULT 1,
    ADD COLUMN created_by    uuid, -- no references: who did it stays known when the person is gone
    ADD COLUMN created_as    bytea, -- SHA-256 of what was asked, so that a repeat is known from another wish
    ADD COLUMN suspended_at  timestamptz,
    ADD COLUMN suspended_for text,
    ADD COLUMN deleted_at    timestamptz,
    ADD COLUMN deleted_by    uuid,
    ADD COLUMN purged_at     timestamptz;
CREATE INDEX tenants_by_creator ON {s}.tenants (created_by) WHERE created_by IS NOT NULL;
CREATE INDEX tenants_to_purge ON {s}.tenants (deleted_at) WHERE status = 'deleted' AND purged_at IS NULL;

-- A single-use link: the mail has the token, the row its hash alone. `nonce` is new with every round of mail.
CREATE TABLE {s}.invitations (
    id           uuid PRIMARY KEY,
    tenant_id    uuid NOT NULL REFERENCES {s}.tenants (id) ON DELETE CASCADE,
    email        text NOT NULL CHECK (length(email) BETWEEN 3 AND 254),
    role         text NOT NULL CHECK (role IN ('owner', 'admin', 'editor', 'viewer')),
    invited_by   uuid NOT NULL,
    nonce        bytea NOT NULL CHECK (length(nonce) = 32),
    round        int NOT NULL DEFAULT 1,
    token_sha256 bytea UNIQUE CHECK (length(token_sha256) = 32),
    asked_at     timestamptz NOT NULL DEFAULT now(),
    sent_at      timestamptz,
    expires_at   timestamptz NOT NULL,
    accepted_at  timestamptz,
    accepted_by  uuid,
    revoked_at   timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX invitations_by_tenant ON {s}.invitations (tenant_id, created_at, id);

-- What the registry's transactions have to tell. The relay carries it over to the outbox of the tenant's cell.
CREATE TABLE {s}.outbox (
    position     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id           uuid NOT NULL UNIQUE,
    cell         text NOT NULL,
    tenant       text NOT NULL,
    type         text NOT NULL,
    aggregate    text NOT NULL,
    aggregate_id uuid NOT NULL,
    data         jsonb NOT NULL,
    occurred_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX outbox_by_cell ON {s}.outbox (cell, position);

GRANT SELECT, INSERT, UPDATE ON {s}.invitations TO sf_app;
GRANT SELECT, INSERT, DELETE ON {s}.outbox TO sf_app;
GRANT INSERT, DELETE, UPDATE (role) ON {s}.members TO sf_app;

-- The application has no right to write tenants. It may do these four things, each to one tenant by its id.
CREATE FUNCTION {s}.lock_tenant(tenant uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$ BEGIN
    PERFORM set_config('lock_timeout', '5s', true);
    PERFORM FROM {s}.tenants WHERE id = tenant FOR NO KEY UPDATE;
    RETURN FOUND;
END $$;

CREATE FUNCTION {s}.change_tenant(tenant uuid, expected int, new_name text, changes jsonb) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$ BEGIN
    UPDATE {s}.tenants SET name = coalesce(new_name, name), settings = settings || changes, version = version + 1
     WHERE id = tenant AND status = 'active' AND (expected IS NULL OR version = expected);
    RETURN FOUND;
END $$;

CREATE FUNCTION {s}.suspend_tenant(tenant uuid, reason text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$ BEGIN
    UPDATE {s}.tenants SET status = 'suspended', suspended_at = now(), suspended_for = reason, version = version + 1
     WHERE id = tenant AND status = 'active';
    RETURN FOUND;
END $$;

CREATE FUNCTION {s}.resume_tenant(tenant uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$ BEGIN
    UPDATE {s}.tenants SET status = 'active', suspended_at = NULL, suspended_for = NULL, version = version + 1
     WHERE id = tenant AND status = 'suspended';
    RETURN FOUND;
END $$;

REVOKE ALL ON FUNCTION {s}.lock_tenant(uuid), {s}.change_tenant(uuid, int, text, jsonb),
    {s}.suspend_tenant(uuid, text), {s}.resume_tenant(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {s}.lock_tenant(uuid), {s}.change_tenant(uuid, int, text, jsonb),
    {s}.suspend_tenant(uuid, text), {s}.resume_tenant(uuid) TO sf_app;
