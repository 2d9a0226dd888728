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
-- The newest payments first, as the command line lists them. Payments are made in the order of this time, so that an entry costs
-- next to nothing, and the time never changes.
CREATE INDEX payment_state_created ON payment_state (created_at);
COMMENT ON TABLE payment_state IS 'One row per payment: the payment saga.';
COMMENT ON COLUMN payment_state.correlation_id IS 'Version 5 UUID of the kind and the payment''s id.';
COMMENT ON COLUMN payment_state.payment_id IS 'The payment''s id, as the producers send it.';
COMMENT ON COLUMN payment_state.customer_id IS 'The customer who pays.';
COMMENT ON COLUMN payment_state.current_state IS 'AwaitingCustomer, Processing, Completed, Failed or Expired.';
COMMENT ON COLUMN payment_state.amount IS 'How much, in units of the currency.';
COMMENT ON COLUMN payment_state.currency IS 'ISO 4217 code.';
COMMENT ON COLUMN payment_state.requested_at IS 'When the payment was asked for.';
COMMENT ON COLUMN payment_state.attempts IS 'How often the customer was looked up and not found.';
COMMENT ON COLUMN payment_state.next_due_at IS 'When the customer is looked for next; null when nothing is scheduled.';
COMMENT ON COLUMN payment_state.deadline_at IS 'When the wait for the customer ends.';
COMMENT ON COLUMN payment_state.redelivery_token_id IS 'The scheduled message that wakes the payment (outbox_message.schedule_token_id).';
COMMENT ON COLUMN payment_state.gateway_reference IS 'The gateway''s name for the charge.';
COMMENT ON COLUMN payment_state.failure_reason IS 'Why the payment failed or expired.';
COMMENT ON COLUMN payment_state.created_at IS 'When the row was made.';
COMMENT ON COLUMN payment_state.updated_at IS 'When the row changed last.';
COMMENT ON COLUMN payment_state.finished_at IS 'When the payment reached Completed, Failed or Expired.';

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
LEFT JOIN outbound_call l ON l.target = 'payment-gateway' AND l.idempotency_key = p.correlation_id::text;
COMMENT ON VIEW payments_overview IS 'Every payment with the state of its gateway call.';
