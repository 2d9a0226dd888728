using System.Diagnostics;
using System.Globalization;
using Npgsql;
using Sagas.LocalServers;

namespace Sagas.Benchmarks;

/// <summary>The result of <c>sagas bench flow</c>.</summary>
/// <param name="Payments">How many payments, each of a customer of its own.</param>
/// <param name="PaymentsPerSecond">From the first message to the last payment completed and the last customer synced.</param>
/// <param name="CpuMsPerPayment">Processor time of all processes for a payment and its customer, milliseconds.</param>
/// <param name="ServicesCpuMs">The services' part of it.</param>
/// <param name="PostgresCpuMs">Postgres's part of it.</param>
/// <param name="RabbitMqCpuMs">RabbitMQ's part of it.</param>
/// <param name="SimulatorsCpuMs">The simulated gateway's and CRM's part of it.</param>
/// <param name="TransactionsPerPayment">Transactions that Postgres committed, those of polls among them.</param>
/// <param name="RoundTripsPerPayment">How often the services waited for Postgres, in a smaller run of its own.</param>
internal sealed record FlowReport(
    int Payments,
    double PaymentsPerSecond,
    double CpuMsPerPayment,
    double ServicesCpuMs,
    double PostgresCpuMs,
    double RabbitMqCpuMs,
    double SimulatorsCpuMs,
    double TransactionsPerPayment,
    double RoundTripsPerPayment
);

/// <summary>
/// Payments and their customers in random order, through both sagas, the gateway and the CRM, on one services process.
/// </summary>
internal sealed class FlowBenchmark(PrivatePostgres postgres, PrivateRabbitMq rabbitMq, Action<string> log)
{
    private const int WarmUp = 1_000;
    private const int Counted = 1_000;

    public async Task<FlowReport> MeasureAsync(int payments, CancellationToken cancellationToken)
    {
        var run = await TimeAsync(payments, cancellationToken);
        return run with { RoundTripsPerPayment = await CountRoundTripsAsync(cancellationToken) };
    }

    private async Task<FlowReport> TimeAsync(int payments, CancellationToken cancellationToken)
    {
        var database = await postgres.CreateDatabaseAsync("flow", cancellationToken);
        var virtualHost = await rabbitMq.CreateVirtualHostAsync("flow", cancellationToken);
        await using var system = await FlowSystem.StartAsync(database, virtualHost, cancellationToken);
        await using var source = NpgsqlDataSource.Create(database);
        await RunAsync(system, source, "warm", WarmUp, cancellationToken);
        // As after some minutes; nothing else runs ANALYZE in time.
        await ExecuteAsync(source, "VACUUM ANALYZE", cancellationToken);
        var (before, transactions) = (ProcessorTimes.Read(), await TransactionsAsync(source, cancellationToken));
        var took = await RunAsync(system, source, "measured", payments, cancellationToken);
        var used = ProcessorTimes.Read() - before;
        transactions = await TransactionsAsync(source, cancellationToken) - transactions;
        var report = new FlowReport(
            payments,
            payments / took.TotalSeconds,
            Each(used.Total),
            Each(used.Services),
            Each(used.Postgres),
            Each(used.RabbitMq),
            Each(used.Simulators),
            (double)transactions / payments,
            0
        );
        log(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{payments:N0} payments: {report.PaymentsPerSecond:N0}/s, {report.CpuMsPerPayment:N2} ms of processor time each"
            )
        );
        return report;

        double Each(TimeSpan time) => time.TotalMilliseconds / payments;
    }

    private async Task<double> CountRoundTripsAsync(CancellationToken cancellationToken)
    {
        var database = await postgres.CreateDatabaseAsync("flow_round_trips", cancellationToken);
        var virtualHost = await rabbitMq.CreateVirtualHostAsync("flow_round_trips", cancellationToken);
        await using var proxy = new RoundTripProxy(database);
        await using var system = await FlowSystem.StartAsync(proxy.ConnectionString, virtualHost, cancellationToken);
        await using var source = NpgsqlDataSource.Create(database);
        await RunAsync(system, source, "warm", WarmUp, cancellationToken);
        var before = proxy.RoundTrips;
        await RunAsync(system, source, "counted", Counted, cancellationToken);
        return (double)(proxy.RoundTrips - before) / Counted;
    }

    private static async Task<TimeSpan> RunAsync(
        FlowSystem system,
        NpgsqlDataSource source,
        string name,
        int payments,
        CancellationToken cancellationToken
    )
    {
        var done = await CountAsync(source, cancellationToken) + (2 * payments);
        var clock = Stopwatch.StartNew();
        await system.PublishAsync(name, payments, cancellationToken);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(500));
        while (await CountAsync(source, cancellationToken) < done)
            await timer.WaitForNextTickAsync(cancellationToken);
        return clock.Elapsed;
    }

    private static Task<long> CountAsync(NpgsqlDataSource source, CancellationToken cancellationToken) =>
        ScalarAsync(
            source,
            """
            SELECT (SELECT count(*) FROM payment_state WHERE current_state = 'Completed')
                 + (SELECT count(*) FROM customer_state WHERE current_state = 'Synced')
            """,
            cancellationToken
        );

    private static Task<long> TransactionsAsync(NpgsqlDataSource source, CancellationToken cancellationToken) =>
        ScalarAsync(source, "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()", cancellationToken);

    private static async Task<long> ScalarAsync(NpgsqlDataSource source, string sql, CancellationToken cancellationToken)
    {
        await using var command = source.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private static async Task ExecuteAsync(NpgsqlDataSource source, string sql, CancellationToken cancellationToken)
    {
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
