namespace Sagas.Services.Ingest;

/// <summary>
/// The statements of a batch. Together they have the effect of consuming a <c>CustomerRegistered</c> for each row, in the
/// order of the file; a conformance test does both and compares.
/// </summary>
/// <remarks>
/// Joins with <c>customer_state</c> are lateral with OFFSET 0, which the planner does not change: an index look-up per row.
/// The statistics of a table that grows by millions of rows a minute are always wrong, and would lead to plans that scan the
/// table for each batch.
/// </remarks>
internal static class IngestSql
{
    /// <summary>Adds customers in the order of the index; fails when one is known.</summary>
    public const string CopyCustomers = """
        COPY customer_state (
            correlation_id, customer_id, first_name, last_name, email, phone, source, registered_at,
            current_state, version, created_at, updated_at, file_id)
        FROM STDIN (FORMAT binary)
        """;

    private const string CustomerBucketAdvisoryLock = "7230004";

    /// <summary>The batch's rows as in the file.</summary>
    public const string CreateStaging = """
        CREATE TEMP TABLE customer_staging (
            line bigint NOT NULL, correlation_id uuid NOT NULL, customer_id text NOT NULL,
            first_name text, last_name text, email text, phone text,
            source text NOT NULL, registered_at timestamptz NOT NULL) ON COMMIT DROP
        """;

    public const string CopyIntoStaging = "COPY customer_staging FROM STDIN (FORMAT binary)";

    // Each index-ordered insert sorts the batch; with the default it would sort on disk.
    public const string Settings = "SET LOCAL work_mem = '96MB'";

    /// <summary>One transaction at a time writes the customers of a bucket, whichever file they are in; prevents deadlocks
    /// between files.</summary>
    public const string LockBucket = $"SELECT pg_advisory_xact_lock({CustomerBucketAdvisoryLock}, $1)";

    /// <summary>Adds the batch's new customers: the first row of each, in the order of the index. Returns how many, their
    /// transaction id, and those to queue for the CRM.</summary>
    public const string AddNewCustomers = """
        WITH added AS (
            INSERT INTO customer_state (
                correlation_id, customer_id, current_state, first_name, last_name, email, phone, source, registered_at,
                version, created_at, updated_at, file_id)
            SELECT DISTINCT ON (s.correlation_id)
                   s.correlation_id, customer_id, @state, first_name, last_name, email, phone, source, registered_at,
                   1, @now, @now, @file
            FROM (SELECT * FROM customer_staging ORDER BY correlation_id, line) s
            LEFT JOIN LATERAL (
                SELECT true AS is_known FROM customer_state c WHERE c.correlation_id = s.correlation_id OFFSET 0) k ON true
            WHERE k.is_known IS NULL
            ORDER BY s.correlation_id, s.line RETURNING correlation_id, customer_id, xmin),
        to_queue AS (SELECT customer_id FROM added WHERE @crm)
        SELECT (SELECT count(*) FROM added), coalesce((SELECT xmin::text FROM added LIMIT 1), '0'),
               coalesce((SELECT array_agg(customer_id) FROM to_queue), '{}')
        """;

    public const string CreateRest = "CREATE TEMP TABLE customer_rest (LIKE customer_staging) ON COMMIT DROP";

    /// <summary>The remaining rows: those of known customers, and all rows of customers with several. The first row of a
    /// customer that was just added is among them and changes nothing.</summary>
    public const string FindRest = """
        INSERT INTO customer_rest SELECT s.* FROM customer_staging s WHERE s.correlation_id IN (
            SELECT correlation_id FROM customer_staging GROUP BY correlation_id HAVING count(*) > 1
            UNION
            SELECT s.correlation_id FROM customer_staging s
            CROSS JOIN LATERAL (SELECT c.xmin FROM customer_state c WHERE c.correlation_id = s.correlation_id OFFSET 0) k
            WHERE k.xmin <> @added::xid)
        """;

    /// <summary>Locks the customers against live sagas, in the same order in every batch.</summary>
    public const string LockRest = """
        SELECT count(*) FROM (SELECT DISTINCT correlation_id FROM customer_rest ORDER BY correlation_id) r
        CROSS JOIN LATERAL (SELECT true FROM customer_state c WHERE c.correlation_id = r.correlation_id FOR UPDATE) k
        """;

    // For the UPDATE, whose target cannot be joined laterally.
    public const string UseIndexes = "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off";

    public const string UseAnything = "SET LOCAL enable_hashjoin = on; SET LOCAL enable_mergejoin = on";

