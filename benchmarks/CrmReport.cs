using Sagas.Cli.CommandLine;

namespace Sagas.Benchmarks;

/// <summary>The result of <c>sagas bench crm</c>.</summary>
/// <param name="CeilingRatio">Delivery rate over the ceiling of a CRM that takes 10 ms a call and 10 concurrent calls.</param>
/// <param name="CeilingRatioWithFaults">The same with 20 % random failures, over the rate that is then possible.</param>
/// <param name="PerSecond">Customers per second to a CRM that takes 64 calls at once, until they are synced in the
/// database.</param>
internal sealed record CrmReport(double CeilingRatio, double CeilingRatioWithFaults, double PerSecond)
{
    private const int Concurrency = 10;
    private const int HighConcurrency = 64;
    private const double Failures = 0.2;

    public static async Task<CrmReport> MeasureAsync(Terminal terminal, bool quick, CancellationToken cancellationToken)
    {
        var benchmark = new CrmBenchmark(terminal, terminal.Error.WriteLine);
        const double ceiling = Concurrency * 1000.0 / CrmBenchmark.LatencyMs;
        var few = quick ? 5_000 : 20_000;
        var without = await benchmark.RunAsync(few, Concurrency, 0, cancellationToken);
        var with = await benchmark.RunAsync(few, Concurrency, Failures, cancellationToken);
        var many = await benchmark.RunAsync(quick ? 20_000 : 100_000, HighConcurrency, 0, cancellationToken);
        // A failed call takes as long as a successful one, and has to be made again.
        return new CrmReport(
            without.DeliveredPerSecond / ceiling,
            with.DeliveredPerSecond / (ceiling * (1 - Failures)),
            many.SyncedPerSecond
        );
    }
}
