CREATE TABLE file (
    file_id      uuid        PRIMARY KEY,
    kind         text        NOT NULL,
    content_hash text        NOT NULL,
    name         text        NOT NULL,
    path         text,
    length       bigint      NOT NULL,
    state        text        NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'stopped', 'refused')),
    reason       text,
    accepted_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_at   timestamptz,
    finished_at  timestamptz,
    UNIQUE (kind, content_hash)
);
CREATE INDEX file_open ON file (kind, accepted_at) WHERE state IN ('waiting', 'running');
CREATE INDEX file_accepted ON file (kind, accepted_at);
COMMENT ON TABLE file IS 'One row per file that came in, by its content: what makes the same file do nothing the second time, whatever it is called.';
COMMENT ON COLUMN file.file_id IS 'The file, a hash of kind and content; also the conversation or correlation id of all that follows from it.';
COMMENT ON COLUMN file.kind IS 'What its rows are: customers, alerts.';
COMMENT ON COLUMN file.content_hash IS 'SHA-256 of its bytes, hexadecimal.';
COMMENT ON COLUMN file.name IS 'What it was called when it first came in.';
COMMENT ON COLUMN file.path IS 'Where an upload is on the disk of the process that took it; null: the file came another way.';
COMMENT ON COLUMN file.length IS 'Its length in bytes.';
COMMENT ON COLUMN file.state IS 'waiting, running, done, stopped (goes on where it was when it is started again) or refused as a whole.';
COMMENT ON COLUMN file.reason IS 'Why it was stopped or refused, for a person to read.';
COMMENT ON COLUMN file.accepted_at IS 'When it came in: the time of rows that do not tell their own.';
COMMENT ON COLUMN file.started_at IS 'When it was first read.';
COMMENT ON COLUMN file.finished_at IS 'When it was done, stopped or refused.';

CREATE TABLE file_progress (
    file_id     uuid        NOT NULL REFERENCES file ON DELETE CASCADE,
    lane        integer     NOT NULL,
    next_offset bigint      NOT NULL DEFAULT 0,
    next_line   bigint      NOT NULL DEFAULT 1,
    rows        bigint      NOT NULL DEFAULT 0,
    rejected    bigint      NOT NULL DEFAULT 0,
    added       bigint      NOT NULL DEFAULT 0,
    changed     bigint      NOT NULL DEFAULT 0,
    updated_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (file_id, lane)
) WITH (fillfactor = 50);
COMMENT ON TABLE file_progress IS 'How far each file has been read, in the transaction of what its rows did.';
COMMENT ON COLUMN file_progress.file_id IS 'The file.';
COMMENT ON COLUMN file_progress.lane IS 'The part of the rows, from 0: rows of one id are always in one lane, and lanes are worked on side by side.';
COMMENT ON COLUMN file_progress.next_offset IS 'All rows of the lane before this byte are done; counted in the decompressed content of a compressed file.';
COMMENT ON COLUMN file_progress.next_line IS 'The line that starts there, from 1.';
COMMENT ON COLUMN file_progress.rows IS 'Rows of the lane that are done, rejected ones among them.';
COMMENT ON COLUMN file_progress.rejected IS 'Rows that were rejected.';
COMMENT ON COLUMN file_progress.added IS 'Rows that made something that was not known.';
COMMENT ON COLUMN file_progress.changed IS 'Rows that changed something that was known.';
COMMENT ON COLUMN file_progress.updated_at IS 'When the lane got on last.';

CREATE TABLE file_reject (
    file_id     uuid   NOT NULL REFERENCES file ON DELETE CASCADE,
    line        bigint NOT NULL,
    column_name text,
    reason      text   NOT NULL,
    record      text   NOT NULL,
    PRIMARY KEY (file_id, line)
);
COMMENT ON TABLE file_reject IS 'Rows of files that were not taken.';
COMMENT ON COLUMN file_reject.file_id IS 'The file.';
COMMENT ON COLUMN file_reject.line IS 'The line of the file on which the row starts, from 1.';
COMMENT ON COLUMN file_reject.column_name IS 'The column, as the file calls it; null: the row as a whole.';
COMMENT ON COLUMN file_reject.reason IS 'What is wrong.';
COMMENT ON COLUMN file_reject.record IS 'The row as it is in the file, cut when it is long.';
