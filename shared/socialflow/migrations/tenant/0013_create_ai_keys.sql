-- The tenant's own keys of providers of models, sealed for it; of each the last letters are shown.
CREATE TABLE {s}.ai_keys (
    provider    text PRIMARY KEY CHECK (length(provider) <= 40),
    secret      bytea NOT NULL,
    hint        text NOT NULL CHECK (length(hint) <= 4),
    base_url    text,                   -- of a server that speaks as OpenAI does, with the model that is asked there
    model       text,
    version     int NOT NULL DEFAULT 1,
    verified_at timestamptz NOT NULL,
    set_by      uuid NOT NULL,
    CONSTRAINT ai_keys_of_a_server_name_both CHECK ((base_url IS NULL) = (model IS NULL))
);
SELECT cell.audit_table('{s}.ai_keys', ':workspace', 'ai_key', 'ai_key', 'provider', 'provider', secrets => 'secret');
