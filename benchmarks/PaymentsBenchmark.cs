using System.Diagnostics;
using Npgsql;
using Sagas.Cli.CommandLine;
using Sagas.Cli.Demo;
using Sagas.Contracts;

namespace Sagas.Benchmarks;

/// <summary>The result of <c>sagas bench payments</c>.</summary>
/// <param name="Payments">How many payments waited in each part.</param>
/// <param name="WakeP50Ms">
/// Milliseconds from the customer's registration consumed to the payment completed, on a system that does nothing else; the
/// median.
/// </param>
/// <param name="WakeP99Ms">99 of 100 took no longer.</param>
/// <param name="WakeMaxMs">The slowest.</param>
/// <param name="WakesPerSecond">Payments woken and completed in a second when all customers register at once.</param>
/// <param name="HalfLoadP50Ms">The median with half as many customers in a second.</param>
/// <param name="HalfLoadP99Ms">99 of 100 took no longer then.</param>
internal sealed record PaymentsReport(
    int Payments,
    double WakeP50Ms,
    double WakeP99Ms,
    double WakeMaxMs,
    double WakesPerSecond,
    double HalfLoadP50Ms,
    double HalfLoadP99Ms
);

/// <summary>
/// Payments that wait for customers, and customers that register one after the other. Both moments are the database's: the
/// transition rows of the customer's creation and of the payment's completion.
/// </summary>
internal static class PaymentsBenchmark
{
    // One payment is completed before the next customer comes.
    private static readonly TimeSpan _idle = TimeSpan.FromMilliseconds(100);

    private const string Percentiles = """
        SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY took), percentile_cont(0.99) WITHIN GROUP (ORDER BY took), max(took)
        FROM (SELECT extract(epoch FROM done.occurred_at - known.occurred_at)::float8 * 1000 AS took
              FROM payment_state p
              JOIN customer_state c USING (customer_id)
              JOIN saga_transition known ON known.correlation_id = c.correlation_id AND known.from_state IS NULL
              JOIN saga_transition done ON done.correlation_id = p.correlation_id AND done.to_state = 'Completed'
              WHERE p.payment_id LIKE $1) wakes
        """;

    private const string Count = "SELECT count(*) FROM payment_state WHERE current_state = $1 AND payment_id LIKE $2";

    private const int WarmUp = 1_000;

    public static async Task<PaymentsReport> MeasureAsync(int payments, Terminal terminal, CancellationToken cancellationToken)
    {
        await using var system = await DemoSystem.StartAsync(
            new ConsoleReporter(terminal, json: true),
            inMemory: false,
            cancellationToken
        );

        // All at once: that warms up the JIT too.
        await RunAsync(system, "warm", WarmUp, TimeSpan.Zero, cancellationToken);
        var took = await RunAsync(system, "burst", WarmUp, TimeSpan.Zero, cancellationToken);
        await ExecuteAsync(system, "VACUUM ANALYZE", cancellationToken);
        await RunAsync(system, "idle", payments, _idle, cancellationToken);
        await RunAsync(system, "half", payments, 2 * took / WarmUp, cancellationToken);
        var idle = await ReadAsync(system, "idle", cancellationToken);
        var half = await ReadAsync(system, "half", cancellationToken);
        return new PaymentsReport(payments, idle.P50, idle.P99, idle.Max, WarmUp / took.TotalSeconds, half.P50, half.P99);
    }

    private static async Task<(double P50, double P99, double Max)> ReadAsync(
        DemoSystem system,
        string name,
        CancellationToken cancellationToken
    )
    {
        await using var command = system.Database.Source.CreateCommand(Percentiles);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = name + "-%" });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return (reader.GetDouble(0), reader.GetDouble(1), reader.GetDouble(2));
    }

    /// <returns>How long it took from the first customer to the last payment completed.</returns>
    private static async Task<TimeSpan> RunAsync(
        DemoSystem system,
        string name,
        int payments,
        TimeSpan between,
        CancellationToken cancellationToken
    )
    {
        var numbers = Enumerable.Range(1, payments);
        await Parallel.ForEachAsync(
            numbers,
            cancellationToken,
            async (number, token) =>
                await system.Bus.Publish(
                    new PaymentRequested($"{name}-{number}", $"{name}-customer-{number}", 12.34m, "EUR"),
                    token
                )
        );
        await UntilAsync(system, name, "AwaitingCustomer", payments, cancellationToken);
        var clock = Stopwatch.StartNew();
        await Parallel.ForEachAsync(
            numbers,
            new ParallelOptions { MaxDegreeOfParallelism = 64, CancellationToken = cancellationToken },
            async (number, token) =>
            {
                var due = between * number - clock.Elapsed;
                if (due > TimeSpan.Zero)
                    await Task.Delay(due, token);
                await system.Bus.Publish(
                    new CustomerRegistered($"{name}-customer-{number}", "Ada", "Lovelace", "ada@example.org"),
                    token
                );
            }
        );
        await UntilAsync(system, name, "Completed", payments, cancellationToken);
        return clock.Elapsed;
    }

    private static async Task UntilAsync(
        DemoSystem system,
        string name,
        string state,
        int expected,
        CancellationToken cancellationToken
    )
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        do
        {
            await using var command = system.Database.Source.CreateCommand(Count);
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = state });
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = name + "-%" });
            if ((long)(await command.ExecuteScalarAsync(cancellationToken))! >= expected)
                return;
        } while (await timer.WaitForNextTickAsync(cancellationToken));
    }

    private static async Task ExecuteAsync(DemoSystem system, string sql, CancellationToken cancellationToken)
    {
        await using var command = system.Database.Source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
