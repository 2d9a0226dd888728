using Microsoft.EntityFrameworkCore;
using Sagas.Database;

namespace Sagas.Services.Operations;

/// <summary>Counts of everything, without personal data.</summary>
/// <param name="Customers">Number of customers by state.</param>
/// <param name="Payments">Number of payments by state.</param>
/// <param name="Outbox">Messages that the broker has not confirmed yet.</param>
/// <param name="OutboundCalls">Number of calls by target and state.</param>
/// <param name="Alarms">Number of alarms by status.</param>
/// <param name="Objects">Number of objects seen lately.</param>
public sealed record Overview(
    IReadOnlyDictionary<string, long> Customers,
    IReadOnlyDictionary<string, long> Payments,
    OutboxOverview Outbox,
    IReadOnlyDictionary<string, IReadOnlyDictionary<string, long>> OutboundCalls,
    IReadOnlyDictionary<string, long> Alarms,
    long Objects
);

/// <summary>The outbox in numbers.</summary>
/// <param name="Scheduled">Messages due later.</param>
/// <param name="Due">Messages due now.</param>
/// <param name="Failing">Messages whose sending has failed at least once.</param>
/// <param name="OldestDueSeconds">How long the oldest message has been due, in seconds; 0 when none is.</param>
public sealed record OutboxOverview(long Scheduled, long Due, long Failing, double OldestDueSeconds);

/// <summary>Reads <see cref="Overview"/>.</summary>
internal static class OverviewQuery
{
    private sealed record Count(string Of, string State, long Rows);

    public static async Task<Overview> ReadAsync(SagasDbContext database, CancellationToken cancellationToken)
    {
        var counts = await database
            .Database.SqlQuery<Count>(
                $"""
                SELECT 'customers' AS "Of", current_state AS "State", count(*) AS "Rows" FROM customer_state GROUP BY 2
                UNION ALL SELECT 'payments', current_state, count(*) FROM payment_state GROUP BY 2
                UNION ALL SELECT 'alarms', status, count(*) FROM alarm GROUP BY 2
                UNION ALL SELECT 'objects', 'seen', count(*) FROM object_status
                UNION ALL SELECT 'call:' || target, state, count(*) FROM outbound_call GROUP BY 1, 2
                """
            )
            .ToListAsync(cancellationToken);
        var outbox = await database
            .Database.SqlQuery<OutboxOverview>(
                $"""
                SELECT count(*) FILTER (WHERE enqueue_time > now()) AS "Scheduled",
                       count(*) FILTER (WHERE enqueue_time <= now()) AS "Due",
                       count(*) FILTER (WHERE attempts > 0) AS "Failing",
                       coalesce(greatest(extract(epoch FROM now() - min(enqueue_time)), 0), 0)::float8 AS "OldestDueSeconds"
                FROM outbox_message
                """
            )
            .SingleAsync(cancellationToken);
        return new Overview(
            ByState(counts.Where(count => count.Of == "customers")),
            ByState(counts.Where(count => count.Of == "payments")),
            outbox,
            counts
                .Where(count => count.Of.StartsWith("call:", StringComparison.Ordinal))
                .GroupBy(count => count.Of["call:".Length..])
                .ToDictionary(target => target.Key, ByState),
            ByState(counts.Where(count => count.Of == "alarms")),
            counts.Single(count => count.Of == "objects").Rows
        );
    }

    private static IReadOnlyDictionary<string, long> ByState(IEnumerable<Count> counts) =>
        counts.ToDictionary(count => count.State, count => count.Rows);
}
