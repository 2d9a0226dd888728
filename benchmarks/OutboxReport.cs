using Sagas.LocalServers;

namespace Sagas.Benchmarks;

/// <summary>The result of <c>sagas bench outbox</c>: the medians of its rounds.</summary>
/// <param name="WithoutOutboxPerSecond">Sagas per second, each publishing its event to the broker itself.</param>
/// <param name="WithOutboxPerSecond">Sagas per second with inbox and outbox.</param>
/// <param name="InMemoryOutboxPerSecond">Sagas per second with MassTransit's own outbox in memory, which guarantees nothing when
/// the process is killed.</param>
/// <param name="ByHandPerSecond">Messages per second of a consumer written by hand with Npgsql, a transaction each.</param>
/// <param name="Ratio">With the outbox over without.</param>
/// <param name="RatioToInMemoryOutbox">With the outbox over MassTransit's in memory.</param>
/// <param name="RatioToByHand">With the outbox over by hand.</param>
/// <param name="BarePublishPerSecond">Messages per second of RabbitMQ's client alone, with confirms.</param>
/// <param name="RelayPerSecond">Rows per second that the relay drains from a backlog of 100,000.</param>
/// <param name="RelayRatioToBare">The relay's rate over that of RabbitMQ's client alone.</param>
/// <param name="RelayRatioAtOneMillion">The relay's rate with 1,000,000 rows waiting over that with 10,000.</param>
/// <param name="PgbenchPerSecond">Transactions per second of the same statements by pgbench; null when it is not
/// installed.</param>
internal sealed record OutboxReport(
    double WithoutOutboxPerSecond,
    double WithOutboxPerSecond,
    double InMemoryOutboxPerSecond,
    double ByHandPerSecond,
    double Ratio,
    double RatioToInMemoryOutbox,
    double RatioToByHand,
    double BarePublishPerSecond,
    double RelayPerSecond,
    double RelayRatioToBare,
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
        await MeasureRoundAsync(benchmark, quick ? 1_000 : 10_000, cancellationToken);
        var seen = new List<Round>();
        for (var round = 1; round <= rounds; round++)
        {
            seen.Add(await MeasureRoundAsync(benchmark, sagas, cancellationToken));
            log($"round {round} of {rounds}: {seen[^1]}");
        }

        var relay = await MeasureRelayAsync(benchmark, quick, log, cancellationToken);
        var database = await benchmark.CreateDatabaseAsync(cancellationToken);
        var pgbench = await PgBench.MeasureAsync(database, TimeSpan.FromSeconds(quick ? 3 : 15), cancellationToken);
        return new OutboxReport(
            Percentile.Median(seen, round => round.Without),
            Percentile.Median(seen, round => round.With),
            Percentile.Median(seen, round => round.InMemory),
            Percentile.Median(seen, round => round.ByHand),
            Percentile.Median(seen, round => round.With / round.Without),
            Percentile.Median(seen, round => round.With / round.InMemory),
            Percentile.Median(seen, round => round.With / round.ByHand),
            Percentile.Median(relay, round => round.Bare),
            Percentile.Median(relay, round => round.Backlog),
            Percentile.Median(relay, round => round.Backlog / round.Bare),
            Percentile.Median(relay, round => round.Large) / Percentile.Median(relay, round => round.Small),
            pgbench
        );
    }

    private static async Task<Round> MeasureRoundAsync(
        OutboxBenchmark benchmark,
        int sagas,
        CancellationToken cancellationToken
    ) =>
        new(
            await benchmark.MeasureSagasAsync(sagas, OutboxKind.None, cancellationToken),
            await benchmark.MeasureSagasAsync(sagas, OutboxKind.Transactional, cancellationToken),
            await benchmark.MeasureSagasAsync(sagas, OutboxKind.InMemory, cancellationToken),
            await benchmark.MeasureByHandAsync(sagas, cancellationToken)
        );

    private static async Task<List<RelayRound>> MeasureRelayAsync(
        OutboxBenchmark benchmark,
        bool quick,
        Action<string> log,
        CancellationToken cancellationToken
    )
    {
        var rounds = quick ? 1 : 3;
        var seen = new List<RelayRound>();
        for (var round = 1; round <= rounds; round++)
        {
            // The same number of rows is timed with each backlog, so that only the backlog makes a difference.
            seen.Add(
                new RelayRound(
                    await benchmark.MeasurePublishAsync(100_000, cancellationToken),
                    await benchmark.MeasureRelayAsync(10_000, 10_000, cancellationToken),
                    await benchmark.MeasureRelayAsync(100_000, 100_000, cancellationToken),
                    await benchmark.MeasureRelayAsync(quick ? 200_000 : 1_000_000, 10_000, cancellationToken)
                )
            );
            log($"relay, round {round} of {rounds}: {seen[^1]} of {(quick ? "200,000" : "1,000,000")}");
        }

        return seen;
    }

    private sealed record Round(double Without, double With, double InMemory, double ByHand)
    {
        public override string ToString() =>
            $"{Without:N0} sagas/s without outbox, {With:N0} with, {InMemory:N0} with MassTransit's, {ByHand:N0} by hand";
    }

    private sealed record RelayRound(double Bare, double Small, double Backlog, double Large)
    {
        public override string ToString() =>
            $"{Bare:N0} messages/s by the client alone, {Small:N0} rows/s of 10,000, {Backlog:N0} of 100,000, {Large:N0}";
    }
}
