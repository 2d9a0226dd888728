-- What an operator does about calls and targets ----------------------------------------------------------------------

ALTER TABLE outbound_call ADD COLUMN retried_at timestamptz;
COMMENT ON COLUMN outbound_call.retried_at IS 'When an operator last retried it, from which its age counts; null: from created_at.';

ALTER TABLE rate_limit ADD COLUMN resumed bigint NOT NULL DEFAULT 0;
COMMENT ON TABLE rate_limit IS 'One row per target: rate, pause and whether it is disabled, as all processes share them.';
COMMENT ON COLUMN rate_limit.paused_until IS 'No call starts before this: the target asked for it.';
COMMENT ON COLUMN rate_limit.resumed IS 'Counts retries by operators: a process that sees a new one ends its pause.';
