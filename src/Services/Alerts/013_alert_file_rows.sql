CREATE TABLE alert_file_rows (
    file_id          uuid    PRIMARY KEY REFERENCES file ON DELETE CASCADE,
    number           bigint  GENERATED ALWAYS AS IDENTITY,
    first_row        bytea   NOT NULL,
    rows             bigint  NOT NULL DEFAULT 0,
    rows_hash        bytea   NOT NULL,
    hash_before_last bytea   NOT NULL,
    is_last_cut      boolean NOT NULL DEFAULT false,
    sent_before      bigint
);
CREATE INDEX alert_file_rows_first_row ON alert_file_rows (first_row);
COMMENT ON TABLE alert_file_rows IS 'The alerts of each file by their hashes: a longer version of a file continues behind the alerts that were sent.';
COMMENT ON COLUMN alert_file_rows.file_id IS 'The file.';
COMMENT ON COLUMN alert_file_rows.number IS 'The order in which the files were started.';
COMMENT ON COLUMN alert_file_rows.first_row IS 'The hash of its first alert: versions of a file have the same.';
COMMENT ON COLUMN alert_file_rows.rows IS 'Its alerts so far, those of a shorter version included.';
COMMENT ON COLUMN alert_file_rows.rows_hash IS 'SHA-256 over all of them, in order: each hash is that of the hash before and the alert.';
COMMENT ON COLUMN alert_file_rows.hash_before_last IS 'The hash before the last of them.';
COMMENT ON COLUMN alert_file_rows.is_last_cut IS 'Whether the file ends with the last of them, without a line break, so that it may not be whole.';
COMMENT ON COLUMN alert_file_rows.sent_before IS 'How many of its first alerts are those of a shorter version and are not sent; null until that is known.';
