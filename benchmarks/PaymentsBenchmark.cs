using Sagas.Cli.CommandLine;
using Sagas.Cli.Demo;
using Sagas.Contracts;

namespace Sagas.Benchmarks;

/// <summary>The result of <c>sagas bench payments</c>.</summary>
/// <param name="Payments">How many payments waited.</param>
/// <param name="WakeP50Ms">Milliseconds from the customer's registration consumed to the payment completed; the median.</param>
/// <param name="WakeP99Ms">99 of 100 took no longer.</param>
/// <param name="WakeMaxMs">The slowest.</param>
internal sealed record PaymentsReport(int Payments, double WakeP50Ms, double WakeP99Ms, double WakeMaxMs);

/// <summary>
/// Payments that wait for customers, and customers that register one after the other. Both moments are the database's: the
/// transition rows of the customer's creation and of the payment's completion.
/// </summary>
internal static class PaymentsBenchmark
{
    // Fast enough to overlap, slow enough to measure the wake-up and not a queue before it.
    private static readonly TimeSpan _between = TimeSpan.FromMilliseconds(10);

    private const string Percentiles = """
        SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY took), percentile_cont(0.99) WITHIN GROUP (ORDER BY took), max(took)
        FROM (SELECT extract(epoch FROM done.occurred_at - known.occurred_at)::float8 * 1000 AS took
              FROM payment_state p
              JOIN customer_state c USING (customer_id)
              JOIN saga_transition known ON known.correlation_id = c.correlation_id AND known.from_state IS NULL
              JOIN saga_transition done ON done.correlation_id = p.correlation_id AND done.to_state = 'Completed') wakes
        """;

    public static async Task<PaymentsReport> MeasureAsync(int payments, Terminal terminal, CancellationToken cancellationToken)
    {
        await using var system = await DemoSystem.StartAsync(
            new ConsoleReporter(terminal, json: true),
            inMemory: false,
            cancellationToken
        );

        // The first hundred warm up the JIT; only the others are measured.
        await RunAsync(system, "warm", 100, cancellationToken);
        await ExecuteAsync(system, "TRUNCATE payment_state, customer_state, saga_transition, outbound_call", cancellationToken);
        await RunAsync(system, "measured", payments, cancellationToken);
        await using var command = system.Database.Source.CreateCommand(Percentiles);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return new PaymentsReport(payments, reader.GetDouble(0), reader.GetDouble(1), reader.GetDouble(2));
    }

    private static async Task RunAsync(DemoSystem system, string name, int payments, CancellationToken cancellationToken)
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
        await UntilAsync(
            system,
            "SELECT count(*) FROM payment_state WHERE current_state = 'AwaitingCustomer' AND attempts >= 2",
            payments,
            cancellationToken
        );
        using var timer = new PeriodicTimer(_between);
        foreach (var number in numbers)
        {
            await timer.WaitForNextTickAsync(cancellationToken);
            await system.Bus.Publish(
                new CustomerRegistered($"{name}-customer-{number}", "Ada", "Lovelace", "ada@example.org"),
                cancellationToken
            );
        }

        await UntilAsync(
            system,
            "SELECT count(*) FROM payment_state WHERE current_state = 'Completed'",
            payments,
            cancellationToken
        );
    }

    private static async Task UntilAsync(DemoSystem system, string count, int expected, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        do
        {
            await using var command = system.Database.Source.CreateCommand(count);
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
