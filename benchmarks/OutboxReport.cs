using Sagas.LocalServers;

namespace Sagas.Benchmarks;

/// <summary>The result of <c>sagas bench outbox</c>: the medians of its rounds.</summary>
/// <param name="WithoutOutboxPerSecond">Sagas per second, each publishing its event to the broker itself.</param>
/// <param name="WithOutboxPerSecond">Sagas per second with inbox and outbox.</param>
/// <param name="Ratio">The second over the first.</param>
/// <param name="RelayPerSecond">Rows per second that the relay drains from a backlog of 100,000.</param>
/// <param name="RelayRatioAtOneMillion">The relay's rate with 1,000,000 rows waiting over that with 10,000.</param>
/// <param name="PgbenchPerSecond">Transactions per second of the same statements by pgbench; null when it is not
/// installed.</param>
internal sealed record OutboxReport(
    double WithoutOutboxPerSecond,
    double WithOutboxPerSecond,
    double Ratio,
    double RelayPerSecond,
    double RelayRatioAtOneMillion,
    double? PgbenchPerSecond
)
{
    public static async Task<OutboxReport> MeasureAsync(
        PrivatePostgres postgres,
        PrivateRabbitMq rabbitMq,
        bool quick,
        Action<string> log,
        CancellationToken cancellationToken
    )
    {
        var benchmark = new OutboxBenchmark(postgres.CreateDatabaseAsync, rabbitMq.Uri);
        var (sagas, rounds) = quick ? (3_000, 1) : (20_000, 5);

        // The first runs warm up the JIT and the servers' caches.
        await benchmark.MeasureSagasAsync(quick ? 1_000 : 10_000, outbox: false, cancellationToken);
        await benchmark.MeasureSagasAsync(quick ? 1_000 : 10_000, outbox: true, cancellationToken);
        List<double> without = [],
            with = [],
            ratios = [];
        for (var round = 1; round <= rounds; round++)
        {
            without.Add(await benchmark.MeasureSagasAsync(sagas, outbox: false, cancellationToken));
            with.Add(await benchmark.MeasureSagasAsync(sagas, outbox: true, cancellationToken));
            ratios.Add(with[^1] / without[^1]);
            log($"round {round} of {rounds}: {without[^1]:N0} sagas/s without outbox, {with[^1]:N0} with");
        }

        var (relay, ratio) = await MeasureRelayAsync(benchmark, quick, log, cancellationToken);
        var database = await benchmark.CreateDatabaseAsync(cancellationToken);
        var pgbench = await PgBench.MeasureAsync(database, TimeSpan.FromSeconds(quick ? 3 : 15), cancellationToken);
        return new OutboxReport(Median(without), Median(with), Median(ratios), relay, ratio, pgbench);
    }

    private static async Task<(double Relay, double Ratio)> MeasureRelayAsync(
        OutboxBenchmark benchmark,
        bool quick,
        Action<string> log,
        CancellationToken cancellationToken
    )
    {
        var rounds = quick ? 1 : 3;
        List<double> small = [],
            backlog = [],
            large = [];
        for (var round = 1; round <= rounds; round++)
        {
            // The same number of rows is timed with each backlog, so that only the backlog makes a difference.
            small.Add(await benchmark.MeasureRelayAsync(10_000, 10_000, cancellationToken));
            backlog.Add(await benchmark.MeasureRelayAsync(100_000, 100_000, cancellationToken));
            large.Add(await benchmark.MeasureRelayAsync(quick ? 200_000 : 1_000_000, 10_000, cancellationToken));
            log(
                $"relay, round {round} of {rounds}: {small[^1]:N0} rows/s of 10,000, "
                    + $"{backlog[^1]:N0} of 100,000, {large[^1]:N0} of {(quick ? "200,000" : "1,000,000")}"
            );
        }

        return (Median(backlog), Median(large) / Median(small));
    }

    internal static double Median(List<double> values)
    {
        var sorted = values.Order().ToArray();
        var middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
