using Sagas.EndToEndTests.Processes;
using Xunit.Sdk;

namespace Sagas.EndToEndTests.Payments;

/// <summary>Checks whether all payments are final, and shows what is stuck if they are not.</summary>
internal sealed class Settlement(RunningSystem system, Workload workload)
{
    // Known customers and payments, and the work in progress.
    private const string Counts = """
        SELECT concat_ws(', ',
            (SELECT count(*) FROM customer_state WHERE customer_id LIKE 'c-%') || ' customers',
            (SELECT count(*) FROM payment_state) || ' payments',
            (SELECT count(*) FROM payment_state WHERE current_state NOT IN ('Completed', 'Failed')) || ' open',
            (SELECT count(*) FROM outbound_call
             WHERE target = 'payment-gateway' AND state NOT IN ('done', 'failed')) || ' open calls',
            (SELECT count(*) FROM outbox_message) || ' in the outbox')
        """;

    /// <summary>Queries whose rows describe where everything is.</summary>
    public static readonly string[] Sections =
    [
        "SELECT current_state, count(*), min(payment_id), max(updated_at) FROM payment_state GROUP BY 1",
        "SELECT current_state, count(*) FROM customer_state GROUP BY 1",
        """
            SELECT payment_id, current_state, attempts, next_due_at, updated_at FROM payment_state
            WHERE current_state NOT IN ('Completed', 'Failed') ORDER BY updated_at LIMIT 10
            """,
        "SELECT state, count(*), max(attempts), min(due), max(last_outcome) FROM outbound_call GROUP BY 1",
        """
            SELECT idempotency_key, state, attempts, due, outcome_unknown, last_outcome FROM outbound_call
            WHERE state NOT IN ('done', 'failed') ORDER BY due LIMIT 10
            """,
        """
            SELECT message_type, outbox_id, position, count(*), min(enqueue_time), max(attempts), max(last_error)
            FROM outbox_message GROUP BY 1, 2, 3
            """,
        "SELECT outbox_id, process_id, started_at, heartbeat_at, now() FROM outbox_instance",
        """
            SELECT pid, application_name, state, now() - xact_start, left(query, 100) FROM pg_stat_activity
            WHERE xact_start < now() - interval '2 seconds' ORDER BY xact_start LIMIT 10
            """,
    ];

    private readonly string _settled =
        $"{workload.Customers} customers, {workload.Orders.Count} payments, 0 open, 0 open calls, 0 in the outbox";

    private readonly ServiceQueues _queues = new(system, "customer-saga", "payment-saga", "process-payment");

    /// <summary>What is not settled yet; empty when all is.</summary>
    public async Task<string> DescribeUnsettledAsync()
    {
        var counts = await system.QueryAsync<string>(Counts);
        return counts == _settled ? await _queues.DescribeFilledAsync() : counts;
    }

    /// <summary>Awaits that everything is settled.</summary>
    /// <exception cref="XunitException">Something is stuck; the message says what.</exception>
    public async Task SettledAsync()
    {
        try
        {
            await Eventually.EqualAsync("", DescribeUnsettledAsync, what: "what is under way");
        }
        catch (XunitException e)
        {
            Assert.Fail($"{e.Message}\n{await system.DescribeAsync(Sections)}\n{await DescribeAsync()}");
        }
    }

    /// <summary>Checks that no message has failed or is left unconsumed.</summary>
    public Task QueuesHoldNothingNewAsync() => _queues.HoldNothingNewAsync();

    /// <summary>The state of queues and gateway, beside <see cref="Sections"/>.</summary>
    public async Task<string> DescribeAsync() => $"{await _queues.DescribeAsync()}\n-- gateway: {await system.SummaryAsync()}";
}
