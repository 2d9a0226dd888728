-- Calls to third parties -------------------------------------------------------------------------------------------

CREATE TABLE outbound_call (
    target          text        NOT NULL,
    idempotency_key text        NOT NULL,
    state           text        NOT NULL CHECK (state IN ('waiting', 'in_flight', 'done', 'failed', 'parked', 'superseded')),
    mode            text        NOT NULL CHECK (mode IN ('IdempotencyKey', 'Lookup', 'AtMostOnce')),
    request         jsonb       NOT NULL,
    attempts        integer     NOT NULL DEFAULT 0,
    due             timestamptz,
    claim           uuid,
    outcome_unknown boolean     NOT NULL DEFAULT false,
    last_outcome    text,
    response        jsonb,
    conversation_id uuid,
    correlation_id  uuid,
    created_at      timestamptz NOT NULL DEFAULT now(),
    started_at      timestamptz,
    finished_at     timestamptz,
    PRIMARY KEY (target, idempotency_key)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX outbound_call_due ON outbound_call (target, due) WHERE due IS NOT NULL;
COMMENT ON TABLE outbound_call IS 'One row per call to a third party: what makes the call have its effect once.';
COMMENT ON COLUMN outbound_call.target IS 'The third party.';
COMMENT ON COLUMN outbound_call.idempotency_key IS 'The call''s name at the target, the same however often it is sent.';
COMMENT ON COLUMN outbound_call.state IS 'waiting, in_flight, done, failed (rejected for good), parked (for an operator to decide) or superseded (a newer call replaces it).';
COMMENT ON COLUMN outbound_call.mode IS 'How an unknown outcome is resolved: IdempotencyKey, Lookup or AtMostOnce.';
COMMENT ON COLUMN outbound_call.request IS 'What the target is asked to do.';
COMMENT ON COLUMN outbound_call.attempts IS 'Attempts made.';
COMMENT ON COLUMN outbound_call.due IS 'When it is tried next, or, in flight, when it counts as abandoned; null: it has completed.';
COMMENT ON COLUMN outbound_call.claim IS 'In flight: the claim that holds it, so that only its holder writes the outcome.';
COMMENT ON COLUMN outbound_call.outcome_unknown IS 'An attempt''s outcome is unknown: resolved by mode before the call is made again.';
COMMENT ON COLUMN outbound_call.last_outcome IS 'What came of the last attempt.';
COMMENT ON COLUMN outbound_call.response IS 'What is kept of the target''s response.';
COMMENT ON COLUMN outbound_call.conversation_id IS 'The conversation that enqueued it.';
COMMENT ON COLUMN outbound_call.correlation_id IS 'The saga or file that enqueued it.';
COMMENT ON COLUMN outbound_call.created_at IS 'When it was enqueued.';
COMMENT ON COLUMN outbound_call.started_at IS 'When the last attempt started.';
COMMENT ON COLUMN outbound_call.finished_at IS 'When it was done, failed, parked or superseded.';

-- What all processes together may send to a target -----------------------------------------------------------------

CREATE TABLE rate_limit (
    target             text             PRIMARY KEY,
    version            bigint           NOT NULL DEFAULT 0,
    per_second         double precision,
    learned_per_second double precision,
    grows_at           timestamptz      NOT NULL DEFAULT now(),
    epoch              bigint           NOT NULL DEFAULT 0,
    epoch_at           timestamptz      NOT NULL DEFAULT now(),
    granted            bigint           NOT NULL DEFAULT 0,
    next_permit_at     timestamptz      NOT NULL DEFAULT now(),
    paused_until       timestamptz,
    paused_reason      text,
    throttled          bigint           NOT NULL DEFAULT 0,
    disabled_at        timestamptz,
    disabled_reason    text
) WITH (fillfactor = 20);
COMMENT ON TABLE rate_limit IS 'One row per target with a limit that all processes share: rate, pause and whether it is disabled.';
COMMENT ON COLUMN rate_limit.target IS 'The third party, as in outbound_call.target.';
COMMENT ON COLUMN rate_limit.version IS 'Counts writes: a process that read an older version reads again.';
COMMENT ON COLUMN rate_limit.per_second IS 'Calls per second when permits were last granted; null: there is no limit.';
COMMENT ON COLUMN rate_limit.learned_per_second IS 'The learned rate after its last decrease, from which it grows; null: never throttled, or the rate is configured.';
COMMENT ON COLUMN rate_limit.grows_at IS 'When the learned rate begins to grow, postponed while it is not used up.';
COMMENT ON COLUMN rate_limit.epoch IS 'Counts decreases of the learned rate: a 429 to a call from before the last one decreases nothing.';
COMMENT ON COLUMN rate_limit.epoch_at IS 'When the last decrease was, postponed while nothing was due.';
COMMENT ON COLUMN rate_limit.granted IS 'Permits granted since epoch_at.';
COMMENT ON COLUMN rate_limit.next_permit_at IS 'The first moment that no process has a permit for.';
COMMENT ON COLUMN rate_limit.paused_until IS 'No process calls before this: the target asked for it.';
COMMENT ON COLUMN rate_limit.paused_reason IS 'What the target said when it asked for the pause.';
COMMENT ON COLUMN rate_limit.throttled IS 'Reported pauses, at most one per process and pause.';
COMMENT ON COLUMN rate_limit.disabled_at IS 'Since when nothing is called until an operator enables it; null: it is enabled.';
COMMENT ON COLUMN rate_limit.disabled_reason IS 'What the target said when it was disabled.';

CREATE TABLE rate_limit_lease (
    target     text        NOT NULL,
    process_id uuid        NOT NULL,
    permits    integer     NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (target, process_id)
);
COMMENT ON TABLE rate_limit_lease IS 'Each process''s share of the concurrent calls to a target; empty where no such limit is configured.';
COMMENT ON COLUMN rate_limit_lease.target IS 'The third party.';
COMMENT ON COLUMN rate_limit_lease.process_id IS 'The process, for as long as it lives.';
COMMENT ON COLUMN rate_limit_lease.permits IS 'Calls that it may have in flight.';
COMMENT ON COLUMN rate_limit_lease.expires_at IS 'When the share is free again unless the process renews it: its calls have completed by then.';
