-- Who changed what in the registry: a chain for each tenant, and one for people, who belong to none.
-- The functions are those of cell/0005: see the decision "Triggers write the audit".
-- One row of a chain. Its hash is over every field with the field's length in bytes, so that no two rows read the same,
-- and over the hash before it; socialflow/audit/model.py computes the same. Its lock is taken while the transaction
-- commits, after every other lock. An update that changes nothing but noise writes nothing.
CREATE FUNCTION {s}.audit_append(place text, op text, args text[], before jsonb, after jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    longest CONSTANT int := 8192;   -- bytes of one value; of a longer one its beginning, length and hash are kept
    whole   jsonb := coalesce(after, before);
    noise   text[] := string_to_array(args[5], ',');
    secrets text[] := string_to_array(args[6], ',');
    actor   jsonb := nullif(current_setting('socialflow.actor', true), '')::jsonb;
    changed jsonb;
    head    record;
    row_id  uuid := gen_random_uuid();
    row_at  timestamptz;
    link    text;      -- the chain's name: a constant after a colon, or the row's own column
    item    jsonb;
    action  text;
    fields  text[];
    digest  bytea;
BEGIN
    SELECT jsonb_object_agg(k, jsonb_build_array(
               CASE WHEN b = 'null' THEN b WHEN k = ANY(secrets) THEN '"(hidden)"' WHEN octet_length(b::text) > longest
                    THEN jsonb_build_object('start', left(b #>> '{{}}', 1000), 'bytes', octet_length(b #>> '{{}}'),
                                            'sha256', encode(sha256(convert_to(b #>> '{{}}', 'UTF8')), 'hex'))
                    ELSE b END,
               CASE WHEN a = 'null' THEN a WHEN k = ANY(secrets) THEN '"(hidden)"' WHEN octet_length(a::text) > longest
                    THEN jsonb_build_object('start', left(a #>> '{{}}', 1000), 'bytes', octet_length(a #>> '{{}}'),
                                            'sha256', encode(sha256(convert_to(a #>> '{{}}', 'UTF8')), 'hex'))
                    ELSE a END))
      INTO changed
      FROM (SELECT k, coalesce(before -> k, 'null') AS b, coalesce(after -> k, 'null') AS a
              FROM jsonb_object_keys(whole) AS k WHERE k <> ALL(noise)) AS f
     WHERE a <> b;
    IF changed IS NULL AND op = 'UPDATE' THEN
        RETURN;
    END IF;
    IF actor IS NULL THEN   -- nobody came in by the application: a person with a login of the database
        actor := jsonb_build_object('kind', 'operator', 'name', session_user, 'address', host(inet_client_addr()));
    END IF;
    link := CASE WHEN args[0] LIKE ':%' THEN substr(args[0], 2) ELSE whole ->> args[0] END;
    action := args[1] || CASE op WHEN 'INSERT' THEN '.create' WHEN 'UPDATE' THEN '.update' ELSE '.delete' END;
    SELECT jsonb_object_agg(k, whole -> k) INTO item FROM unnest(string_to_array(args[4], ',')) AS k;

    -- One lock for all chains of a schema: a change that touches two of them cannot meet another in the other order.
    PERFORM pg_advisory_xact_lock(hashtextextended('audit:' || place, 0));
    EXECUTE format('SELECT seq, hash, at FROM %I.audit_head WHERE chain = $1 FOR UPDATE', place) INTO head USING link;
    IF head.seq IS NULL THEN
        -- What a chain begins with is chance: a row of one chain fits no other.
        digest := uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
        EXECUTE format('INSERT INTO %I.audit_head (chain, genesis, hash) VALUES ($1, $2, $2) ON CONFLICT DO NOTHING',
                       place) USING link, digest;
        EXECUTE format('SELECT seq, hash, at FROM %I.audit_head WHERE chain = $1 FOR UPDATE', place)
           INTO STRICT head USING link;
    END IF;
    -- Under the lock, and never before the row before it: a chain's order is its order in time.
    row_at := greatest(clock_timestamp(), head.at + interval '1 microsecond');
    fields := ARRAY[link, (head.seq + 1)::text, row_id::text,
                    to_char(row_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                    actor ->> 'kind', actor ->> 'id', coalesce(actor ->> 'name', ''), coalesce(actor ->> 'request_id', ''), coalesce(actor ->> 'address', ''), action, args[2],
                    whole ->> args[3], item::text, coalesce(changed, '{{}}')::text, encode(head.hash, 'hex')];
    SELECT sha256(convert_to(string_agg(coalesce(octet_length(v) || ':' || v, '-'), ',' ORDER BY n), 'UTF8'))
      INTO digest FROM unnest(fields) WITH ORDINALITY AS f (v, n);
    EXECUTE format('INSERT INTO %I.audit_log VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,'
                   ' $16)', place)
      USING link, head.seq + 1, row_id, row_at, fields[5], fields[6]::uuid, fields[7], fields[8], fields[9], action,
            args[2], fields[12], item, coalesce(changed, '{{}}'), head.hash, digest;
    EXECUTE format('UPDATE %I.audit_head SET seq = $2, hash = $3, at = $4 WHERE chain = $1', place)
      USING link, head.seq + 1, digest, row_at;
END $$;

-- Its own memory is paid for each trigger of each schema that a connection has touched: so it is this short.
CREATE FUNCTION {s}.audit_row() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$ BEGIN
    PERFORM {s}.audit_append(TG_TABLE_SCHEMA, TG_OP, TG_ARGV, to_jsonb(OLD), to_jsonb(NEW));
    RETURN NULL;
END $$;

CREATE FUNCTION {s}.audit_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION '% of % is refused: the audit is append-only', TG_OP, TG_TABLE_NAME
        USING errcode = 'insufficient_privilege';
END $$;

-- The log and its heads, in a schema that has none yet.
CREATE FUNCTION {s}.audit_tables(place text) RETURNS void LANGUAGE plpgsql AS $make$ BEGIN
    EXECUTE format($$
        CREATE TABLE %1$s.audit_log (
            chain        text NOT NULL,
            seq          bigint NOT NULL,
            id           uuid NOT NULL,
            at           timestamptz NOT NULL,
            actor_kind   text NOT NULL CHECK (actor_kind IN ('person', 'key', 'system', 'operator')),
            actor_id     uuid,
            actor_name   text NOT NULL,
            request_id   text NOT NULL,
            address      text NOT NULL,
            action       text NOT NULL,
            subject_type text NOT NULL,
            subject_id   text NOT NULL,
            item         jsonb NOT NULL,     -- the key of the row that changed
            changes      jsonb NOT NULL,     -- of each field [before, after]
            prev_hash    bytea NOT NULL,
            hash         bytea NOT NULL,
            PRIMARY KEY (chain, seq)
        );
        CREATE INDEX audit_log_by_time ON %1$s.audit_log (chain, at DESC, id DESC);
        CREATE INDEX audit_log_by_subject ON %1$s.audit_log (subject_id, at DESC, id DESC);
        CREATE INDEX audit_log_by_actor ON %1$s.audit_log (actor_id, at DESC, id DESC);
        CREATE TABLE %1$s.audit_head (
            chain   text PRIMARY KEY,
            genesis bytea NOT NULL,
            seq     bigint NOT NULL DEFAULT 0,
            hash    bytea NOT NULL,
            at      timestamptz NOT NULL DEFAULT '2000-01-01'
        ) WITH (fillfactor = 50);
        CREATE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON %1$s.audit_log
            FOR EACH STATEMENT EXECUTE FUNCTION {s}.audit_is_kept();
    $$, place);
END $make$;

-- Audit a table, in one line of a migration. `chain` is the column that names the chain, or a constant after a colon;
-- `noise` and `secrets` are comma lists of columns: those say nothing, these are never shown.
-- Constraint triggers are the ones that can wait for the commit.
CREATE FUNCTION {s}.audit_table(place regclass, chain text, noun text, subject text, subject_id text,
                                keys text DEFAULT 'id', noise text DEFAULT '', secrets text DEFAULT '') RETURNS void
LANGUAGE plpgsql AS $$ BEGIN
    EXECUTE format('DROP TRIGGER IF EXISTS audit ON %1$s; DROP TRIGGER IF EXISTS audit_truncate ON %1$s', place);
    EXECUTE format('CREATE CONSTRAINT TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON %s'
                   ' DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {s}.audit_row(%L, %L, %L, %L, %L, %L, %L)',
                   place, chain, noun, subject, subject_id, keys, noise, secrets);
    EXECUTE format('CREATE TRIGGER audit_truncate BEFORE TRUNCATE ON %s' -- which no trigger sees row by row
                   ' FOR EACH STATEMENT EXECUTE FUNCTION {s}.audit_is_kept()', place);
END $$;
REVOKE ALL ON FUNCTION {s}.audit_append, {s}.audit_row, {s}.audit_is_kept, {s}.audit_tables, {s}.audit_table FROM PUBLIC;

CREATE FUNCTION {s}.act_as(actor text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
    PERFORM set_config('socialflow.actor', actor, true);
END $$;

SELECT {s}.audit_tables('{s}');
GRANT SELECT ON {s}.audit_log, {s}.audit_head TO sf_app;

SELECT {s}.audit_table('{s}.tenants', 'id', 'tenant', 'tenant', 'id', noise => 'schema_version,version,created_as'),
       {s}.audit_table('{s}.users', ':people', 'user', 'user', 'id', noise => 'said_at'),
       {s}.audit_table('{s}.clerk_organizations', 'tenant_id', 'clerk_organization', 'tenant', 'tenant_id'),
       {s}.audit_table('{s}.api_keys', 'tenant_id', 'api_key', 'api_key', 'id',
                       noise => 'last_used_at,request_key,request_sha256', secrets => 'secret_sha256'),
       {s}.audit_table('{s}.invitations', 'tenant_id', 'invitation', 'invitation', 'id', noise => 'asked_at,sent_at',
                       secrets => 'nonce,token_sha256'),
       {s}.audit_table('{s}.members', 'tenant_id', 'member', 'user', 'user_id', keys => 'tenant_id,user_id');
