-- Every change of a row leaves a row of the audit: see the decision "Triggers write the audit". Progress and leases are noise.
SELECT cell.audit_tables('{s}');

SELECT cell.audit_table('{s}.media_items', ':workspace', 'media', 'media', 'id',
                        noise => 'version,stage,percent,inspections,upload_expires_at,updated_at'),
       cell.audit_table('{s}.derivatives', ':workspace', 'derivative', 'media', 'media_id', 'media_id,variant'),
       cell.audit_table('{s}.caption_requests', ':workspace', 'caption_request', 'media', 'media_id'),
       cell.audit_table('{s}.captions', ':workspace', 'caption', 'media', 'media_id'),
       cell.audit_table('{s}.reviews', ':workspace', 'review', 'media', 'media_id', 'media_id'),
       cell.audit_table('{s}.social_accounts', ':workspace', 'account', 'account', 'id', secrets => 'secret'),
       cell.audit_table('{s}.posts', ':workspace', 'post', 'post', 'id', noise => 'request_sha256,updated_at'),
       cell.audit_table('{s}.post_media', ':workspace', 'post_media', 'post', 'post_id', 'post_id,position'),
       -- Its content stands in the table itself, whose rows are never changed, and under the hash that is kept here.
       cell.audit_table('{s}.post_versions', ':workspace', 'post_version', 'post', 'post_id', 'post_id,version',
                        noise => 'content'),
       cell.audit_table('{s}.targets', ':workspace', 'target', 'post', 'post_id',
                        noise => 'run,tries,next_at,lease,prepared,updated_at'),
       cell.audit_table('{s}.attempts', ':workspace', 'attempt', 'target', 'target_id', noise => 'evidence');
