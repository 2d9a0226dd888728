-- Telling the CRM of customers -----------------------------------------------------------------------------------

ALTER TABLE customer_state
    ADD COLUMN synced_version integer,
    ADD COLUMN sync_failure   text;
COMMENT ON COLUMN customer_state.synced_version IS 'The version of the data that the CRM is known to have; null: none.';
COMMENT ON COLUMN customer_state.sync_failure IS 'SyncFailed: why the CRM could not be told.';
-- Every customer is changed soon after it is made: with room on its page, the change costs no index an entry.
ALTER TABLE customer_state SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);

ALTER TABLE ledger DROP CONSTRAINT ledger_state_check;
ALTER TABLE ledger ADD CONSTRAINT ledger_state_check
    CHECK (state IN ('waiting', 'in_flight', 'done', 'failed', 'parked', 'superseded'));
COMMENT ON COLUMN ledger.state IS 'waiting, in_flight, done, failed (refused for good), parked (for a person to decide) or superseded (a newer call says it all).';
COMMENT ON COLUMN ledger.finished_at IS 'When it was done, failed, parked or superseded.';

DROP VIEW customers_overview;
CREATE VIEW customers_overview AS
SELECT c.customer_id, c.current_state AS state, c.first_name, c.last_name, c.email, c.phone, c.version, c.synced_version, c.sync_failure,
       l.state AS crm_call, l.attempts AS crm_attempts, l.last_outcome AS crm_outcome, c.registered_at, c.updated_at,
       p.payments, p.completed, p.open
FROM customer_state c
LEFT JOIN ledger l ON l.target = 'crm' AND l.idempotency_key = c.correlation_id::text || '/' || c.version
CROSS JOIN LATERAL (
    SELECT count(*) AS payments, count(*) FILTER (WHERE current_state = 'Completed') AS completed,
           count(*) FILTER (WHERE current_state IN ('AwaitingCustomer', 'Processing')) AS open
    FROM payment_state WHERE customer_id = c.customer_id) p;
COMMENT ON VIEW customers_overview IS 'Every customer with what the CRM knows of it, and the number of their payments.';
