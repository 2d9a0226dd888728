-- Messages: the transactional inbox and outbox -------------------------------------------------------------------

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

CREATE TABLE outbox_state (
    outbox_id  uuid        PRIMARY KEY,
    host_name  text        NOT NULL,
    process_id integer     NOT NULL,
    started    timestamptz NOT NULL DEFAULT now(),
    renewed    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE outbox_state IS 'One row per process that publishes from memory; when it is not renewed, the relay takes the process''s messages over.';
COMMENT ON COLUMN outbox_state.outbox_id IS 'The process, for as long as it lives.';
COMMENT ON COLUMN outbox_state.host_name IS 'Host (container) of the process.';
COMMENT ON COLUMN outbox_state.process_id IS 'Operating system''s number of the process.';
COMMENT ON COLUMN outbox_state.started IS 'When the process started.';
COMMENT ON COLUMN outbox_state.renewed IS 'When the process last said that it lives.';

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
-- Read only to find what a process that is gone has left, so it must cost next to nothing to write.
CREATE INDEX outbox_message_owner ON outbox_message USING brin (outbox_id) WITH (pages_per_range = 32, autosummarize = on)
    WHERE outbox_id IS NOT NULL;
CREATE UNIQUE INDEX outbox_message_schedule ON outbox_message (schedule_token_id) WHERE schedule_token_id IS NOT NULL;
COMMENT ON TABLE outbox_message IS 'Messages committed and not yet confirmed by the broker: being published, waiting for the relay, or scheduled for later.';
COMMENT ON COLUMN outbox_message.sequence_number IS 'Order of insertion.';
COMMENT ON COLUMN outbox_message.message_id IS 'The MessageId it is sent with, however often it is sent.';
COMMENT ON COLUMN outbox_message.outbox_id IS 'The process publishing it from memory; null: the relay sends it when due.';
COMMENT ON COLUMN outbox_message.batch_id IS 'Messages of one transaction that are sent in order.';
COMMENT ON COLUMN outbox_message.position IS 'Place within the batch, from 0.';
COMMENT ON COLUMN outbox_message.batch_size IS 'How many messages the batch has; told by its first message.';
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

-- Sagas ----------------------------------------------------------------------------------------------------------

CREATE TABLE customer_state (
    correlation_id uuid        PRIMARY KEY,
    customer_id    text        NOT NULL UNIQUE,
    current_state  text        NOT NULL,
    first_name     text,
    last_name      text,
    email          text,
    phone          text,
    source         text,
    registered_at  timestamptz NOT NULL,
    version        integer     NOT NULL,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL
);
COMMENT ON TABLE customer_state IS 'One row per customer: the customer saga.';
COMMENT ON COLUMN customer_state.correlation_id IS 'Version 5 UUID of the kind and the customer''s id.';
COMMENT ON COLUMN customer_state.customer_id IS 'The customer''s id, as the producers say it.';
COMMENT ON COLUMN customer_state.current_state IS 'Registered: known here. Syncing, Synced, SyncFailed: how far the CRM knows of it.';
COMMENT ON COLUMN customer_state.first_name IS 'Given name.';
COMMENT ON COLUMN customer_state.last_name IS 'Family name.';
COMMENT ON COLUMN customer_state.email IS 'E-mail address.';
COMMENT ON COLUMN customer_state.phone IS 'Telephone number.';
COMMENT ON COLUMN customer_state.source IS 'The system that said so last.';
COMMENT ON COLUMN customer_state.registered_at IS 'Time of the data held; an older registration does not overwrite them.';
COMMENT ON COLUMN customer_state.version IS 'Counts changes of the data, from 1.';
COMMENT ON COLUMN customer_state.created_at IS 'When the row was made.';
COMMENT ON COLUMN customer_state.updated_at IS 'When the row changed last.';

CREATE TABLE payment_state (
    correlation_id      uuid          PRIMARY KEY,
    payment_id          text          NOT NULL UNIQUE,
    customer_id         text          NOT NULL,
    current_state       text          NOT NULL,
    amount              numeric(19,4) NOT NULL,
    currency            text          NOT NULL,
    requested_at        timestamptz   NOT NULL,
    attempts            integer       NOT NULL DEFAULT 0,
    next_due_at         timestamptz,
    deadline_at         timestamptz   NOT NULL,
    redelivery_token_id uuid,
    gateway_reference   text,
    failure_reason      text,
    created_at          timestamptz   NOT NULL,
    updated_at          timestamptz   NOT NULL,
    finished_at         timestamptz
);
CREATE INDEX payment_state_customer ON payment_state (customer_id);
CREATE INDEX payment_state_waiting ON payment_state (customer_id) WHERE current_state = 'AwaitingCustomer';
COMMENT ON TABLE payment_state IS 'One row per payment: the payment saga.';
COMMENT ON COLUMN payment_state.correlation_id IS 'Version 5 UUID of the kind and the payment''s id.';
COMMENT ON COLUMN payment_state.payment_id IS 'The payment''s id, as the producers say it.';
COMMENT ON COLUMN payment_state.customer_id IS 'The customer who pays.';
COMMENT ON COLUMN payment_state.current_state IS 'AwaitingCustomer, Processing, Completed, Failed or Expired.';
COMMENT ON COLUMN payment_state.amount IS 'How much, in units of the currency.';
COMMENT ON COLUMN payment_state.currency IS 'ISO 4217 code.';
COMMENT ON COLUMN payment_state.requested_at IS 'When the payment was asked for.';
COMMENT ON COLUMN payment_state.attempts IS 'How often the customer was looked for in vain.';
COMMENT ON COLUMN payment_state.next_due_at IS 'When the customer is looked for next; null when nothing is scheduled.';
COMMENT ON COLUMN payment_state.deadline_at IS 'When the wait for the customer ends.';
COMMENT ON COLUMN payment_state.redelivery_token_id IS 'The scheduled message that wakes the payment (outbox_message.schedule_token_id).';
COMMENT ON COLUMN payment_state.gateway_reference IS 'The gateway''s name for the charge.';
COMMENT ON COLUMN payment_state.failure_reason IS 'Why the payment failed or expired.';
COMMENT ON COLUMN payment_state.created_at IS 'When the row was made.';
COMMENT ON COLUMN payment_state.updated_at IS 'When the row changed last.';
COMMENT ON COLUMN payment_state.finished_at IS 'When the payment reached Completed, Failed or Expired.';

CREATE TABLE saga_transition (
    id              bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    saga            text        NOT NULL,
    correlation_id  uuid        NOT NULL,
    from_state      text,
    to_state        text        NOT NULL,
    event           text        NOT NULL,
    message_id      uuid,
    conversation_id uuid,
    occurred_at     timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX saga_transition_saga ON saga_transition (correlation_id, id);
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

-- Calls to third parties -----------------------------------------------------------------------------------------

CREATE TABLE ledger (
    target          text        NOT NULL,
    idempotency_key text        NOT NULL,
    state           text        NOT NULL CHECK (state IN ('waiting', 'in_flight', 'done', 'failed', 'parked')),
    mode            text        NOT NULL CHECK (mode IN ('IdempotencyKey', 'Lookup', 'AtMostOnce')),
    request         jsonb       NOT NULL,
    attempts        integer     NOT NULL DEFAULT 0,
    due             timestamptz,
    claim           uuid,
    may_have_happened boolean   NOT NULL DEFAULT false,
    last_outcome    text,
    response        jsonb,
    conversation_id uuid,
    correlation_id  uuid,
    created_at      timestamptz NOT NULL DEFAULT now(),
    started_at      timestamptz,
    finished_at     timestamptz,
    PRIMARY KEY (target, idempotency_key)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX ledger_due ON ledger (target, due) WHERE due IS NOT NULL;
COMMENT ON TABLE ledger IS 'One row per call to a third party: what makes the call have its effect once.';
COMMENT ON COLUMN ledger.target IS 'The third party.';
COMMENT ON COLUMN ledger.idempotency_key IS 'The call''s name at the target, the same however often it is sent.';
COMMENT ON COLUMN ledger.state IS 'waiting, in_flight, done, failed (refused for good) or parked (for a person to decide).';
COMMENT ON COLUMN ledger.mode IS 'How an unknown outcome is resolved: IdempotencyKey, Lookup or AtMostOnce.';
COMMENT ON COLUMN ledger.request IS 'What the target is asked to do.';
COMMENT ON COLUMN ledger.attempts IS 'How often the call was started.';
COMMENT ON COLUMN ledger.due IS 'When it is tried next, or, in flight, when it counts as abandoned; null: nothing more will be done.';
COMMENT ON COLUMN ledger.claim IS 'In flight: the claim that holds it, so that only its holder may say what came of it.';
COMMENT ON COLUMN ledger.may_have_happened IS 'An attempt''s outcome is unknown: resolved by mode before the call is made again.';
COMMENT ON COLUMN ledger.last_outcome IS 'What came of the last attempt.';
COMMENT ON COLUMN ledger.response IS 'What the target answered.';
COMMENT ON COLUMN ledger.conversation_id IS 'The conversation that asked for it.';
COMMENT ON COLUMN ledger.correlation_id IS 'The saga that asked for it.';
COMMENT ON COLUMN ledger.created_at IS 'When it was asked for.';
COMMENT ON COLUMN ledger.started_at IS 'When the last attempt started.';
COMMENT ON COLUMN ledger.finished_at IS 'When it was done, failed or parked.';

-- Views for people -----------------------------------------------------------------------------------------------

CREATE VIEW payments_waiting AS
SELECT p.payment_id, p.customer_id, p.amount, p.currency, p.attempts, p.next_due_at,
       GREATEST(p.next_due_at - now(), interval '0') AS due_in, p.deadline_at, now() - p.created_at AS waiting_for
FROM payment_state p
WHERE p.current_state = 'AwaitingCustomer'
ORDER BY p.next_due_at;
COMMENT ON VIEW payments_waiting IS 'Payments whose customer is not known yet, the next due first.';

CREATE VIEW payments_overview AS
SELECT p.payment_id, p.customer_id, p.current_state AS state, p.amount, p.currency, p.attempts, p.next_due_at,
       p.gateway_reference, p.failure_reason, l.state AS gateway_call, l.attempts AS gateway_attempts, l.last_outcome AS gateway_outcome,
       p.requested_at, p.created_at, p.finished_at, p.finished_at - p.created_at AS took
FROM payment_state p
LEFT JOIN ledger l ON l.target = 'payment-gateway' AND l.idempotency_key = p.correlation_id::text;
COMMENT ON VIEW payments_overview IS 'Every payment with the state of its gateway call.';

CREATE VIEW customers_overview AS
SELECT c.customer_id, c.current_state AS state, c.first_name, c.last_name, c.email, c.phone, c.version, c.registered_at, c.updated_at,
       p.payments, p.completed, p.open
FROM customer_state c
CROSS JOIN LATERAL (
    SELECT count(*) AS payments, count(*) FILTER (WHERE current_state = 'Completed') AS completed,
           count(*) FILTER (WHERE current_state IN ('AwaitingCustomer', 'Processing')) AS open
    FROM payment_state WHERE customer_id = c.customer_id) p;
COMMENT ON VIEW customers_overview IS 'Every customer with the number of their payments.';

-- Waking what waits ----------------------------------------------------------------------------------------------

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
