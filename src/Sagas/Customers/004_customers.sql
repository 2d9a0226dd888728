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
    updated_at     timestamptz NOT NULL,
    synced_version integer,
    sync_failure   text
-- Every customer is changed soon after it is made: with room on its page, the change costs no index an entry.
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
COMMENT ON TABLE customer_state IS 'One row per customer: the customer saga.';
COMMENT ON COLUMN customer_state.correlation_id IS 'Version 5 UUID of the kind and the customer''s id.';
COMMENT ON COLUMN customer_state.customer_id IS 'The customer''s id, as the producers send it.';
COMMENT ON COLUMN customer_state.current_state IS 'Registered: known here. Syncing, Synced, SyncFailed: the state of the CRM call.';
COMMENT ON COLUMN customer_state.first_name IS 'Given name.';
COMMENT ON COLUMN customer_state.last_name IS 'Family name.';
COMMENT ON COLUMN customer_state.email IS 'E-mail address.';
COMMENT ON COLUMN customer_state.phone IS 'Telephone number.';
COMMENT ON COLUMN customer_state.source IS 'The system that sent the data held.';
COMMENT ON COLUMN customer_state.registered_at IS 'Time of the data held; an older registration does not overwrite them.';
COMMENT ON COLUMN customer_state.version IS 'Counts changes of the data, from 1.';
COMMENT ON COLUMN customer_state.created_at IS 'When the row was made.';
COMMENT ON COLUMN customer_state.updated_at IS 'When the row changed last.';
COMMENT ON COLUMN customer_state.synced_version IS 'The version of the data that the CRM is known to have; null: none.';
COMMENT ON COLUMN customer_state.sync_failure IS 'SyncFailed: why the CRM refused the data or the call was given up.';

CREATE VIEW customers_overview AS
SELECT c.customer_id, c.current_state AS state, c.first_name, c.last_name, c.email, c.phone, c.version, c.synced_version, c.sync_failure,
       l.state AS crm_call, l.attempts AS crm_attempts, l.last_outcome AS crm_outcome, c.registered_at, c.updated_at,
       p.payments, p.completed, p.open
FROM customer_state c
LEFT JOIN outbound_call l ON l.target = 'crm' AND l.idempotency_key = c.correlation_id::text || '/' || c.version
CROSS JOIN LATERAL (
    SELECT count(*) AS payments, count(*) FILTER (WHERE current_state = 'Completed') AS completed,
           count(*) FILTER (WHERE current_state IN ('AwaitingCustomer', 'Processing')) AS open
    FROM payment_state WHERE customer_id = c.customer_id) p;
COMMENT ON VIEW customers_overview IS 'Every customer with what the CRM knows of it, and the number of their payments.';
