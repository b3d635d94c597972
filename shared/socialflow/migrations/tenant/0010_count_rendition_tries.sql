-- A rendition that takes its worker down each time is given up; and how many are open is asked at each wish.
ALTER TABLE {s}.renditions ADD COLUMN tries int NOT NULL DEFAULT 0;
CREATE INDEX renditions_open ON {s}.renditions (media_id) WHERE state IN ('queued', 'rendering');
CREATE INDEX renditions_by_time ON {s}.renditions (media_id, requested_at DESC, id DESC);

SELECT cell.audit_table('{s}.renditions', ':workspace', 'rendition', 'media', 'media_id', noise => 'percent,tries');
