-- What lies where in the space of a model: of each media item its picture, where the model sees, and what is said of it.
-- Vectors of two models, or of two sizes of one, are never compared: every question names both.
CREATE TABLE {s}.vectors (
    media_id    uuid NOT NULL REFERENCES {s}.media_items (id) ON DELETE CASCADE,
    aspect      text NOT NULL CHECK (aspect IN ('picture', 'text')),
    model       text NOT NULL CHECK (length(model) <= 200),
    dimension   int NOT NULL,
    embedding   public.halfvec NOT NULL,
    of_sha256   bytea NOT NULL,         -- of what it was made: what has not changed is not paid for again
    made_at     timestamptz NOT NULL,
    PRIMARY KEY (media_id, aspect),
    CONSTRAINT vectors_are_of_their_size CHECK (public.vector_dims(embedding) = dimension)
);
CREATE INDEX vectors_by_space ON {s}.vectors (model, dimension, aspect);
SELECT cell.audit_table('{s}.vectors', ':workspace', 'vector', 'media', 'media_id', 'media_id,aspect',
                        noise => 'embedding,made_at');
