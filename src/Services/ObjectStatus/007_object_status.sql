-- Rows live for seconds and change often, and each change moves the row within the index: pages keep room for it, and the dead
-- rows go soon.
CREATE TABLE object_status (
    object_id text        COLLATE "C" PRIMARY KEY,
    last_seen timestamptz NOT NULL
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
-- Oldest first: the sweep reads from its front.
CREATE INDEX object_status_last_seen ON object_status (last_seen);
COMMENT ON TABLE object_status IS 'One row per object seen online; removed when it has not been seen for ObjectStatus:ExpiryTimeout.';
COMMENT ON COLUMN object_status.object_id IS 'The object''s id, as the callers of POST /callback say it.';
COMMENT ON COLUMN object_status.last_seen IS 'When the status API last said that it is online; never moved back.';
