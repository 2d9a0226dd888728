-- What is not delivered, by file: read all the time to see how much more of a file may be entered.
CREATE INDEX outbound_call_alert_open ON outbound_call (correlation_id, state) WHERE target = 'alert-webhook' AND state <> 'done';

CREATE VIEW alert_delivery AS
SELECT l.idempotency_key AS alert_id, f.name AS file, l.correlation_id AS file_id,
       CASE WHEN f.file_id IS NOT NULL THEN split_part(l.idempotency_key, '-', 2)::bigint END AS line,
       l.request ->> 'userId' AS user_id, l.request ->> 'alertMessage' AS alert_message,
       CASE l.state WHEN 'done' THEN 'delivered' ELSE l.state END AS state, l.attempts, l.last_outcome AS last_answer,
       l.due AS next_try_at, l.started_at AS last_try_at, l.created_at, l.finished_at
FROM outbound_call l
LEFT JOIN file f ON f.file_id = l.correlation_id
WHERE l.target = 'alert-webhook';
COMMENT ON VIEW alert_delivery IS 'Every alert: its state (waiting, in_flight, delivered, failed, parked), attempts, last answer and next try. The outbound calls with the file and line that they came from.';

CREATE VIEW alert_files_overview AS
SELECT f.file_id, f.name, f.state, f.reason, f.length AS size, coalesce(p.next_offset, 0) AS next_offset, coalesce(p.added, 0) AS rows, coalesce(p.rejected, 0) AS rejected,
       f.accepted_at AS created_at, f.finished_at,
       coalesce(p.added, 0) - o.waiting - o.failed - o.parked AS delivered, o.waiting, o.failed, o.parked
FROM file f
LEFT JOIN file_progress p ON p.file_id = f.file_id
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE l.state IN ('waiting', 'in_flight')) AS waiting,
           count(*) FILTER (WHERE l.state = 'failed') AS failed,
           count(*) FILTER (WHERE l.state NOT IN ('waiting', 'in_flight', 'failed')) AS parked
    FROM outbound_call l
    WHERE l.target = 'alert-webhook' AND l.state <> 'done' AND l.correlation_id = f.file_id) o
WHERE f.kind = 'alerts';
COMMENT ON VIEW alert_files_overview IS 'How far each file is: rows, delivered, waiting, failed (refused for good), parked (given up, for a person to retry) and rejected.';
