CREATE TABLE file (
    file_id      uuid        PRIMARY KEY,
    kind         text        NOT NULL,
    content_hash text        NOT NULL,
    name         text        NOT NULL,
    path         text,
    length       bigint      NOT NULL,
    state        text        NOT NULL CHECK (state IN ('pending', 'running', 'completed', 'failed', 'invalid')),
    reason       text,
    accepted_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_at   timestamptz,
    finished_at  timestamptz,
    UNIQUE (kind, content_hash)
);
CREATE INDEX file_open ON file (kind, accepted_at) WHERE state IN ('pending', 'running');
CREATE INDEX file_accepted ON file (kind, accepted_at);
COMMENT ON TABLE file IS 'Files by their content: the same content is processed once, whatever its name.';
COMMENT ON COLUMN file.file_id IS 'The file''s id, a hash of kind and content; also the conversation or correlation id of what follows from its rows.';
COMMENT ON COLUMN file.kind IS 'What its rows are: customers, alerts.';
COMMENT ON COLUMN file.content_hash IS 'SHA-256 of its bytes, hexadecimal.';
COMMENT ON COLUMN file.name IS 'Its name when it was first submitted.';
COMMENT ON COLUMN file.path IS 'The path of an upload on the receiving process''s disk; null for other files.';
COMMENT ON COLUMN file.length IS 'Its length in bytes.';
COMMENT ON COLUMN file.state IS 'pending, running, completed, failed (continues where it was when it is submitted again) or invalid (no usable header).';
COMMENT ON COLUMN file.reason IS 'Why it failed or is invalid.';
COMMENT ON COLUMN file.accepted_at IS 'When it was first submitted: the time of rows without one.';
COMMENT ON COLUMN file.started_at IS 'When reading started.';
COMMENT ON COLUMN file.finished_at IS 'When it completed, failed or was found invalid.';

CREATE TABLE file_progress (
    file_id     uuid        NOT NULL REFERENCES file ON DELETE CASCADE,
    partition   integer     NOT NULL,
    next_offset bigint      NOT NULL DEFAULT 0,
    next_line   bigint      NOT NULL DEFAULT 1,
    rows        bigint      NOT NULL DEFAULT 0,
    rejected    bigint      NOT NULL DEFAULT 0,
    added       bigint      NOT NULL DEFAULT 0,
    changed     bigint      NOT NULL DEFAULT 0,
    updated_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (file_id, partition)
) WITH (fillfactor = 50);
COMMENT ON TABLE file_progress IS 'The progress of each file, saved in the transaction that processes the rows.';
COMMENT ON COLUMN file_progress.file_id IS 'The file.';
COMMENT ON COLUMN file_progress.partition IS 'The partition, from 0: the rows of an id are in one partition, in order; partitions are processed side by side.';
COMMENT ON COLUMN file_progress.next_offset IS 'All rows of the partition before this byte are processed; in a compressed file, of its decompressed content.';
COMMENT ON COLUMN file_progress.next_line IS 'The line that starts there, from 1.';
COMMENT ON COLUMN file_progress.rows IS 'Rows processed, rejected ones included.';
COMMENT ON COLUMN file_progress.rejected IS 'Rows that are invalid.';
COMMENT ON COLUMN file_progress.added IS 'Rows that added something new.';
COMMENT ON COLUMN file_progress.changed IS 'Rows that changed something known.';
COMMENT ON COLUMN file_progress.updated_at IS 'When the partition last moved forward.';

CREATE TABLE file_reject (
    file_id     uuid   NOT NULL REFERENCES file ON DELETE CASCADE,
    line        bigint NOT NULL,
    column_name text,
    reason      text   NOT NULL,
    record      text   NOT NULL,
    PRIMARY KEY (file_id, line)
);
COMMENT ON TABLE file_reject IS 'Invalid rows of files.';
COMMENT ON COLUMN file_reject.file_id IS 'The file.';
COMMENT ON COLUMN file_reject.line IS 'The line of the file on which the row starts, from 1.';
COMMENT ON COLUMN file_reject.column_name IS 'The column, as the file names it; null for the row as a whole.';
COMMENT ON COLUMN file_reject.reason IS 'What is wrong.';
COMMENT ON COLUMN file_reject.record IS 'The row as it is in the file, cut when it is long.';

CREATE VIEW files_overview AS
SELECT f.kind, f.name, f.state, p.rows, p.rejected, p.added, p.changed, p.rows - p.rejected - p.added - p.changed AS unchanged, f.reason,
       f.accepted_at, coalesce(f.finished_at, p.updated_at, f.started_at) - f.started_at AS took, f.length, f.file_id
FROM file f
CROSS JOIN LATERAL (
    SELECT coalesce(sum(rows), 0) AS rows, coalesce(sum(rejected), 0) AS rejected, coalesce(sum(added), 0) AS added,
           coalesce(sum(changed), 0) AS changed, max(updated_at) AS updated_at
    FROM file_progress WHERE file_id = f.file_id) p
ORDER BY f.accepted_at DESC;
COMMENT ON VIEW files_overview IS 'Every file with its counts, the newest first.';
