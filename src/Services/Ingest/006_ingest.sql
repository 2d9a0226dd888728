CREATE VIEW ingest_files AS
SELECT f.kind, f.name, f.state, p.rows, p.rejected, p.added, p.changed, p.rows - p.rejected - p.added - p.changed AS unchanged, f.reason,
       f.accepted_at, coalesce(f.finished_at, p.updated_at, f.started_at) - f.started_at AS took, f.length, f.file_id
FROM file f
CROSS JOIN LATERAL (
    SELECT coalesce(sum(rows), 0) AS rows, coalesce(sum(rejected), 0) AS rejected, coalesce(sum(added), 0) AS added,
           coalesce(sum(changed), 0) AS changed, max(updated_at) AS updated_at
    FROM file_progress WHERE file_id = f.file_id) p
ORDER BY f.accepted_at DESC;
COMMENT ON VIEW ingest_files IS 'Every file that came in with its counts, the last first.';
