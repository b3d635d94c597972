CREATE TABLE {s}.social_accounts (
    id             uuid PRIMARY KEY,
    network        text NOT NULL,
    state          text NOT NULL DEFAULT 'connected' CHECK (state IN ('connected', 'expiring', 'disconnected')),
    base_url       text NOT NULL,
    remote_account text NOT NULL,      -- the network's own id of the account
    remote_name    text NOT NULL,
    secret         bytea NOT NULL,     -- envelope-encrypted, bound to the tenant and this account; empty once disconnected
    capabilities   jsonb NOT NULL DEFAULT '{{}}',
    connected_by   uuid NOT NULL,
    connected_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT social_accounts_one_per_remote UNIQUE (network, base_url, remote_account)
);

CREATE TABLE {s}.posts (
    id                uuid PRIMARY KEY,
    version           int NOT NULL DEFAULT 1,
    state             text NOT NULL CHECK (state IN ('draft', 'awaiting_approval', 'scheduled', 'publishing',
        'published', 'partial', 'failed', 'unconfirmed', 'held', 'cancelled')),
    text              text NOT NULL DEFAULT '',
    variants          jsonb NOT NULL DEFAULT '{{}}',
    due_at            timestamptz,
    due_local         timestamp,       -- what the person said, and in which zone
    due_zone          text,
    approval_required boolean NOT NULL,
    content_hash      bytea NOT NULL,
    approved_hash     bytea,
    approved_by       uuid,
    approved_at       timestamptz,
    reason            text,
    request_sha256    bytea NOT NULL,  -- of the body that made it: the same id with another body is a conflict
    created_by        uuid NOT NULL,
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX posts_by_time ON {s}.posts (created_at DESC, id DESC);
CREATE INDEX posts_by_state ON {s}.posts (state, created_at DESC, id DESC);
CREATE INDEX posts_by_due ON {s}.posts (due_at, id);

CREATE TABLE {s}.post_media (
    post_id  uuid NOT NULL REFERENCES {s}.posts (id) ON DELETE CASCADE,
    position int NOT NULL,
    media_id uuid NOT NULL REFERENCES {s}.media_items (id),
    piece    jsonb NOT NULL,           -- what is pinned of it: content hash and alt text
    PRIMARY KEY (post_id, position)
);
CREATE INDEX post_media_by_media ON {s}.post_media (media_id);

CREATE TABLE {s}.post_versions (
    post_id      uuid NOT NULL REFERENCES {s}.posts (id) ON DELETE CASCADE,
    version      int NOT NULL,
    content      jsonb NOT NULL,
    content_hash bytea NOT NULL,
    author       uuid NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (post_id, version)
);

-- One row for each destination of a post. The claim (see publishing/repository.py) is one UPDATE of this row.
CREATE TABLE {s}.targets (
    id                  uuid PRIMARY KEY,
    post_id             uuid NOT NULL REFERENCES {s}.posts (id) ON DELETE CASCADE,
    account_id          uuid NOT NULL REFERENCES {s}.social_accounts (id),
    network             text NOT NULL,
    remote_account      text NOT NULL,
    state               text NOT NULL DEFAULT 'scheduled' CHECK (state IN ('scheduled', 'preparing', 'prepared',
        'attempting', 'published', 'failed', 'unconfirmed', 'cancelled')),
    run                 int NOT NULL DEFAULT 0,
    due_at              timestamptz,
    hold                boolean NOT NULL DEFAULT false,
    content_hash        bytea NOT NULL,
    approval_required   boolean NOT NULL,
    approved_hash       bytea,
    prepared_hash       bytea,
    prepared            jsonb,             -- what the network answered to the uploads
    tries               int NOT NULL DEFAULT 0,   -- of the present step: preparing, publishing or confirming
    next_at             timestamptz,              -- before this the present step is not taken again
    attempt             int NOT NULL DEFAULT 0,
    lease               timestamptz,              -- before this nobody but the attempt itself may judge it
    request             text CHECK (request IN ('cancel')),   -- asked during an attempt, settled after it
    remote_id           text,
    remote_url          text,
    published_at        timestamptz,
    error_code          text,
    error_detail        text,
    updated_at          timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT targets_one_per_account UNIQUE (post_id, account_id),
    CONSTRAINT targets_published_has_receipt CHECK (state <> 'published' OR remote_id IS NOT NULL)
);
CREATE INDEX targets_by_account ON {s}.targets (account_id);

-- Every time the mutation was begun: written before the call, finished by whoever learns the outcome.
CREATE TABLE {s}.attempts (
    id           uuid PRIMARY KEY,
    target_id    uuid NOT NULL REFERENCES {s}.targets (id) ON DELETE CASCADE,
    account_id   uuid NOT NULL REFERENCES {s}.social_accounts (id),
    attempt      int NOT NULL,
    key          text NOT NULL,
    content_hash bytea NOT NULL,
    started_at   timestamptz NOT NULL DEFAULT now(),
    outcome      text CHECK (outcome IN ('published', 'failed', 'unconfirmed')),
    remote_id    text,
    remote_url   text,
    evidence     jsonb NOT NULL DEFAULT '{{}}',
    finished_at  timestamptz,
    CONSTRAINT attempts_one_per_number UNIQUE (target_id, attempt)
);
-- One status of the network is the outcome of one attempt at the most: two posts of one text are two statuses.
CREATE UNIQUE INDEX attempts_by_remote ON {s}.attempts (account_id, remote_id) WHERE remote_id IS NOT NULL;
