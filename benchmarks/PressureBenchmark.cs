using System.Diagnostics;
using System.Globalization;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using RabbitMQ.Client;
using Sagas.LocalServers;

namespace Sagas.Benchmarks;

/// <summary>The result of <c>sagas bench pressure</c>.</summary>
/// <param name="WorstRatio">The lowest rate of a case over that of the clean one.</param>
/// <param name="Cases">Each case; the clean one first.</param>
internal sealed record PressureReport(double WorstRatio, IReadOnlyList<PressureCaseReport> Cases);

/// <summary>One case.</summary>
/// <param name="Name">What pressed.</param>
/// <param name="PerSecond">Sagas per second in the last third of the time.</param>
/// <param name="P99Ms">From message to event, in the last third: 99 of 100 took no longer, in milliseconds.</param>
/// <param name="Ratio">The rate over that of the clean case.</param>
/// <param name="Samples">The tables over time.</param>
internal sealed record PressureCaseReport(
    string Name,
    double PerSecond,
    double P99Ms,
    double Ratio,
    IReadOnlyList<PressureSample> Samples
);

/// <summary>The tables of inbox, outbox and history at one moment.</summary>
/// <param name="Second">Since the beginning of the load.</param>
/// <param name="DeadRows">Rows that are deleted or replaced and still in the tables, as Postgres estimates them.</param>
/// <param name="OutboxMegabytes">The outbox with its indexes, in MiB.</param>
internal sealed record PressureSample(int Second, long DeadRows, double OutboxMegabytes);

/// <summary>Sagas under steady load while something presses on their database, each case in a database of its own.</summary>
internal sealed class PressureBenchmark(PrivatePostgres postgres, PrivateRabbitMq rabbitMq, Action<string> log)
{
    private const int UnderWay = 128;
    private const int Thirds = 3;
    private const int SamplesPerThird = 10;

    private const string Tables = """
        SELECT (SELECT coalesce(sum(n_dead_tup), 0)::bigint FROM pg_stat_user_tables
                WHERE relname IN ('outbox_message', 'inbox_state', 'saga_transition', 'order_state')),
               pg_total_relation_size('outbox_message') / 1048576.0::float8
        """;

    private readonly OutboxBenchmark _benchmark = new(postgres.CreateDatabaseAsync, rabbitMq.Uri);

    /// <summary>Measures.</summary>
    /// <param name="duration">Of the load in each case.</param>
    /// <param name="backlog">How many messages wait in the case of a backlog.</param>
    /// <param name="cancellationToken">Stops.</param>
    public async Task<PressureReport> MeasureAsync(TimeSpan duration, int backlog, CancellationToken cancellationToken)
    {
        var all = PressureCase.All(backlog);
        // The first run warms up the JIT and the servers' caches.
        await MeasureAsync(all[0], duration, cancellationToken);
        var cases = new List<PressureCaseReport>();
        foreach (var pressure in all)
        {
            var report = await MeasureAsync(pressure, duration, cancellationToken);
            report = report with { Ratio = report.PerSecond / (cases.FirstOrDefault() ?? report).PerSecond };
            cases.Add(report);
            log(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{report.Name}: {report.PerSecond:N0} sagas/s, p99 {report.P99Ms:N0} ms, {report.Ratio:0.00} of clean, "
                        + $"{report.Samples[^1].DeadRows:N0} dead rows, outbox {report.Samples[^1].OutboxMegabytes:N0} MiB"
                )
            );
        }

        return new PressureReport(cases.Min(report => report.Ratio), cases);
    }

    private async Task<PressureCaseReport> MeasureAsync(
        PressureCase pressure,
        TimeSpan duration,
        CancellationToken cancellationToken
    )
    {
        var database = await _benchmark.CreateDatabaseAsync(cancellationToken);
        await using var connection = await new ConnectionFactory { Uri = rabbitMq.Uri }.CreateConnectionAsync(cancellationToken);
        await using var sink = await connection.CreateChannelAsync(
            new CreateChannelOptions(false, false, consumerDispatchConcurrency: PressureLoad.Concurrency),
            cancellationToken
        );
        using var host = OutboxBenchmarkHost.Create(database, rabbitMq.Uri, OutboxKind.Transactional);
        await host.StartAsync(cancellationToken);
        var queue = await OutboxBenchmark.DeclareSinkAsync(sink, cancellationToken);
        var load = new PressureLoad(host.Services.GetRequiredService<IBus>(), sink);
        await load.StartAsync(queue, cancellationToken);
        await using var source = NpgsqlDataSource.Create(database);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var pressing = pressure.PressAsync(source, end.Token);
        var report = await MeasureAsync(pressure, load, source, duration / Thirds, cancellationToken);
        await end.CancelAsync();
        await pressing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await load.KeepAsync(0);
        await host.StopAsync(cancellationToken);
        return report;
    }

    private static async Task<PressureCaseReport> MeasureAsync(
        PressureCase pressure,
        PressureLoad load,
        NpgsqlDataSource source,
        TimeSpan third,
        CancellationToken cancellationToken
    )
    {
        var samples = new List<PressureSample>();
        var clock = Stopwatch.StartNew();
        var begun = TimeSpan.Zero;
        for (var number = 1; number <= Thirds; number++)
        {
            await load.KeepAsync(number == 2 ? (int)(UnderWay * pressure.Burst) : UnderWay);
            load.TakeLatencies();
            begun = clock.Elapsed;
            for (var sample = 0; sample < SamplesPerThird; sample++)
            {
                await Task.Delay(third / SamplesPerThird, cancellationToken);
                samples.Add(await SampleAsync(source, clock.Elapsed, cancellationToken));
            }
        }

        var latencies = load.TakeLatencies();
        if (latencies.Length == 0)
            throw new InvalidOperationException($"No saga ended in the last third of the time: {pressure.Name}.");
        return new PressureCaseReport(
            pressure.Name,
            latencies.Length / (clock.Elapsed - begun).TotalSeconds,
            Percentile.Of(latencies, 0.99),
            1,
            samples
        );
    }

    private static async Task<PressureSample> SampleAsync(
        NpgsqlDataSource source,
        TimeSpan elapsed,
        CancellationToken cancellationToken
    )
    {
        await using var command = source.CreateCommand(Tables);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        await row.ReadAsync(cancellationToken);
        return new PressureSample((int)elapsed.TotalSeconds, row.GetInt64(0), row.GetDouble(1));
    }
}
