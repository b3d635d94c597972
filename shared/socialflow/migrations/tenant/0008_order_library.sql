-- What a library is ordered by. A picture without a capture date is the oldest; a file that is not here yet has its announced size.
CREATE INDEX media_items_by_capture ON {s}.media_items (coalesce(captured_at, '-infinity'::timestamp), id);
CREATE INDEX media_items_by_name ON {s}.media_items (lower(file_name) COLLATE "C", id);
CREATE INDEX media_items_by_size ON {s}.media_items (coalesce(size, declared_size), id);

-- Of what is deleted: since when nothing is left of its objects, looked for after the last one who might have written some.
ALTER TABLE {s}.media_items ADD COLUMN erased_at timestamptz,
    ADD CONSTRAINT media_items_erased_is_deleted CHECK (erased_at IS NULL OR state = 'deleted');
CREATE INDEX media_items_to_erase ON {s}.media_items (deleted_at) WHERE state = 'deleted' AND erased_at IS NULL;

-- Which posts have a media item: in their own content, or in what one network gets instead.
CREATE INDEX posts_by_variant_media ON {s}.posts USING gin (jsonb_path_query_array(variants, '$.*.media[*].id'))
 WHERE variants <> '{{}}';
CREATE FUNCTION {s}.posts_with(item uuid) RETURNS TABLE (post_id uuid, state text) LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT p.id, p.state FROM {s}.post_media m JOIN {s}.posts p ON p.id = m.post_id WHERE m.media_id = item
     UNION ALL
    SELECT p.id, p.state FROM {s}.posts p
     WHERE p.variants <> '{{}}' AND jsonb_path_query_array(p.variants, '$.*.media[*].id') ? item::text;
END;
