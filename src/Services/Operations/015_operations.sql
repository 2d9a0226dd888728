CREATE TABLE operator_action (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    occurred_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor       text        NOT NULL,
    action      text        NOT NULL,
    subject     text        NOT NULL,
    result      text        NOT NULL
);
CREATE INDEX operator_action_subject ON operator_action (subject, id);
COMMENT ON TABLE operator_action IS 'The audit: who did what to which thing, and who looked at personal data.';
COMMENT ON COLUMN operator_action.id IS 'Order of insertion.';
COMMENT ON COLUMN operator_action.occurred_at IS 'When.';
COMMENT ON COLUMN operator_action.actor IS 'The name of the access key; never the key.';
COMMENT ON COLUMN operator_action.action IS 'What was done, such as payment.revive.';
COMMENT ON COLUMN operator_action.subject IS 'To what: its kind and id, such as payment/pay-1.';
COMMENT ON COLUMN operator_action.result IS 'What came of it.';

CREATE TABLE process (
    process_id   uuid        PRIMARY KEY,
    host_name    text        NOT NULL,
    roles        text        NOT NULL,
    version      text        NOT NULL,
    targets      jsonb       NOT NULL,
    started_at   timestamptz NOT NULL DEFAULT now(),
    heartbeat_at timestamptz NOT NULL DEFAULT now(),
    stopped_at   timestamptz
);
COMMENT ON TABLE process IS 'One row per services process that runs or ran in the last day.';
COMMENT ON COLUMN process.process_id IS 'The process; a new one at each start.';
COMMENT ON COLUMN process.host_name IS 'Host (container) of the process.';
COMMENT ON COLUMN process.roles IS 'Its roles, separated by commas.';
COMMENT ON COLUMN process.version IS 'The version of the program.';
COMMENT ON COLUMN process.targets IS 'How it sees the third parties that it calls: breaker, concurrency, calls in flight.';
COMMENT ON COLUMN process.started_at IS 'When it started.';
COMMENT ON COLUMN process.heartbeat_at IS 'Its last heartbeat; it writes one every five seconds.';
COMMENT ON COLUMN process.stopped_at IS 'When it stopped in order; null: it runs, or was killed.';

CREATE TABLE activity (
    minute     timestamptz NOT NULL,
    name       text        NOT NULL,
    process_id uuid        NOT NULL,
    count      bigint      NOT NULL,
    PRIMARY KEY (minute, name, process_id)
);
COMMENT ON TABLE activity IS 'What was done in each minute, counted by the processes themselves.';
COMMENT ON COLUMN activity.minute IS 'The minute.';
COMMENT ON COLUMN activity.name IS 'What: consumed/<message>, or called/<target>/<outcome>.';
COMMENT ON COLUMN activity.process_id IS 'Who.';
COMMENT ON COLUMN activity.count IS 'How often.';

CREATE TABLE data_protection_key (
    id            integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    friendly_name text,
    xml           text
);
COMMENT ON TABLE data_protection_key IS 'Keys that protect the cookies of the operators'' interface, so that every process accepts them.';
COMMENT ON COLUMN data_protection_key.id IS 'Order of insertion.';
COMMENT ON COLUMN data_protection_key.friendly_name IS 'ASP.NET Core''s name of the key.';
COMMENT ON COLUMN data_protection_key.xml IS 'The key.';

ALTER TABLE rate_limit ADD COLUMN held_at timestamptz;
ALTER TABLE rate_limit ADD COLUMN held_by text;
COMMENT ON COLUMN rate_limit.held_at IS 'Since when an operator has paused it: no process claims calls to it; null: not paused.';
COMMENT ON COLUMN rate_limit.held_by IS 'Who paused it.';

CREATE INDEX payment_state_open ON payment_state (current_state, created_at)
    WHERE current_state IN ('AwaitingCustomer', 'Failed', 'Expired');
CREATE INDEX outbound_call_given_up ON outbound_call (finished_at) WHERE state IN ('parked', 'failed');
