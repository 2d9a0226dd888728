-- The transactional inbox and outbox, and the history of sagas.

CREATE TABLE inbox_state (
    message_id          uuid        NOT NULL,
    consumer_id         uuid        NOT NULL,
    awaiting_redelivery integer,
    received            timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (message_id, consumer_id)
);
-- Rows arrive in the order of their time and are removed in that order, which is what BRIN is for: a b-tree here
-- would cost as much as the primary key does on every message.
CREATE INDEX inbox_state_received ON inbox_state USING brin (received) WITH (pages_per_range = 16);
COMMENT ON TABLE inbox_state IS 'One row per message and consumer that consumed it: what makes a second delivery change nothing.';
COMMENT ON COLUMN inbox_state.message_id IS 'The message''s id; for a redelivery, the id of the message first sent.';
COMMENT ON COLUMN inbox_state.consumer_id IS 'Hash of receive endpoint, consumer and message type.';
COMMENT ON COLUMN inbox_state.awaiting_redelivery IS 'The redelivery that the consumer itself asked for and that will be consumed; null: none.';
COMMENT ON COLUMN inbox_state.received IS 'When it was consumed; rows are kept for the duplicate detection window.';

CREATE TABLE outbox_instance (
    outbox_id    uuid        PRIMARY KEY,
    host_name    text        NOT NULL,
    process_id   integer     NOT NULL,
    started_at   timestamptz NOT NULL DEFAULT now(),
    heartbeat_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE outbox_instance IS 'One row per process that publishes from memory; when its heartbeat stops, the relay takes its messages over.';
COMMENT ON COLUMN outbox_instance.outbox_id IS 'The instance; a process has a new one at each start.';
COMMENT ON COLUMN outbox_instance.host_name IS 'Host (container) of the process.';
COMMENT ON COLUMN outbox_instance.process_id IS 'Operating system''s number of the process.';
COMMENT ON COLUMN outbox_instance.started_at IS 'When the process started.';
COMMENT ON COLUMN outbox_instance.heartbeat_at IS 'The last heartbeat.';

CREATE TABLE outbox_message (
    sequence_number     bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message_id          uuid        NOT NULL,
    outbox_id           uuid,
    batch_id            uuid        NOT NULL,
    position            integer     NOT NULL DEFAULT 0,
    batch_size          integer     NOT NULL DEFAULT 1,
    enqueue_time        timestamptz NOT NULL DEFAULT now(),
    sent_time           timestamptz NOT NULL DEFAULT now(),
    expiration_time     timestamptz,
    schedule_token_id   uuid,
    conversation_id     uuid,
    correlation_id      uuid,
    initiator_id        uuid,
    request_id          uuid,
    source_address      text,
    destination_address text        NOT NULL,
    response_address    text,
    fault_address       text,
    message_type        text        NOT NULL,
    content_type        text        NOT NULL,
    headers             text,
    properties          text,
    body                text        NOT NULL,
    attempts            integer     NOT NULL DEFAULT 0,
    last_error          text
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
-- Oldest first, only what the relay may take: a backlog of any size is read from its front.
CREATE INDEX outbox_message_due ON outbox_message (enqueue_time, sequence_number) WHERE outbox_id IS NULL AND position = 0;
CREATE INDEX outbox_message_batch ON outbox_message (batch_id, position) WHERE position > 0;
-- Read only to find what a stopped instance has left, so it must cost next to nothing to write.
CREATE INDEX outbox_message_owner ON outbox_message USING brin (outbox_id) WITH (pages_per_range = 32, autosummarize = on)
    WHERE outbox_id IS NOT NULL;
CREATE UNIQUE INDEX outbox_message_schedule ON outbox_message (schedule_token_id) WHERE schedule_token_id IS NOT NULL;
COMMENT ON TABLE outbox_message IS 'Messages committed and not yet confirmed by the broker: being published, waiting for the relay, or scheduled for later.';
COMMENT ON COLUMN outbox_message.sequence_number IS 'Order of insertion.';
COMMENT ON COLUMN outbox_message.message_id IS 'The MessageId it is sent with, however often it is sent.';
COMMENT ON COLUMN outbox_message.outbox_id IS 'The instance publishing it from memory; null: the relay sends it when due.';
COMMENT ON COLUMN outbox_message.batch_id IS 'Messages of one transaction that are sent in order.';
COMMENT ON COLUMN outbox_message.position IS 'Place within the batch, from 0.';
COMMENT ON COLUMN outbox_message.batch_size IS 'How many messages the batch has; set on its first message.';
COMMENT ON COLUMN outbox_message.enqueue_time IS 'When it is due.';
COMMENT ON COLUMN outbox_message.sent_time IS 'When the producer published it.';
COMMENT ON COLUMN outbox_message.expiration_time IS 'After this it is not sent any more.';
COMMENT ON COLUMN outbox_message.schedule_token_id IS 'Names a scheduled message, to cancel it or pull it forward.';
COMMENT ON COLUMN outbox_message.conversation_id IS 'The conversation that it belongs to.';
COMMENT ON COLUMN outbox_message.correlation_id IS 'The saga or thing that it is about.';
COMMENT ON COLUMN outbox_message.initiator_id IS 'Correlation id of the message that led to it.';
COMMENT ON COLUMN outbox_message.request_id IS 'The request that it answers.';
COMMENT ON COLUMN outbox_message.source_address IS 'Who sends it.';
COMMENT ON COLUMN outbox_message.destination_address IS 'The exchange or queue that it is sent to.';
COMMENT ON COLUMN outbox_message.response_address IS 'Where answers go.';
COMMENT ON COLUMN outbox_message.fault_address IS 'Where faults go.';
COMMENT ON COLUMN outbox_message.message_type IS 'Message type URNs, separated by semicolons.';
COMMENT ON COLUMN outbox_message.content_type IS 'Media type of the body.';
COMMENT ON COLUMN outbox_message.headers IS 'Transport headers, JSON.';
COMMENT ON COLUMN outbox_message.properties IS 'Transport properties such as the routing key, JSON.';
COMMENT ON COLUMN outbox_message.body IS 'The body as it is sent.';
COMMENT ON COLUMN outbox_message.attempts IS 'How often sending failed.';
COMMENT ON COLUMN outbox_message.last_error IS 'Why sending failed last.';

CREATE TABLE saga_transition (
    id              bigint      GENERATED ALWAYS AS IDENTITY,
    saga            text        NOT NULL,
    correlation_id  uuid        NOT NULL,
    from_state      text,
    to_state        text        NOT NULL,
    event           text        NOT NULL,
    message_id      uuid,
    conversation_id uuid,
    occurred_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- A saga's history is looked up by the saga alone. An index on the number would cost every transition an entry, and all
    -- who insert one would meet at its last page.
    PRIMARY KEY (correlation_id, id)
);
COMMENT ON TABLE saga_transition IS 'What each saga went through: a row per consumed event, in the transaction of its effects.';
COMMENT ON COLUMN saga_transition.id IS 'Order of insertion.';
COMMENT ON COLUMN saga_transition.saga IS 'The saga''s table.';
COMMENT ON COLUMN saga_transition.correlation_id IS 'The saga instance.';
COMMENT ON COLUMN saga_transition.from_state IS 'State before; null: the event created the saga.';
COMMENT ON COLUMN saga_transition.to_state IS 'State after; equal to the state before when the event changed data only.';
COMMENT ON COLUMN saga_transition.event IS 'Name of the message.';
COMMENT ON COLUMN saga_transition.message_id IS 'The message.';
COMMENT ON COLUMN saga_transition.conversation_id IS 'The conversation that it belongs to.';
COMMENT ON COLUMN saga_transition.occurred_at IS 'When.';

CREATE FUNCTION pull_forward(tokens uuid[]) RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE
    pulled uuid[];
BEGIN
    -- A row that a relay has locked is on its way already; waiting for it would make the caller wait for the broker.
    WITH due AS (
        UPDATE outbox_message SET enqueue_time = now()
        WHERE sequence_number IN (
            SELECT sequence_number FROM outbox_message
            WHERE schedule_token_id = ANY (tokens) AND enqueue_time > now()
            ORDER BY sequence_number FOR UPDATE SKIP LOCKED)
        RETURNING schedule_token_id)
    SELECT coalesce(array_agg(schedule_token_id), '{}') INTO pulled FROM due;
    IF cardinality(pulled) > 0 THEN
        PERFORM pg_notify('outbox_due', '');
    END IF;
    RETURN pulled;
END $$;
COMMENT ON FUNCTION pull_forward IS 'Makes scheduled messages due now and wakes the relays; returns the tokens of those that it found.';
