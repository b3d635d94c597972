-- What follows a post under it: a thread's further parts, or the first comment. Each is a target of its own, with its
-- own attempts: 0 is the post itself at its account, 1 and up are its replies there, each to the one before it.
ALTER TABLE {s}.posts ADD COLUMN replies jsonb NOT NULL DEFAULT '[]';
ALTER TABLE {s}.targets
    ADD COLUMN position int NOT NULL DEFAULT 0 CHECK (position >= 0),
    DROP CONSTRAINT targets_one_per_account,
    ADD CONSTRAINT targets_one_per_place UNIQUE (post_id, account_id, position);

-- Which posts have a media item: in their own content, in what one network gets instead, or in a reply.
CREATE INDEX posts_by_variant_reply_media ON {s}.posts
 USING gin (jsonb_path_query_array(variants, '$.*.replies[*].media[*].id')) WHERE variants <> '{{}}';
CREATE INDEX posts_by_reply_media ON {s}.posts USING gin (jsonb_path_query_array(replies, '$[*].media[*].id'))
 WHERE replies <> '[]';
CREATE OR REPLACE FUNCTION {s}.posts_with(item uuid) RETURNS TABLE (post_id uuid, state text) LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT p.id, p.state FROM {s}.post_media m JOIN {s}.posts p ON p.id = m.post_id WHERE m.media_id = item
     UNION ALL
    SELECT p.id, p.state FROM {s}.posts p
     WHERE p.variants <> '{{}}' AND jsonb_path_query_array(p.variants, '$.*.media[*].id') ? item::text
     UNION ALL
    SELECT p.id, p.state FROM {s}.posts p
     WHERE p.variants <> '{{}}' AND jsonb_path_query_array(p.variants, '$.*.replies[*].media[*].id') ? item::text
     UNION ALL
    SELECT p.id, p.state FROM {s}.posts p
     WHERE p.replies <> '[]' AND jsonb_path_query_array(p.replies, '$[*].media[*].id') ? item::text;
END;

-- Whether what a reply answers is out, and not deleted there: the claim asks.
CREATE FUNCTION {s}.is_out(post uuid, account uuid, place int) RETURNS boolean LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT EXISTS (SELECT FROM {s}.targets t
                    WHERE t.post_id = post AND t.account_id = account AND t.position = place
                      AND t.state = 'published' AND t.deleted_at IS NULL);
END;
