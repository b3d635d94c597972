-- What the sweep of abandoned uploads asks for, and whether the tenant has a file of that content already.
CREATE INDEX media_items_awaited ON {s}.media_items (upload_expires_at) WHERE state = 'awaiting_upload';
CREATE INDEX media_items_by_declared_sha256 ON {s}.media_items (declared_sha256) WHERE declared_sha256 IS NOT NULL;

-- Where the bucket keeps the parts of an upload says nothing of who changed what.
SELECT cell.audit_table('{s}.media_items', ':workspace', 'media', 'media', 'id',
                        noise => 'version,stage,percent,inspections,upload_expires_at,updated_at,upload_id');