    /// <summary>Applies the remaining rows. Older data are ignored; the same data only move their time. Returns how many rows
    /// changed data.</summary>
    public const string ChangeCustomers = """
        WITH events AS (
            SELECT c.correlation_id, -1::bigint AS line, c.registered_at,
                   c.first_name, c.last_name, c.email, c.phone, c.source, c.current_state AS base
            FROM (SELECT DISTINCT correlation_id FROM customer_rest) r
            CROSS JOIN LATERAL (SELECT * FROM customer_state c WHERE c.correlation_id = r.correlation_id OFFSET 0) c
            UNION ALL
            SELECT correlation_id, line, registered_at, first_name, last_name, email, phone, source, NULL
            FROM customer_rest),
        newest AS (
            SELECT * FROM (
                SELECT *, max(registered_at) OVER (
                    PARTITION BY correlation_id ORDER BY line ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
                FROM events) timed
            WHERE before IS NULL OR registered_at >= before),
        compared AS (
            SELECT *, first_value(base) OVER w AS state, registered_at > before AS is_newer,
                   line >= 0 AND (first_name, last_name, email, phone)
                       IS DISTINCT FROM (lag(first_name) OVER w, lag(last_name) OVER w, lag(email) OVER w, lag(phone) OVER w)
                       AS is_change
            FROM newest WINDOW w AS (PARTITION BY correlation_id ORDER BY line)),
        relevant AS (
            SELECT *, count(*) FILTER (WHERE is_change) OVER (PARTITION BY correlation_id ORDER BY line) AS changes,
                   CASE WHEN state = 'Syncing' THEN state ELSE @state END AS changed_state
            FROM compared WHERE is_change OR is_newer),
        history AS (
            INSERT INTO saga_transition (saga, correlation_id, from_state, to_state, event, conversation_id)
            SELECT 'customer_state', correlation_id, CASE WHEN changes > is_change::int THEN changed_state ELSE state END,
                   CASE WHEN changes > 0 THEN changed_state ELSE state END, 'CustomerRegistered', @file
            FROM relevant ORDER BY correlation_id, line),
        last AS (
            SELECT DISTINCT ON (correlation_id) * FROM (
                SELECT *, first_value(source) OVER (PARTITION BY correlation_id, changes ORDER BY line) AS source_of_change
                FROM relevant) sourced
            ORDER BY correlation_id, line DESC),
        changed AS (
            UPDATE customer_state c
            SET registered_at = l.registered_at, version = c.version + l.changes,
                first_name = l.first_name, last_name = l.last_name, email = l.email, phone = l.phone,
                source = CASE WHEN l.changes > 0 THEN l.source_of_change ELSE c.source END,
                updated_at = CASE WHEN l.changes > 0 THEN @now ELSE c.updated_at END,
                current_state = CASE WHEN l.changes > 0 THEN l.changed_state ELSE l.state END,
                sync_failure = CASE WHEN l.changes > 0 THEN NULL ELSE c.sync_failure END
            FROM last l WHERE c.correlation_id = l.correlation_id
            RETURNING c.customer_id, l.changes, l.state),
        to_queue AS (SELECT customer_id FROM changed WHERE @crm AND changes > 0 AND state <> 'Syncing')
        SELECT coalesce(sum(changes), 0)::bigint, coalesce((SELECT array_agg(customer_id) FROM to_queue), '{}') FROM changed
        """;

    /// <summary>Customers that the batch added, and for whom payments wait.</summary>
    public const string FindAwaited = """
        SELECT DISTINCT p.customer_id FROM payment_state p JOIN customer_staging s ON s.customer_id = p.customer_id
        CROSS JOIN LATERAL (SELECT c.xmin FROM customer_state c WHERE c.correlation_id = s.correlation_id OFFSET 0) k
        WHERE p.current_state = 'AwaitingCustomer' AND k.xmin = @added::xid
        """;

    /// <summary>The same when all of them are new.</summary>
    public const string FindAwaitedOf = """
        SELECT DISTINCT p.customer_id FROM payment_state p
        JOIN unnest(@customers) AS n (customer_id) ON n.customer_id = p.customer_id
        WHERE p.current_state = 'AwaitingCustomer'
        """;

    /// <summary>All payments that wait, with the message that wakes each.</summary>
    public const string FindWaitingPayments = """
        SELECT customer_id, redelivery_token_id FROM payment_state
        WHERE current_state = 'AwaitingCustomer' AND redelivery_token_id IS NOT NULL
        """;

    /// <summary>Wakes those of some waiting payments whose customer is known: they looked before the customer's batch
    /// committed, and started to wait after it had looked for waiting payments.</summary>
    public const string WakeRacingPayments = """
        SELECT pull_forward(array_agg(p.token)) FROM unnest(@customers, @tokens) AS p (customer, token)
        CROSS JOIN LATERAL (SELECT true FROM customer_state c WHERE c.correlation_id = p.customer OFFSET 0) k
        """;

    /// <summary>Wakes the relays when the transaction commits.</summary>
    public const string WakeRelays = "SELECT pg_notify('outbox_due', '')";
}
